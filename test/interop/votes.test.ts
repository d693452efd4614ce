import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/bytes.ts';
import { readRecordingFile } from '../../src/io/recordings.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { operator, pidOf, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import type { Program } from '../lab/scene/program.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * A pair of directors with a witness, by their real programs on the host's kernel: whatever is cut, frozen or killed,
 * the virtual address is on one of them at a time, and on one again afterwards.
 */
await enclose();

const VIP = '10.0.0.100';
const ADDRESS = { a: '10.0.0.1', b: '10.0.0.2', w: '10.0.0.9' } as const;
type Name = 'a' | 'b';
const KEY = 'a secret of these three';
/** No promise is longer; whoever starts waits as long. */
const LONGEST = 3;

const test = suite('votes of a pair and its witness');
let scene: Scene;
let link: Link;
let witnessHost: Host;
let watch: AddressWatch;
let witness: Program | undefined;
const hosts = {} as Record<Name, Host>;
let keys: string;

const configuration = (priority: number, witnessed = true): string => `heartbeat {
  cluster web
  key_file ${join(keys, 'web.key')}
  director a ${ADDRESS.a}
  director b ${ADDRESS.b}
  longest_promise ${LONGEST}
}
${witnessed ? `witness {\n  address ${ADDRESS.w}\n}` : ''}
vrrp_instance VI_1 {
  interface lan
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;

function startWitness(): void {
  const options = ['--keys', keys, '--longest', String(LONGEST)];
  witness = witnessHost.start('witness', [join(ROOT, 'bin/vipkeeper-witness'), ...options]);
}
const start = (name: Name, priority: number): void =>
  void vipkeeper(hosts[name], configuration(priority), '-P');

/** Who has the address now. */
const holder = (): string =>
  Object.values(hosts)
    .filter((host) => host.has(VIP))
    .map(({ name }) => name)
    .join(' and ');
const heldBy = (name: Name | ''): Promise<number> =>
  scene.until(`the address is held by ${name === '' ? 'nobody' : name}`, () => holder() === name);
/** Directors do not hear each other, but both hear the witness. */
const part = (apart: boolean): void => link.part(Object.values(hosts), apart);
const votesOf = async (name: Name): Promise<string[]> => {
  const claim = (await statusOf(hosts[name]))?.vrrp?.votes?.claims[0];
  return claim?.votes.map(({ voter, why }) => `${voter} ${why}`) ?? [];
};

test.before(async () => {
  scene = new Scene();
  link = scene.link('lan');
  for (const name of ['a', 'b'] as const) hosts[name] = scene.host(name).on(link, `${ADDRESS[name]}/24`);
  witnessHost = scene.host('w').on(link, `${ADDRESS.w}/24`);
  keys = join(scene.folder, 'keys');
  mkdirSync(keys);
  writeFileSync(join(keys, 'web.key'), `${KEY}\n`, { mode: 0o600 });
  watch = await AddressWatch.start(scene, Object.values(hosts));
});
test.after(() => {
  scene.close();
});
test.after.each(() => {
  assert.is(watch.longestOverlap(VIP).milliseconds, 0, 'two directors had the address');
});

test('the better one is elected, with all votes', async () => {
  startWitness();
  start('a', 150);
  start('b', 100);
  await heldBy('a');
  await scene.until('all promise', async () =>
    (await votesOf('a')).every((vote) => vote.endsWith('promised')),
  );
  assert.equal(await votesOf('a'), ['a promised', 'b promised', 'witness promised']);
});

test('parted from its peer, the holder keeps the address, and the other does not take it', async () => {
  part(true);
  // The other would be master: it has heard no advert for its down interval.
  await scene.until('the other is refused', () => hosts.b.scene.logs().includes('no majority of votes'));
  assert.is(holder(), 'a');
  part(false);
  await heldBy('a');
});

test('cut off from all, the holder lets go by itself, and the other takes over', async () => {
  link.cut(hosts.a);
  await heldBy('b');
  link.mend(hosts.a);
  // It is the better one.
  await heldBy('a');
});

test('what each decided replays the same, shows its votes, and has no key in it', () => {
  for (const host of Object.values(hosts)) {
    const file = join(scene.folder, `${host.name}.recording`);
    operator(host, 'record', '-o', file);
    const text = readRecordingFile(file).join('\n');
    for (const key of [KEY, toHex(new TextEncoder().encode(KEY)), btoa(KEY)])
      assert.not.ok(text.includes(key), 'the key is in the recording');
    const replay = (...options: string[]): string =>
      host.run(join(ROOT, 'bin/vipkeeper'), 'replay', file, ...options);
    const told = replay();
    assert.match(told, /^ {2}votes {3}.* equal$/m);
    const [, end = ''] = /, [\d:.]+ to (\d\d:\d\d:\d\d\.\d{3})/.exec(told) ?? [];
    const stood = replay('--until', end);
    if (host.name === 'a') {
      assert.match(stood, /^ {2}vrrp_instance VI_1 +held until \d\d:\d\d:\d\d\.\d{3}$/m);
      for (const voter of ['a', 'b', 'witness'])
        assert.match(stood, new RegExp(`^ {4}vote of ${voter} +promised until \\d\\d:`, 'm'));
    }
    assert.match(stood, /^ {2}own vote for vrrp_instance VI_1 +promised to a until \d\d:/m);
  }
});

test('frozen, the holder loses the address by the kernel, before the other has it', async () => {
  hosts.a.freeze();
  await heldBy('b');
  hosts.a.thaw();
  await heldBy('a');
});

test('its VRRP process killed, its successor waits for its votes', async () => {
  process.kill(pidOf(hosts.a, 'vrrp'), 'SIGKILL');
  await scene.until('somebody holds it', () => holder() !== '');
  await heldBy('a');
});

test('without the witness the pair goes on; without the peer too, nobody takes the address', async () => {
  await witness?.stop();
  await scene.until('the votes of the pair are enough', async () => {
    const votes = await votesOf('a');
    return holder() === 'a' && votes.includes('b promised') && votes.includes('witness no answer');
  });
  hosts.a.kill();
  await heldBy('');
  await scene.until('the other asks in vain', async () => {
    const claim = (await statusOf(hosts.b))?.vrrp?.votes?.claims[0];
    return (claim?.vain ?? 0) > 2;
  });
  assert.is(holder(), '');
  startWitness();
  await heldBy('b');
});

test.run();
