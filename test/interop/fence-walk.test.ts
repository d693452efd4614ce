import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { BMC_USER, Bmc } from '../lab/scene/bmc.ts';
import { statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * A pair that fences by IPMI (fence_ipmilan, and ipmi_sim for the BMCs), and the same pair with a witness instead,
 * and with etcd: a cable is cut, the other takes over, the cable comes back. Each screen is printed as the operator
 * sees it.
 */
await enclose();

const VIP = '10.0.0.100';
const NAMES = ['lb1', 'lb2'] as const;
type Name = (typeof NAMES)[number];
const LAN = { lb1: '10.0.0.1', lb2: '10.0.0.2', far: '10.0.0.9' } as const;
const ETCD = `http://${LAN.far}:2379`;
const BMC = { lb1: '10.1.0.11', lb2: '10.1.0.12' } as const;

const test = suite('a walk with fencing by IPMI, and with a witness');
let scene: Scene;
let lan: Link;
let far: Host;
let watch: AddressWatch;
let keys: string;
const hosts = {} as Record<Name, Host>;
const bmcs = {} as Record<Name, Bmc>;

const device = (name: Name): string => `fence_device ipmi-of-${name} {
  agent fence_ipmilan
  target ${name}
  parameter ip ${BMC[name]}
  parameter username ${BMC_USER.name}
  parameter_file password ${join(keys, 'ipmi.key')}
  parameter lanplus 1
  parameter cipher 3
  monitor 5
}
`;
const heartbeat = (): string => `heartbeat {
  cluster web
  key_file ${join(keys, 'web.key')}
  director lb1 ${LAN.lb1}
  director lb2 ${LAN.lb2}
  longest_promise 3
}
`;
const router = (priority: number): string => `vrrp_instance WEB {
  interface lan
  virtual_router_id 51
  version 3
  priority ${priority}
  nopreempt
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;
const priorityOf = (name: Name): number => (name === 'lb1' ? 150 : 100);
const fencing = (name: Name): string => heartbeat() + NAMES.map(device).join('') + router(priorityOf(name));
const witnessed = (name: Name, block: string): string =>
  `${heartbeat()}witness {\n  ${block}\n}\n${router(priorityOf(name))}`;

/** Runs the operator's program on a director, and prints the command and what it says. */
function screen(name: Name, ...words: string[]): string {
  const runDir = join(scene.folder, name, 'run');
  const [command = '', ...rest] = hosts[name].command(
    join(ROOT, 'bin/vipkeeper'),
    ...words,
    '--run-dir',
    runDir,
  );
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8' });
  console.log(`\n${name}# vipkeeper ${words.join(' ')}\n${stdout}${stderr}`);
  assert.is(status, 0, words.join(' '));
  return stdout + stderr;
}
const say = (text: string): void => console.log(`\n--- ${text}`);
/** From now on, a line of the log for each that matters. */
const boot = (name: Name, configuration: string): void => void vipkeeper(hosts[name], configuration, '-P');
const holder = (): string => NAMES.filter((name) => hosts[name].has(VIP)).join(' and ');
const heldBy = (name: Name): Promise<number> =>
  scene.until(`the address is held by ${name}`, () => holder() === name);
const follows = (name: Name, master: Name): Promise<number> =>
  scene.until(`${name} follows ${master}`, async () => {
    const [known] = (await statusOf(hosts[name]))?.vrrp?.instances ?? [];
    return known?.state === 'BACKUP' && known.master?.address === LAN[master];
  });

test.before(async () => {
  scene = new Scene();
  lan = scene.link('lan');
  const management = scene.link('mgmt');
  far = scene.host('far').on(lan, `${LAN.far}/24`).on(management, `${BMC.lb1}/24`, `${BMC.lb2}/24`);
  for (const [i, name] of NAMES.entries())
    hosts[name] = scene
      .host(name)
      .on(lan, `${LAN[name]}/24`)
      .on(management, `10.1.0.${i + 1}/24`);
  keys = join(scene.folder, 'keys');
  mkdirSync(keys);
  writeFileSync(join(keys, 'web.key'), 'a secret of these three\n', { mode: 0o600 });
  writeFileSync(join(keys, 'ipmi.key'), `${BMC_USER.password}\n`, { mode: 0o600 });
  for (const name of NAMES) bmcs[name] = await Bmc.start(far, BMC[name], hosts[name], VIP);
  watch = await AddressWatch.start(scene, Object.values(hosts));
});
test.after(() => {
  scene.close();
});
test.after.each(() => {
  assert.is(watch.longestOverlap(VIP).milliseconds, 0, 'two directors had the address');
});

test('a pair with IPMI: who serves, and whether the devices work', async () => {
  // The one that asks first keeps it (nopreempt); alone it may not take it.
  boot('lb1', fencing('lb1'));
  await scene.until(
    'lb1 asks',
    async () => ((await statusOf(hosts.lb1))?.vrrp?.votes?.claims[0]?.vain ?? 0) > 0,
  );
  assert.is(holder(), '');
  boot('lb2', fencing('lb2'));
  await heldBy('lb1');
  await follows('lb2', 'lb1');
  screen('lb2', 'status');
  assert.match(screen('lb2', 'fence', 'test'), /ipmi-of-lb1 +lb1 +works/);
  const plan = screen('lb2', 'fence', 'off', 'lb1', '--dry-run');
  assert.match(
    plan,
    /ipmi-of-lb1: fence_ipmilan with ip=10.1.0.11 username=admin .*password=\*{8} action=off\n/,
  );
  assert.not.match(plan, BMC_USER.password);
});

test('the cable of lb1 is cut: it is powered off, and the address moves', async () => {
  say('the cable of lb1 is cut');
  lan.cut(hosts.lb1);
  await heldBy('lb2');
  assert.is(bmcs.lb1.power, false);
  assert.equal(hosts.lb1.processes(), []);
  screen('lb2', 'status');
  const why = screen('lb2', 'explain', VIP);
  assert.match(why, /lb1 was switched off by ipmi-of-lb1 \S+Z \(\d+ s ago\): it is silent/);
  assert.match(screen('lb2', 'fence', 'status'), 'lb1 is off, and watched');
});

test('the cable is back and lb1 boots: it hears its peer and joins without a shot', async () => {
  say('the cable of lb1 is put back, and its power is switched on');
  lan.mend(hosts.lb1);
  ip('lb1', `address replace ${LAN.lb1}/24 dev lan`);
  assert.match(screen('lb2', 'fence', 'on', 'lb1'), 'lb1 is on');
  assert.is(bmcs.lb1.power, true);
  boot('lb1', fencing('lb1'));
  await follows('lb1', 'lb2');
  assert.is(holder(), 'lb2');
  screen('lb1', 'status');
  assert.match(screen('lb1', 'explain', VIP), 'BACKUP');
  await scene.until('lb2 has heard it', async () => {
    const [record] = (await statusOf(hosts.lb2))?.fencing?.history ?? [];
    return record?.heard !== undefined;
  });
  assert.match(screen('lb2', 'explain', VIP), /lb1 was switched off .*; heard again at /);
  assert.equal([bmcs.lb1.switched, bmcs.lb2.switched], [['off', 'on'], []], 'one shot in all');
});

test('the secret of the BMCs is in no screen, dump and log of the daemon', async () => {
  for (const name of NAMES) {
    assert.not.match(JSON.stringify(await statusOf(hosts[name])), BMC_USER.password);
  }
  assert.not.match(scene.logs(), BMC_USER.password);
});

/** What has the third vote instead of fence devices, how it is started, and how the directors know it. */
const WITNESSES = [
  {
    name: 'a witness',
    start: () =>
      far.start('witness', [join(ROOT, 'bin/vipkeeper-witness'), '--keys', keys, '--longest', '3']),
    block: `address ${LAN.far}`,
  },
  {
    name: 'etcd',
    start: () => {
      const urls = ['--listen-client-urls', '--advertise-client-urls'].flatMap((option) => [option, ETCD]);
      far.start('etcd', ['etcd', '--data-dir', join(scene.folder, 'etcd'), '--unsafe-no-fsync', ...urls]);
    },
    block: `etcd ${ETCD}`,
  },
] as const;

for (const { name: witness, start, block } of WITNESSES) {
  test(`the same with ${witness} and no fence: the address moves, nobody is powered off`, async () => {
    say(`both directors are started again, with ${witness} instead of fence devices`);
    lan.mend(hosts.lb1);
    for (const name of NAMES) {
      hosts[name].kill();
      ip(name, `address flush dev lan to ${VIP}`);
    }
    start();
    boot('lb1', witnessed('lb1', block));
    await heldBy('lb1');
    boot('lb2', witnessed('lb2', block));
    await follows('lb2', 'lb1');
    screen('lb1', 'status');
    say('the cable of lb1 is cut');
    lan.cut(hosts.lb1);
    await heldBy('lb2');
    screen('lb2', 'explain', VIP);
    screen('lb1', 'explain', VIP);
    say('the cable of lb1 is put back');
    lan.mend(hosts.lb1);
    await follows('lb1', 'lb2');
    assert.is(holder(), 'lb2');
    screen('lb1', 'status');
    assert.equal([bmcs.lb1.power, bmcs.lb2.power], [true, true]);
    assert.is(bmcs.lb1.switched.length, 2);
  });
}

test.run();
