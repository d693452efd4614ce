import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import type { AddressWatch } from '../lab/scene/address-watch.ts';
import { file, keepalived, operator, shows, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import type { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';
import { Directors, LONGEST_PROMISE, router, VIP } from './directors.ts';

/**
 * Planned hand-overs at adverts of one second, under 1000 requests a second: echo requests to the virtual address,
 * which the kernel of its holder answers. Beside them what keepalived makes of the same. How many fail decides; how
 * long the others wait is printed.
 */
await enclose();

const WITNESS = '10.0.0.9';
type Name = 'a' | 'b';

const test = suite('planned hand-over');
let directors: Directors<Name>;
let hosts: Directors<Name>['hosts'];
let scene: Scene;
let client: Host;
let witness: Host;
let watch: AddressWatch;

const cluster = (witnessed: boolean): string =>
  `${directors.heartbeat()}${witnessed ? `witness {\n  address ${WITNESS}\n}\n` : ''}`;

/** What became of the requests, one each millisecond: as many failed as there were milliseconds without an answer. */
interface Outcome {
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds; of those that were answered. */
  readonly longest: number;
}

/** Who is not answered sends no faster than each 10 ms, so that 1000 requests a second are of so many. */
const CLIENTS = 10;

/** What becomes of requests while something is done, and a moment before and after. */
async function underLoad(act: () => Promise<unknown>): Promise<Outcome> {
  const clients = Array.from({ length: CLIENTS }, () =>
    client.start('requests', ['ping', '-n', '-i', '0.01', '-W', '2', VIP]),
  );
  const said = clients.map(() => '');
  let answers = 0;
  for (const [i, { child }] of clients.entries())
    child.stdout?.on('data', (text: string) => {
      said[i] += text;
      answers += text.split('bytes from').length - 1;
    });
  const goOn = async (): Promise<void> => {
    const from = answers;
    await scene.until('requests are answered', () => answers > from + 300);
  };
  await goOn();
  await act();
  await goOn();
  for (const each of clients) each.signal('SIGINT');
  await scene.until('they have ended', () => clients.every(({ running }) => !running));
  const all = said.join('');
  const sums = [...all.matchAll(/(\d+) packets transmitted, (\d+) received/g)];
  assert.is(sums.length, CLIENTS);
  const total = (place: number): number => sums.reduce((sum, found) => sum + Number(found[place]), 0);
  const times = Array.from(all.matchAll(/time=([\d.]+) ms/g), ([, time]) => Number(time));
  return { requests: total(1), failed: total(1) - total(2), longest: Math.max(...times) };
}

const tell = (what: string, { requests, failed, longest }: Outcome): void =>
  console.log(`${what}: ${failed} of ${requests} requests failed, the others waited ${longest} ms at most`);

const start = (name: Name, priority: number, witnessed = false): Program =>
  vipkeeper(hosts[name], cluster(witnessed) + router(priority), '-P');
const handsOver = (name: Name): string => operator(hosts[name], 'switchover');

/** A is master and knows B. */
async function begin(witnessed = false): Promise<Record<Name, Program>> {
  const b = start('b', 100, witnessed);
  const a = start('a', 150, witnessed);
  await directors.heldBy('a');
  await scene.until('they hear each other', () => [a, b].every(({ log }) => log.includes('is heard')));
  return { a, b };
}
async function end(daemons: Partial<Record<Name, Program>>): Promise<void> {
  for (const daemon of Object.values(daemons)) await daemon.stop();
  assert.is(directors.holder(), '');
}

test.before(async () => {
  directors = new Directors(['a', 'b']);
  ({ hosts, scene } = directors);
  client = scene.host('c').on(directors.link, '10.0.0.20/24');
  witness = scene.host('w').on(directors.link, `${WITNESS}/24`);
  watch = await directors.watched();
});
test.after(() => directors.close());

test('keepalived: the master is stopped', async () => {
  const daemons = { b: keepalived(hosts.b, router(100), '-P'), a: keepalived(hosts.a, router(150), '-P') };
  await directors.heldBy('a');
  const wait = await underLoad(() => Promise.all([daemons.a.stop(), directors.heldBy('b')]));
  tell('keepalived, stopped', wait);
  await end({ b: daemons.b });
});

test('switchover, there and back: no request fails', async () => {
  const daemons = await begin();
  const there = await underLoad(async () => {
    assert.match(handsOver('a'), /^VI_1: .*b has taken over/);
    await directors.heldBy('b');
  });
  tell('switchover', there);
  assert.is(there.failed, 0);
  assert.is(watch.longestOverlap(VIP).renewals, 0, 'the first did not go on');
  assert.match(daemons.a.log, /MASTER -> BACKUP: planned hand-over to b: the operator wants it/);
  const back = await underLoad(async () => {
    assert.match(handsOver('b'), /^VI_1: .*a has taken over/);
    await directors.heldBy('a');
  });
  tell('switchover back', back);
  assert.is(back.failed, 0);
  await end(daemons);
});

test('a stop, maintenance, and a reload that gives the router up hand over too', async () => {
  const daemons = await begin();
  const maintained = await underLoad(async () => {
    assert.match(operator(hosts.a, 'maintenance', 'on'), /has taken over/);
    await directors.heldBy('b');
  });
  tell('maintenance on', maintained);
  assert.is(maintained.failed, 0);
  operator(hosts.a, 'maintenance', 'off');
  // It preempts again, as it is configured to.
  await directors.heldBy('a');
  file(
    hosts.a,
    'vipkeeper.conf',
    cluster(false) + router(150).replace('router_id 51', 'router_id 52').replace(VIP, '10.0.0.101'),
  );
  const reloaded = await underLoad(async () => {
    operator(hosts.a, 'reload');
    await directors.heldBy('b');
  });
  tell('reload without the router', reloaded);
  assert.is(reloaded.failed, 0);
  file(hosts.a, 'vipkeeper.conf', cluster(false) + router(150));
  operator(hosts.a, 'reload');
  await directors.heldBy('a');
  const stopped = await underLoad(() => Promise.all([daemons.a.stop(), directors.heldBy('b')]));
  tell('stop', stopped);
  assert.is(stopped.failed, 0);
  await end({ b: daemons.b });
});

test('nobody ready: the operator hears why, and nothing is changed', async () => {
  const daemons = await begin();
  operator(hosts.b, 'maintenance', 'on', '--no-wait');
  await shows(hosts.b, /FAULT/);
  assert.throws(
    () => handsOver('a'),
    /VI_1: nobody takes over: b: its VI_1 is FAULT: the operator wants this/,
  );
  assert.is(directors.holder(), 'a');
  operator(hosts.b, 'maintenance', 'off');
  await end(daemons);
});

test('with votes two never hold it, and the next one has it at once', async () => {
  const votes = witness.start('witness', [
    join(ROOT, 'bin/vipkeeper-witness'),
    '--keys',
    directors.folder,
    '--longest',
    String(LONGEST_PROMISE),
  ]);
  const daemons = await begin(true);
  const from = watch.moments.length;
  const wait = await underLoad(async () => {
    assert.match(handsOver('a'), /^VI_1: .*b has taken over/);
    await directors.heldBy('b');
  });
  tell('switchover with votes', wait);
  const moments = watch.moments.slice(from).filter(({ address }) => address === VIP);
  const gone = moments.findIndex(({ host, present }) => host === 'a' && !present);
  const came = moments.findIndex(({ host, present }) => host === 'b' && present);
  assert.ok(gone >= 0 && gone < came, 'it is gone here before it is there');
  const gap = (moments[came]?.at ?? 0) - (moments[gone]?.at ?? 0);
  console.log(`with votes nobody had the address for ${gap.toFixed(1)} ms`);
  await end(daemons);
  await votes.stop();
});

test('beside keepalived it is the standard way', async () => {
  const peer = keepalived(hosts.b, router(100), '-P');
  const ours = vipkeeper(hosts.a, router(150), '-P');
  await directors.heldBy('a');
  const wait = await underLoad(async () => {
    assert.match(handsOver('a'), /^VI_1: given up for whoever takes it\n.*10\.0\.0\.2 has taken over/);
    await directors.heldBy('b');
  });
  tell('switchover beside keepalived', wait);
  await end({ a: ours, b: peer });
});

test.run();
