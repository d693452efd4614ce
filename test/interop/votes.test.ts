import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/bytes.ts';
import { readRecordingFile } from '../../src/io/recordings.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { operator, pidOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { suite } from '../suite.ts';
import { Directors, LONGEST_PROMISE, router } from './directors.ts';

/**
 * A pair of directors with a witness, by their real programs on the host's kernel: whatever is cut, frozen or killed,
 * the virtual address is on one of them at a time, and on one again afterwards.
 */
await enclose();

const WITNESS = '10.0.0.9';
type Name = 'a' | 'b';
const KEY = 'a secret of these three';

const test = suite('votes of a pair and its witness');
let directors: Directors<Name>;
let hosts: Directors<Name>['hosts'];
let witnessHost: Host;
let witness: Program | undefined;

function startWitness(): void {
  const options = ['--keys', directors.folder, '--longest', String(LONGEST_PROMISE)];
  witness = witnessHost.start('witness', [join(ROOT, 'bin/vipkeeper-witness'), ...options]);
}
const start = (name: Name, priority: number): void => {
  const witnessed = `witness {\n  address ${WITNESS}\n}\n`;
  vipkeeper(hosts[name], `${directors.heartbeat()}${witnessed}${router(priority)}`, '-P');
};
const votesOf = async (name: Name): Promise<string[]> => {
  const claim = await directors.claim(name);
  return claim?.votes.map(({ voter, why }) => `${voter} ${why}`) ?? [];
};

test.before(async () => {
  directors = new Directors(['a', 'b'], KEY);
  hosts = directors.hosts;
  witnessHost = directors.scene.host('w').on(directors.link, `${WITNESS}/24`);
  await directors.watched();
});
test.after(() => directors.close());
test.after.each(() => directors.notTwice());

test('the better one is elected, with all votes', async () => {
  startWitness();
  start('a', 150);
  start('b', 100);
  await directors.heldBy('a');
  await directors.scene.until('all promise', async () =>
    (await votesOf('a')).every((vote) => vote.endsWith('promised')),
  );
  assert.equal(await votesOf('a'), ['a promised', 'b promised', 'witness promised']);
});

test('parted from its peer, the holder keeps the address, and the other does not take it', async () => {
  directors.part(true);
  // The other would be master: it has heard no advert for its down interval.
  await directors.scene.until('the other is refused', () =>
    directors.scene.logs().includes('no majority of votes'),
  );
  assert.is(directors.holder(), 'a');
  directors.part(false);
  await directors.heldBy('a');
});

test('cut off from all, the holder lets go by itself, and the other takes over', async () => {
  directors.link.cut(hosts.a);
  await directors.heldBy('b');
  directors.link.mend(hosts.a);
  // It is the better one.
  await directors.heldBy('a');
});

test('what each decided replays the same, shows its votes, and has no key in it', () => {
  for (const host of directors.all) {
    const file = join(directors.scene.folder, `${host.name}.recording`);
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
  await directors.heldBy('b');
  hosts.a.thaw();
  await directors.heldBy('a');
});

test('its VRRP process killed, its successor waits for its votes', async () => {
  process.kill(pidOf(hosts.a, 'vrrp'), 'SIGKILL');
  await directors.scene.until('somebody holds it', () => directors.holder() !== '');
  await directors.heldBy('a');
});

test('without the witness the pair goes on; without the peer too, nobody takes the address', async () => {
  await witness?.stop();
  await directors.scene.until('the votes of the pair are enough', async () => {
    const votes = await votesOf('a');
    return directors.holder() === 'a' && votes.includes('b promised') && votes.includes('witness no answer');
  });
  hosts.a.kill();
  await directors.heldBy('');
  await directors.inVain('b');
  assert.is(directors.holder(), '');
  startWitness();
  await directors.heldBy('b');
});

test.run();
