import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { HeartbeatCodec } from '../../src/core/fence/heartbeat-codec.ts';
import { seconds } from '../../src/core/time.ts';
import { readKey } from '../../src/io/keyring.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { compiled } from '../lab/engine/root.ts';
import { operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { suite } from '../suite.ts';
import { CLUSTER, Directors, router, VIP } from './directors.ts';

/**
 * As many forged and recorded heartbeats as a stranger can send, fifty thousand a second at most, at a director that is
 * master by the votes of three.
 */
await enclose();

const RATE = 50_000;
const PORT = 5406;
type Name = 'a' | 'b' | 'c';
const REASONS = ['wrong key', 'not a heartbeat', 'replayed'];

const test = suite('forged heartbeats');
let directors: Directors<Name>;
let hosts: Directors<Name>['hosts'];
let stranger: Host;
let daemon: Program;

test.before(async () => {
  directors = new Directors(['a', 'b', 'c']);
  hosts = directors.hosts;
  const start = (name: Name, priority: number): Program =>
    vipkeeper(hosts[name], `${directors.heartbeat()}${router(priority)}`, '-P');
  daemon = start('a', 150);
  start('b', 140);
  start('c', 130);
  stranger = directors.scene.host('stranger').on(directors.link, '10.0.0.9/24');
  await directors.heldBy('a');
});
test.after(() => directors.close());

/**
 * What a stranger would like a to believe: that b asks for its vote, and that nobody holds it. Of its own making, and
 * what b may have said before its last start: whole, and cut.
 */
function forged(): string[] {
  const { folder } = directors;
  const codec = (key: string): HeartbeatCodec => new HeartbeatCodec(CLUSTER, readKey(key));
  const guessed = codec(directors.secret('other', 'what a stranger thinks it is'));
  const genuine = codec(join(folder, `${CLUSTER}.key`));
  const claim = 'vrrp_instance VI_1';
  const words = [
    { type: 'release', claim, number: 2 ** 40 },
    { type: 'ask', claim, number: 2 ** 40, duration: seconds(3), priority: 254 },
  ] as const;
  const head = { from: 'b', to: 'a', life: 'forged', number: 2 ** 40, heard: [], utc: 0 };
  const taped = Array.from({ length: 40 }, (_, i) => ({ ...head, life: 'yesterday', number: i + 1, words }));
  const recorded = taped.flatMap((heartbeat) => genuine.write(heartbeat));
  const datagrams = [
    ...guessed.write({ ...head, words }),
    new Uint8Array(120).fill(7),
    ...recorded,
    ...recorded.slice(0, 3).map((datagram, i) => datagram.subarray(0, datagram.length - 1 - 20 * i)),
  ];
  return datagrams.map((datagram, i) => {
    const file = join(folder, `forged-${i}`);
    writeFileSync(file, datagram);
    return file;
  });
}

test('are counted and told once for each reason; nothing changes, and adverts go on', async () => {
  const advertsSent = async (): Promise<number> =>
    (await statusOf(hosts.a))?.vrrp?.instances[0]?.statistics.advertsSent ?? 0;
  const flood = stranger.start('flood', [
    process.execPath,
    compiled('test/lab/programs/flood.ts'),
    ...[directors.address('a'), String(PORT), String(RATE)],
    ...forged(),
  ]);
  const dropped = async (): Promise<Readonly<Record<string, number>>> =>
    (await statusOf(hosts.a))?.vrrp?.votes?.dropped ?? {};
  await directors.scene.until('all kinds are counted', async () => {
    const counts = await dropped();
    return REASONS.every((reason) => (counts[reason] ?? 0) > 1000);
  });
  const [before, at] = [await advertsSent(), Date.now()];
  await directors.scene.until(
    'ten adverts were sent meanwhile',
    async () => (await advertsSent()) >= before + 10,
  );
  const took = (Date.now() - at) / 1000;
  const said = flood.log.trim().split('\n').at(-1);
  const counts = await dropped();
  await flood.stop('SIGKILL');
  const sum = Object.values(counts).reduce((all, each) => all + each, 0);
  console.log(
    `${said}; ${sum} read and dropped, the rest by the kernel; ten adverts in ${took.toFixed(1)} s`,
  );
  assert.ok(hosts.a.has(VIP));
  for (const name of ['b', 'c'] as const) assert.not.ok(hosts[name].has(VIP), `${name} has taken nothing`);
  const [instance] = (await statusOf(hosts.a))?.vrrp?.instances ?? [];
  assert.is(instance?.statistics.becameMaster, 1, 'it was master all the time');
  for (const reason of REASONS)
    assert.is(daemon.log.match(new RegExp(`dropped 1 heartbeat: ${reason}`, 'g'))?.length, 1, reason);
  assert.match(operator(hosts.a, 'status'), /dropped heartbeats: .*wrong key \d+/);
});

test.run();
