import { chmodSync, existsSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { file, keepalived, statusOf, vipkeeper } from '../lab/scene/director.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/** keepalived with another password, interval or cluster beside us: two masters, which nobody but a person can end. */
await enclose();

const VIP = '10.0.0.100';
const configuration = (more: string, vip = VIP): string => `vrrp_instance web {
  state BACKUP
  interface lan
  virtual_router_id 7
  priority 150
  ${more}
  virtual_ipaddress {
    ${vip}/24
  }
}
`;
const password = (text: string): string =>
  `advert_int 1\n  authentication {\n    auth_type PASS\n    auth_pass ${text}\n  }`;
const DIFFERENCES = {
  password: { ours: password('ours'), theirs: password('theirs'), why: 'password differs' },
  interval: { ours: 'advert_int 1', theirs: 'advert_int 2', why: 'advert_int is 2 s there, 1 s here' },
};

const test = suite('another master');
let scene: Scene;
test.after.each(() => scene.close());

for (const [what, { ours, theirs, why }] of Object.entries(DIFFERENCES)) {
  test(`another ${what}: shown, logged and told once, and its end`, async () => {
    scene = new Scene();
    const lan = scene.link('lan');
    const [we, they] = [scene.host('we').on(lan, '10.0.0.1/24'), scene.host('they').on(lan, '10.0.0.2/24')];
    const out = `${scene.folder}/told`;
    const script = file(we, 'notify', `#!/bin/sh\necho "$* ($VIPKEEPER_CAUSE)" >>${out}\n`);
    chmodSync(script, 0o755);
    const daemon = vipkeeper(we, configuration(`${ours}\n  notify ${script}`), '-P');
    await scene.until('we are master', () => we.has(VIP));
    const other = keepalived(they, configuration(theirs), '-P', '-G');
    await scene.until('both are master', () => they.has(VIP) && we.has(VIP));
    const others = async (): Promise<string[]> => {
      const [router] = (await statusOf(we))?.vrrp?.instances ?? [];
      return (router?.otherMasters ?? []).map(({ address, why: text }) => `${address}: ${text}`);
    };
    await scene.until('it is shown', async () => (await others()).length > 0);
    assert.equal(await others(), [`10.0.0.2: ${why}`]);
    const line = `10.0.0.2 also claims web (${why})`;
    const read = (): string => (existsSync(out) ? readFileSync(out, 'utf8') : '');
    await scene.until('the script is told', () => read().includes('OTHER_MASTER'));
    assert.equal(read().match(/.*OTHER_MASTER.*/g), [`INSTANCE web OTHER_MASTER 150 (${line})`]);
    assert.ok(
      daemon.log.includes(`crit    vipkeeper-vrrp: web: 10.0.0.2 also claims it (${why})`),
      daemon.log,
    );
    await other.stop('SIGTERM');
    await scene.until('the end is told', () => daemon.log.includes('web: 10.0.0.2 no longer claims it'));
    await scene.until('and shown', async () => (await others()).length === 0);
  });
}

test('the same VRID for other addresses is told', async () => {
  scene = new Scene();
  const lan = scene.link('lan');
  const [we, they] = [scene.host('we').on(lan, '10.0.0.1/24'), scene.host('they').on(lan, '10.0.0.2/24')];
  const daemon = vipkeeper(we, configuration('advert_int 1'), '-P');
  keepalived(they, configuration('advert_int 1', '10.0.0.200'), '-P', '-G');
  const line = '10.0.0.2 also claims it (the same VRID for other addresses: 10.0.0.200)';
  await scene.until('it is told', () => daemon.log.includes(line));
});

test.run();
