import * as assert from 'uvu/assert';
import { BfdSession } from '../../../src/core/bfd/session.ts';
import { toHex } from '../../../src/core/bytes.ts';
import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import { anonymous } from '../../../src/core/record/anonymous.ts';
import { Recorder } from '../../../src/core/record/recorder.ts';
import { type RecordedTrack, readRecording } from '../../../src/core/record/recording.ts';
import { replay } from '../../../src/core/record/replay.ts';
import type { Room } from '../../../src/core/record/track.ts';
import { after, type Instant, instant, millis, seconds } from '../../../src/core/time.ts';
import type { Digest } from '../../../src/core/vrrp/auth-digest.ts';
import { VrrpInstance } from '../../../src/core/vrrp/instance.ts';
import { encodeAdvert, VRRP_GROUP, VRRP_TTL } from '../../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { digest } from '../../../src/io/digest.ts';
import type { VrrpMachine } from '../../sim/host.ts';
import { readRegression } from '../../sim/regression.ts';
import { drawDay } from '../../sim/scenario.ts';
import { simulate } from '../../sim/simulate.ts';
import { suite } from '../../suite.ts';
import { SETTINGS as BFD } from '../bfd/neighbor.ts';
import { DOWN, instance, link, prefix, Shell } from '../director/shell.ts';
import { SETTINGS } from '../vrrp/router.ts';
import { linesOf, RecordedMachine, recordingOf, SHORT } from './recorded.ts';

const test = suite('replay');

/** A router of the simulator, recorded from its first event on. */
class RecordedRouter extends RecordedMachine<
  Parameters<VrrpInstance['handle']>[0],
  ReturnType<VrrpInstance['take']>[number]
> {
  readonly #instance: VrrpInstance;

  constructor(recorder: Recorder, settings: VrrpSettings, digest?: Digest) {
    const instance = new VrrpInstance(settings, digest && recorder.witness(digest));
    const part = { kind: 'router', name: settings.name, birth: settings, memory: () => instance.memory() };
    super(recorder, instance, part, instant(0));
    this.#instance = instance;
  }

  get state(): VrrpMachine['state'] {
    return this.#instance.state;
  }
  get advertLeft(): boolean {
    return this.#instance.advertLeft;
  }
  isStale(now: Instant): boolean {
    return this.#instance.isStale(now);
  }
  status(): ReturnType<VrrpMachine['status']> {
    return this.#instance.status();
  }
  memory(): ReturnType<VrrpMachine['memory']> {
    return this.#instance.memory();
  }
}

const MEMORIES = { memories: true };
const SEEDS = 5;
const EVERY_EVENT = [drawDay(1), drawDay(2), readRegression('sleeper-takes-over')?.day];

test('bad days of the simulator replay with equal effects, from the birth and from each memory', () => {
  let [entries, begins] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const recorder = new Recorder(SHORT);
    const { failure } = simulate(drawDay(seed), {
      make: (settings) => new RecordedRouter(recorder, settings),
    });
    assert.is(failure, undefined);
    for (const track of recordingOf(recorder).processes.flatMap(({ tracks }) => tracks)) {
      const { difference, events } = replay(track, MEMORIES);
      assert.equal(difference, undefined, `seed ${seed}, ${track.name}`);
      entries += events;
      // Each memory is compared on the way: the replay from one of them has to come to the same end.
      const middle = track.segments.slice(Math.floor(track.segments.length / 2));
      assert.equal(
        replay({ ...track, segments: middle }, MEMORIES).difference,
        undefined,
        `seed ${seed}, from the middle`,
      );
      for (const segment of track.segments)
        assert.equal(replay({ ...track, segments: [segment] }, MEMORIES).difference, undefined);
      begins += track.segments.length;
    }
  }
  assert.ok(entries > 1000 && begins > 500, `${entries} events, ${begins} segments`);
});

/** What a neighbour says. */
const SPOKEN = {
  diagnostic: 'no diagnostic',
  poll: false,
  final: false,
  demand: false,
  multiplier: 3,
  mine: 8,
  yours: 7,
  minTx: millis(200),
  minRx: millis(200),
} as const;

/** Names and addresses of the tests' own: of interfaces, routers, hosts, their hardware. */
const OWN = /eth0|vip0|VI_1|10\.0\.0\.|192\.0\.2\.|02:00:00:00:00:0[12]/;

/** Replays a recording as a whole, from each of its memories, and with other names. */
function replaysAlike(recorder: Recorder, what: string): string[] {
  const told: string[] = [];
  for (const { tracks } of recordingOf(recorder).processes) {
    for (const track of tracks) {
      const { difference, events } = replay(track, MEMORIES);
      assert.equal(difference, undefined, `${what}, ${track.name}`);
      if (events > 0) told.push(track.kind);
      for (const at of track.segments.keys()) {
        const rest = { ...track, segments: track.segments.slice(at) };
        assert.equal(replay(rest, MEMORIES).difference, undefined, `${what}, ${track.name}, segment ${at}`);
      }
    }
  }
  const other = anonymous(linesOf(recorder));
  for (const { tracks } of readRecording(other).processes)
    for (const track of tracks) assert.equal(replay(track).difference, undefined, `${what}, ${track.name}`);
  assert.not.match(other.join(), OWN);
  return [...new Set(told)].sort();
}

test('directors of the simulator: each machine in them replays with equal effects', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const recorder = new Recorder(SHORT);
    assert.is(simulate(drawDay(seed), { recorder }).failure, undefined);
    const kinds = replaysAlike(recorder, `seed ${seed}`);
    for (const kind of ['addresses', 'links', 'ports', 'announcements', 'router'])
      assert.ok(kinds.includes(kind), `${seed}: ${kinds}`);
  }
});

test('a director with routes, rules and an interface of its own replays with equal effects', () => {
  const recorder = new Recorder(SHORT);
  const shell = new Shell({ recorder });
  const plain = { table: 254, scope: 0, type: 1, protocol: 18, tracked: true } as const;
  const routes = [{ destination: prefix('192.0.2.0/24'), via: ip('10.0.0.1'), ...plain }];
  const rules = [{ rule: { family: 4, priority: 7, table: 100, protocol: 18 }, tracked: true } as const];
  const sort = { kind: 'macvlan', mac: '00:00:5e:00:01:33' } as const;
  const apart = instance({ name: 'VI_2', vrid: 52, virtual: { name: 'vrrp.52', sort } });
  shell.configure([instance(), apart], { routing: [{ instance: 'VI_1', routes, rules }] }).until(6);
  shell.tables.failures.push(22, 22);
  shell.hear(link(1, 'eth0', DOWN)).until(9);
  shell.hear(link(1, 'eth0')).until(16);
  shell.unsent = 'EPERM';
  shell.until(22).unsent = undefined;
  shell.until(30).advert(250);
  shell.until(40).configure([instance()]).until(45);
  const kinds = replaysAlike(recorder, 'a director');
  assert.equal(kinds, ['addresses', 'announcements', 'links', 'ports', 'router', 'routing', 'vmacs']);
});

test('a BFD session replays with equal effects, from the birth and from each memory', () => {
  const recorder = new Recorder(SHORT);
  const birth = { settings: BFD, discriminator: 7, seed: 9 };
  const session = new BfdSession(birth.settings, birth.discriminator, new Prng(birth.seed));
  const part = { kind: 'bfd', name: 'b', birth, memory: () => session.memory() };
  const machine = new RecordedMachine(recorder, session, part, instant(0));
  let now = instant(0);
  const settle = (): void => {
    while (machine.take().length > 0);
  };
  machine.handle({ type: 'start' }, now);
  settle();
  for (let turn = 0; turn < 3000; turn++) {
    now = after(now, millis(10));
    const due = machine.deadline();
    if (due !== undefined && due <= now) machine.timeout(now);
    settle();
    // The neighbour is silent for a while in the middle.
    if (turn % 20 === 0 && (turn < 1000 || turn > 2000)) {
      const state = turn % 1000 < 100 ? 'Init' : 'Up';
      machine.handle({ type: 'packet', packet: { ...SPOKEN, state } }, now);
      settle();
    }
    if (turn === 2500) machine.handle({ type: 'change', settings: { ...BFD, minTx: millis(50) } }, now);
    settle();
  }
  assert.ok(session.status().wentUp >= 2 && session.status().wentDown >= 1);
  assert.equal(replaysAlike(recorder, 'BFD'), ['bfd']);
});

/** A router that becomes master, and is recorded until 10 s. */
function master(settings: VrrpSettings = SETTINGS, room?: Room): Recorder {
  const recorder = new Recorder(room);
  const router = new RecordedRouter(recorder, settings, digest);
  const settle = (): void => {
    while (router.take().length > 0);
  };
  router.handle({ type: 'clock', utc: 1.7e15 }, instant(0));
  router.handle({ type: 'link', up: true, source: ip('10.0.0.5'), why: 'eth0 is up' }, instant(0));
  settle();
  router.handle({ type: 'start' }, instant(0));
  settle();
  for (let due = router.deadline(); due !== undefined && due < instant(1e7); due = router.deadline()) {
    router.timeout(due);
    settle();
  }
  return recorder;
}

const trackOf = (recorder: Recorder): RecordedTrack => {
  const [track] = recordingOf(recorder).processes[0]?.tracks ?? [];
  assert.ok(track !== undefined);
  return track;
};

test('a memory before each event: the machine that has it answers the same', () => {
  let listened = 0;
  for (const day of EVERY_EVENT) {
    if (day === undefined) throw new RangeError('no such day');
    const { seed } = day;
    const recorder = new Recorder({ segment: seconds(0), segments: 1e6 });
    simulate(day, { make: (settings) => new RecordedRouter(recorder, settings) });
    for (const track of recordingOf(recorder).processes.flatMap(({ tracks }) => tracks)) {
      for (const segment of track.segments) {
        assert.equal(
          replay({ ...track, segments: [segment] }, MEMORIES).difference,
          undefined,
          `seed ${seed}`,
        );
        if ('memory' in segment.base)
          listened += Number(JSON.stringify(segment.base.memory).includes('"listens":1'));
      }
    }
  }
  assert.ok(listened > 0, 'some were recorded while they listened after a stall');
});

test('the state at an instant: what came later is not fed', () => {
  const track = trackOf(master());
  const stateAt = (s: number): unknown =>
    (replay(track, { until: instant(s * 1e6) }).machine as unknown as VrrpInstance).state;
  assert.equal([1, 3.6, 3.7].map(stateAt), ['BACKUP', 'BACKUP', 'MASTER']);
});

test('a machine that answers something else than was recorded is found, with both answers', () => {
  const track = trackOf(master());
  const other = track.segments.map((segment) => ({
    ...segment,
    base: { ...segment.base, birth: { ...SETTINGS, vrid: 52 } },
  }));
  const { difference } = replay({ ...track, segments: other });
  assert.is(difference?.what, 'its effects');
  assert.is(difference?.at, 3_609_375);
  const [recorded, replayed] = [difference?.recorded, difference?.replayed] as { payload: Uint8Array }[][];
  assert.equal([recorded?.[0]?.payload[1], replayed?.[0]?.payload[1]], [51, 52]);
});

test('a packet is recorded as it was when it came: its buffer is used again for the next', () => {
  const recorder = new Recorder();
  const router = new RecordedRouter(recorder, SETTINGS);
  router.handle({ type: 'link', up: true, source: ip('10.0.0.5'), why: 'eth0 is up' }, instant(0));
  router.take();
  router.handle({ type: 'start' }, instant(0));
  while (router.take().length > 0);
  const [source, destination] = [ip('10.0.0.1'), VRRP_GROUP[4]];
  const sent = (priority: number): Uint8Array => {
    const { version, vrid, advertInterval: interval } = SETTINGS;
    const addresses = [ip('10.0.0.100')];
    return encodeAdvert({ version, vrid, priority, interval, addresses }, { source, destination });
  };
  const buffer = new Uint8Array(64);
  for (const [i, priority] of [200, 0].entries()) {
    buffer.set(sent(priority));
    const payload = buffer.subarray(0, sent(priority).length);
    router.handle({ type: 'packet', payload, source, destination, ttl: VRRP_TTL }, instant(1e6 * (i + 1)));
    while (router.take().length > 0);
  }
  const { difference, machine } = replay(trackOf(recorder), { until: instant(1.5e6) });
  assert.equal(difference, undefined);
  assert.is((machine as unknown as VrrpInstance).status().master?.priority, 200);
});

test('so is one that answers nothing, or another memory', () => {
  const track = trackOf(master(SETTINGS, SHORT));
  const lower = track.segments.map((segment) => ({
    ...segment,
    base: { birth: { ...SETTINGS, priority: 1 } },
  }));
  assert.is(replay({ ...track, segments: lower }).difference?.what, 'its effects');
  const forged = track.segments.map((segment, i) =>
    i < 2 || !('memory' in segment.base) ? segment : { ...segment, base: { ...segment.base, memory: {} } },
  );
  assert.is(replay({ ...track, segments: forged }, MEMORIES).difference?.what, 'its memory');
});

test('no key is in a recording, and it replays: PASS, AH, auth_hmac', () => {
  const secret = '5ec2e7'.padEnd(64, '0');
  const hmac = {
    keys: [{ id: 1, secret }],
    activeKey: 1,
    mode: 'enforce',
    antiReplay: 'time',
    window: seconds(5),
  } as const;
  const v2 = { ...SETTINGS, version: 2 } as const;
  for (const settings of [
    { ...v2, password: 'geheim12' },
    { ...v2, ah: 'geheim12' },
    { ...SETTINGS, hmac },
  ]) {
    const recorder = master(settings, SHORT);
    const text = [...recorder.lines()].join('\n');
    for (const key of ['geheim12', toHex(new TextEncoder().encode('geheim12')), '5ec2e7'])
      assert.not.ok(text.includes(key), `${key} is in the recording`);
    const { difference, effects } = replay(trackOf(recorder));
    assert.equal(difference, undefined);
    assert.ok(effects > 5);
  }
});

test('what was recorded longest ago goes first, and the rest replays from a memory', () => {
  const recorder = new Recorder({ segment: seconds(2), segments: 2 });
  const router = new RecordedRouter(recorder, SETTINGS);
  router.handle({ type: 'link', up: true, source: ip('10.0.0.5'), why: 'eth0 is up' }, instant(0));
  router.take();
  router.handle({ type: 'start' }, instant(0));
  for (let s = 0; s < 100; s++) {
    while (router.take().length > 0);
    router.timeout(router.deadline() ?? instant(0));
  }
  while (router.take().length > 0);
  const track = trackOf(recorder);
  assert.is(track.segments.length, 2);
  assert.ok((track.segments[0]?.start ?? 0) > 9e7);
  const { difference, effects } = replay(track, MEMORIES);
  assert.equal(difference, undefined);
  assert.ok(effects >= 2);
});

test.run();
