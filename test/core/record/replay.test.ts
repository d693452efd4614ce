import * as assert from 'uvu/assert';
import { BfdSession } from '../../../src/core/bfd/session.ts';
import { toHex } from '../../../src/core/bytes.ts';
import { internetChecksum } from '../../../src/core/checksum.ts';
import type { Director } from '../../../src/core/director/director.ts';
import { type DirectorEvent, NO_SETTINGS } from '../../../src/core/director/events.ts';
import type { Router } from '../../../src/core/director/router.ts';
import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import { anonymous } from '../../../src/core/record/anonymous.ts';
import { Onlooker } from '../../../src/core/record/onlooker.ts';
import { plainText } from '../../../src/core/record/plain.ts';
import { Recorder } from '../../../src/core/record/recorder.ts';
import { type RecordedTrack, readRecording } from '../../../src/core/record/recording.ts';
import { type Replayed, replay } from '../../../src/core/record/replay.ts';
import type { Room, Segment } from '../../../src/core/record/track.ts';
import { after, millis, seconds, since, toSeconds } from '../../../src/core/time.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { digest } from '../../../src/io/digest.ts';
import { repetitions } from '../../repetitions.ts';
import { ROUTERS } from '../../sim/regression.ts';
import { type Day, drawDay } from '../../sim/scenario.ts';
import { simulate } from '../../sim/simulate.ts';
import { suite } from '../../suite.ts';
import { SETTINGS as BFD } from '../bfd/neighbor.ts';
import { DOWN, instance, link, prefix, Shell } from '../director/shell.ts';
import { at, PEER, SETTINGS } from '../vrrp/router.ts';
import { fileOf, RecordedMachine, recordingOf, SHORT } from './recorded.ts';

const test = suite('replay');

const MEMORIES = { memories: true };
const SEEDS = [3, 5, 6, 7];
/** On the first of these days a director listens longer after a stall. */
const EVERY_EVENT = [ROUTERS.read('sleeper-takes-over')?.day, drawDay(3)];

function recordedDay(day: Day | undefined, room: Room): RecordedTrack[] {
  assert.ok(day !== undefined);
  const recorder = new Recorder(room);
  // A planned hand-over of one router is no event of its director.
  const operations = day.operations.filter(({ kind }) => kind !== 'resign');
  assert.is(simulate({ ...day, operations }, { recorder }).failure, undefined);
  return recordingOf(recorder).processes.flatMap(({ tracks }) => tracks);
}

test('bad days of the simulator replay with equal effects, from the birth and from each memory', () => {
  let [entries, begins] = [0, 0];
  const seeds = SEEDS.slice(0, repetitions(SEEDS.length));
  for (const seed of seeds) {
    for (const track of recordedDay(drawDay(seed), SHORT)) {
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
  const enough = entries > 100 * seeds.length && begins > 10 * seeds.length;
  assert.ok(enough, `${seeds.length} days: ${entries} events, ${begins} segments`);
});

test('a memory before each event: the director that has it answers the same', () => {
  let [listened, begins] = [0, 0];
  for (const day of EVERY_EVENT.slice(0, repetitions(EVERY_EVENT.length))) {
    for (const track of recordedDay(day, { segment: seconds(0), segments: 1e6 })) {
      for (const segment of track.segments) {
        const { difference } = replay({ ...track, segments: [segment] }, MEMORIES);
        assert.equal(difference, undefined, `seed ${day?.seed}`);
        begins += 1;
        if ('memory' in segment.base)
          listened += Number(plainText(segment.base.memory).includes('"listens":1'));
      }
    }
  }
  assert.ok(begins > 500 && listened > 0, `${begins} memories, ${listened} while it listened after a stall`);
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
      for (const index of track.segments.keys()) {
        const rest = { ...track, segments: track.segments.slice(index) };
        assert.equal(
          replay(rest, MEMORIES).difference,
          undefined,
          `${what}, ${track.name}, segment ${index}`,
        );
      }
    }
  }
  const other = anonymous(fileOf(recorder));
  for (const { tracks } of readRecording(other).processes)
    for (const track of tracks) assert.equal(replay(track).difference, undefined, `${what}, ${track.name}`);
  assert.not.match(other.join(), OWN);
  return [...new Set(told)].sort();
}

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
  assert.equal(replaysAlike(recorder, 'a director'), ['director']);
});

test('a BFD session replays with equal effects, from the birth and from each memory', () => {
  const recorder = new Recorder(SHORT);
  const birth = { settings: BFD, discriminator: 7, seed: 9 };
  const session = new BfdSession(birth.settings, birth.discriminator, new Prng(birth.seed));
  const part = { kind: 'bfd', name: 'b', birth, memory: () => session.memory() } as const;
  const machine = new RecordedMachine(recorder, session, part, at(0));
  let now = at(0);
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

/** A director with one router that becomes master, and is recorded until 10 s. */
function master(settings: VrrpSettings = SETTINGS, room?: Room): Recorder {
  const recorder = new Recorder(room);
  new Shell({ recorder, digest }).configure([settings]).until(10);
  return recorder;
}

const trackOf = (recorder: Recorder): RecordedTrack => {
  const [track] = recordingOf(recorder).processes[0]?.tracks ?? [];
  assert.ok(track !== undefined);
  return track;
};

const routerOf = ({ machine }: Replayed): Router => {
  const [router] = (machine as unknown as Director).routers.values();
  assert.ok(router !== undefined);
  return router;
};

test('the state at an instant: what came later is not fed', () => {
  const track = trackOf(master());
  const stateAt = (s: number): string => routerOf(replay(track, { until: at(s) })).state;
  assert.equal([1, 3.6, 3.7].map(stateAt), ['BACKUP', 'BACKUP', 'MASTER']);
});

test('what the machines within it are told can be watched', () => {
  const seen: string[] = [];
  const observer = new Onlooker(({ kind, name }, entry, time, item) => {
    if (kind === 'router' && entry === 'effects')
      for (const { type } of item as { type: string }[])
        seen.push(`${name} ${toSeconds(since(time, at(0)))} ${type}`);
  });
  replay(trackOf(master()), { until: at(3.7), observer });
  assert.ok(
    seen.includes('VI_1 3.609375 transition') && seen.includes('VI_1 3.609375 send'),
    seen.join('; '),
  );
});

/** The same, had it been configured otherwise. */
const configuredOtherwise = (track: RecordedTrack, more: Partial<VrrpSettings>): Segment[] =>
  track.segments.map((segment) => ({
    ...segment,
    items: segment.items.map((item) =>
      (item as DirectorEvent).type === 'configure'
        ? { ...(item as object), settings: { ...NO_SETTINGS, instances: [{ ...SETTINGS, ...more }] } }
        : item,
    ),
  }));

test('a machine that answers something else than was recorded is found, with both answers', () => {
  const track = trackOf(master());
  const { difference } = replay({ ...track, segments: configuredOtherwise(track, { plainChecksum: true }) });
  assert.is(difference?.what, 'its effects');
  assert.is(difference?.at, at(3.609375));
  const [recorded, replayed] = [difference?.recorded, difference?.replayed] as { payload?: Uint8Array }[][];
  const adverts = [recorded, replayed].map((effects) => effects?.find(({ payload }) => payload)?.payload);
  assert.equal(
    adverts.map((payload) => internetChecksum(payload ?? new Uint8Array()) === 0),
    [false, true],
  );
});

test('a packet is recorded as it was when it came: its buffer is used again for the next', () => {
  const recorder = new Recorder();
  const shell = new Shell({ recorder }).configure([SETTINGS]);
  const buffer = new Uint8Array(64);
  for (const [i, priority] of [200, 0].entries()) {
    shell.until(1 + i).advert(priority, SETTINGS, PEER, buffer);
  }
  const outcome = replay(trackOf(recorder), { until: at(1.5) });
  assert.equal(outcome.difference, undefined);
  assert.is(routerOf(outcome).status().master?.priority, 200);
});

test('so is one that answers nothing, or another memory', () => {
  const track = trackOf(master(SETTINGS, SHORT));
  const lower = configuredOtherwise(track, { priority: 1 });
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
    const text = [...recorder.text()].join('');
    for (const key of ['geheim12', toHex(new TextEncoder().encode('geheim12')), '5ec2e7'])
      assert.not.ok(text.includes(key), `${key} is in the recording`);
    const { difference, effects } = replay(trackOf(recorder));
    assert.equal(difference, undefined);
    assert.ok(effects > 5);
  }
});

test('what was recorded longest ago goes first, and the rest replays from a memory', () => {
  const recorder = new Recorder({ segment: seconds(2), segments: 2 });
  new Shell({ recorder }).configure([SETTINGS]).until(100);
  const track = trackOf(recorder);
  assert.is(track.segments.length, 2);
  assert.ok((track.segments[0]?.start ?? 0) > at(90));
  const { difference, effects } = replay(track, MEMORIES);
  assert.equal(difference, undefined);
  assert.ok(effects >= 2);
});

test.run();
