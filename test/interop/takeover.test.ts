import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, pidOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';
import { suite } from '../suite.ts';

/** The master's supervisor is killed and started again, beside keepalived that waits for its chance. */
await enclose();

const VIP = '10.0.0.100';
const OURS = '10.0.0.1';
/** Not in adverts: keepalived believes none with other addresses than its own. */
const MORE = `virtual_ipaddress_excluded {
    10.0.0.101/24
  }`;
/** So many adverts show that the master goes on. */
const ADVERTS = 20;

const instance = (priority: number, more = ''): string => `vrrp_instance web {
  state BACKUP
  interface lan
  virtual_router_id 10
  version 3
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    ${VIP}/24
  }
  ${more}
}
`;

const test = suite('a supervisor is killed and started again beside keepalived');
let scene: Scene;
let first: Host;
let second: Host;
let daemon: Program;
let peer: Program;
let eye: Watcher;
test.before(async () => {
  scene = new Scene();
  const lan = scene.link('lan');
  first = scene.host('first').on(lan, `${OURS}/24`);
  second = scene.host('second').on(lan, '10.0.0.2/24');
  eye = await Watcher.start(scene.host('eye').on(lan), VIP);
  daemon = vipkeeper(first, instance(150), '-P');
  await scene.until('ours is master', () => first.has(VIP));
  // In real time it is punctual on a busy machine.
  const punctual = 'global_defs {\n  vrrp_rt_priority 50\n  vrrp_rlimit_rttime 1000000\n}\n';
  peer = keepalived(second, punctual + instance(100), '-P', '-G');
  await scene.until('keepalived is backup', () => /Entering BACKUP STATE/.test(peer.log));
  await eye.clear();
});
test.after(() => scene.close());

/** The master sends so many adverts from now on. */
async function goesOn(): Promise<void> {
  const sent = async (): Promise<number> => (await eye.observations()).adverts.length;
  const from = await sent();
  await scene.until('the master goes on', async () => (await sent()) >= from + ADVERTS);
}

test('keepalived never becomes master, whatever is changed on the way, and again', async () => {
  const vrrp = pidOf(first, 'vrrp');
  for (const more of ['', MORE, '']) {
    daemon.signal('SIGKILL');
    await scene.until('the supervisor is dead', () => !daemon.running);
    await goesOn();
    daemon = vipkeeper(first, instance(150, more), '-P');
    await scene.until('it works', () => daemon.log.includes('the vrrp process works'));
    assert.match(daemon.log, `taking over the vrrp process ${vrrp}`);
    await scene.until('it has the new configuration', () => first.has('10.0.0.101') === (more !== ''));
    await goesOn();
  }
  assert.not.match(peer.log, /Entering MASTER STATE/);
  const { adverts } = await eye.observations();
  assert.equal(
    adverts.filter(({ source }) => source !== OURS),
    [],
  );
  const goodbyes = adverts.filter(({ priority }) => priority === 0);
  assert.equal(goodbyes, []);
});

test('the stop of the daemon is the stop of the process that was taken over', async () => {
  daemon.signal('SIGTERM');
  await scene.until('keepalived is master', () => second.has(VIP));
  await scene.until('ours is gone', () => first.processes().length === 0);
  const { adverts } = await eye.observations();
  assert.ok(
    adverts.some(({ source, priority }) => source === OURS && priority === 0),
    'it said goodbye',
  );
});

test.run();
