import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, statusOf, vipkeeper } from '../lab/scene/director.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/** A packet filter that refuses the adverts of a master: nobody hears it, and it is to know that. */
await enclose();

const VIP = '10.0.0.100';
const configuration = (priority: number, more: string): string => `vrrp_instance web {
  state BACKUP
  interface lan
  virtual_router_id 7
  priority ${priority}
  ${more}
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;

const test = suite('adverts that a packet filter refuses');
let scene: Scene;
test.after.each(() => scene.close());

for (const [lease, more, another] of [
  ['with a lease', 'advert_int 1', 'advert_int 1'],
  ['without a lease', 'version 3\n  advert_int 0.3', 'version 3\n  advert_int 0.3'],
] as const) {
  test(`${lease}: the address goes, the other takes over, and it comes back by itself`, async () => {
    scene = new Scene();
    const lan = scene.link('lan');
    const [we, they] = [scene.host('we').on(lan, '10.0.0.1/24'), scene.host('they').on(lan, '10.0.0.2/24')];
    const daemon = vipkeeper(we, configuration(150, more), '-P');
    await scene.until('we are master', () => we.has(VIP));
    keepalived(they, configuration(100, another), '-P', '-G');
    await scene.until('the other listens', () => they.succeeds('grep', '-q', '120000E0', '/proc/net/igmp'));
    we.run('nft', 'add table ip t; add chain ip t out { type filter hook output priority 0; }');
    we.run('nft', 'add rule ip t out ip protocol 112 drop');
    await scene.until('only the other has the address', () => !we.has(VIP) && they.has(VIP));
    const router = async () => (await statusOf(we))?.vrrp?.instances[0];
    await scene.until('it is shown', async () => (await router())?.state === 'FAULT');
    const why = /^no advert left for \d+\.\d\d s: EPERM, a packet filter refuses them \(to 224\.0\.0\.18\)$/;
    assert.match((await router())?.cause ?? '', why);
    assert.match(daemon.log, /web: 1 advert could not be sent: EPERM/);
    we.run('nft', 'delete table ip t');
    await scene.until('we are master again', () => we.has(VIP) && !they.has(VIP));
    assert.match(daemon.log, /web: FAULT -> BACKUP: adverts leave again/);
  });
}

test('one that was never heard never has the address', async () => {
  scene = new Scene();
  const we = scene.host('we').on(scene.link('lan'), '10.0.0.1/24');
  we.run('nft', 'add table ip t; add chain ip t out { type filter hook output priority 0; }');
  we.run('nft', 'add rule ip t out ip protocol 112 drop');
  const monitor = we.start('monitor', ['ip', '-o', 'monitor', 'address']);
  const daemon = vipkeeper(we, configuration(150, 'version 3\n  advert_int 0.3'), '-P');
  await scene.until('it gave up', () => /web: MASTER -> FAULT: no advert left/.test(daemon.log));
  assert.not(monitor.log.includes(VIP), monitor.log);
});

test.run();
