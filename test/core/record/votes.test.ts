import * as assert from 'uvu/assert';
import { Claims, type ClaimsEffect, type ClaimsEvent } from '../../../src/core/fence/claims.ts';
import type {
  ClaimStatus,
  PeerStatus,
  ProtectionEffect,
  ProtectionEvent,
  ProtectionSettings,
} from '../../../src/core/fence/protection-events.ts';
import { anonymous } from '../../../src/core/record/anonymous.ts';
import { Recorder } from '../../../src/core/record/recorder.ts';
import { readRecording } from '../../../src/core/record/recording.ts';
import { replay } from '../../../src/core/record/replay.ts';
import type { Room } from '../../../src/core/record/track.ts';
import { type Instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { CLAIM, Pair } from '../fence/pair.ts';
import { fileOf, RecordedMachine, recordingOf, SHORT } from './recorded.ts';

const test = suite('recordings of votes');

const MEMORIES = { memories: true };
const NAMES = {
  cluster: 'SECRET_CLUSTER',
  directors: ['secret-one', 'secret-two'],
  witness: 'secret-witness',
} as const;
const [ONE, TWO] = NAMES.directors;

/** What a director of the pair has of the claims, recorded; the pair knows it as a protection. */
class Recorded {
  readonly #claims = new Claims();
  readonly #machine: RecordedMachine<ClaimsEvent, ClaimsEffect>;

  constructor(recorder: Recorder, settings: ProtectionSettings, now: Instant) {
    const part = {
      kind: 'votes',
      name: settings.name,
      birth: {},
      memory: () => this.#claims.memory(),
    } as const;
    this.#machine = new RecordedMachine(recorder, this.#claims, part, now);
    const { name, life, cluster, directors, longest, margin, interval, witness = '' } = settings;
    const node = (each: string) => ({ name: each, addresses: [] });
    const claim = { name: CLAIM, promise: seconds(3), patient: false, onFailure: 'take' } as const;
    const whole = {
      ...{ cluster, name, longest, margin, interval, directors: directors.map(node), port: 1 },
      ...{ keyFile: '/etc/secret/key', witness: { ...node(witness), port: 2 } },
    };
    const told = { claims: [claim], cluster: whole, fencing: undefined };
    this.#machine.handle({ type: 'configure', settings: told, life, utc: 0 }, now);
  }
  handle(event: ProtectionEvent, now: Instant): void {
    this.#machine.handle(event, now);
  }
  deadline(): Instant | undefined {
    return this.#machine.deadline();
  }
  timeout(now: Instant): void {
    this.#machine.timeout(now);
  }
  take(): ProtectionEffect[] {
    return this.#machine.take().flatMap((effect): ProtectionEffect[] => {
      if (effect.type === 'send') return [effect];
      if (effect.type !== 'voted') return [];
      const { claim, event, until } = effect;
      return [event.type === 'authorised' ? { ...event, claim, until } : { ...event, claim }];
    });
  }
  claim(name: string, now: Instant): ClaimStatus {
    const { protection } = this.#claims;
    assert.ok(protection);
    return protection.claim(name, now);
  }
  peers(now: Instant): PeerStatus[] {
    return this.#claims.protection?.peers(now) ?? [];
  }
}
const recordedPair = (recorder: Recorder, names?: ConstructorParameters<typeof Pair>[0]): Pair =>
  new Pair(names, (settings, now) => new Recorded(recorder, settings, now));

/** A night of a pair: each has the votes for a while, one is cut off, one starts again, one is switched off. */
function night(room: Room): Recorder {
  const recorder = new Recorder(room);
  const pair = recordedPair(recorder, NAMES);
  const { witness } = NAMES;
  pair.pass(4);
  pair.want(ONE);
  pair.want(TWO, 120);
  pair.pass(6);
  pair.cut(ONE + TWO, ONE + witness);
  pair.pass(12);
  pair.mend();
  pair.pass(3);
  pair.boot(ONE, 'another');
  pair.pass(5);
  pair.event(TWO, { type: 'unreadable', why: 'wrong key' });
  pair.letGo(TWO);
  pair.want(ONE);
  pair.pass(2);
  pair.event(ONE, { type: 'fenced', director: TWO, at: pair.now });
  pair.event(ONE, { type: 'unfenced', director: TWO, at: pair.now, claims: [CLAIM] });
  pair.pass(2);
  const told = pair.hear();
  for (const each of ['authorised for 3.0 s', 'lost', 'challenged'])
    assert.ok(
      told.some((line) => line.endsWith(each)),
      `${each} is not in the story`,
    );
  return recorder;
}

const tracksOf = (recorder: Recorder) => recordingOf(recorder).processes.flatMap(({ tracks }) => tracks);

test('who was heard, asked and promised replays with equal effects, as a whole and from each memory', () => {
  const tracks = tracksOf(night(SHORT));
  assert.is(tracks.length, 3, 'a life each, and one more');
  for (const track of tracks) {
    const { difference, effects } = replay(track, MEMORIES);
    assert.equal(difference, undefined, track.name);
    assert.ok(effects > 20, `${effects} effects`);
    for (const index of track.segments.keys()) {
      const rest = { ...track, segments: track.segments.slice(index) };
      assert.equal(replay(rest, MEMORIES).difference, undefined, `${track.name}, segment ${index}`);
    }
  }
});

test('a memory before each event: who has only that answers the same', () => {
  let begins = 0;
  for (const track of tracksOf(night({ segment: seconds(0), segments: 1e6 }))) {
    for (const segment of track.segments) {
      assert.equal(replay({ ...track, segments: [segment] }, MEMORIES).difference, undefined, track.name);
      begins += 1;
    }
  }
  assert.ok(begins > 100, `${begins} memories`);
});

test('with other names it replays the same, and none of the old ones is left', () => {
  const lines = anonymous(fileOf(night(SHORT)));
  assert.not.match(lines.join('\n'), /secret/i);
  assert.match(lines.join('\n'), /promised to director1/);
  for (const { tracks } of readRecording(lines).processes)
    for (const track of tracks) assert.equal(replay(track).difference, undefined, track.name);
});

test('names of one letter, which stand in sentences too, stay in all places', () => {
  const recorder = new Recorder(SHORT);
  const pair = recordedPair(recorder);
  pair.pass(4);
  pair.want('a');
  pair.want('b', 120);
  pair.pass(6);
  const lines = anonymous(fileOf(recorder));
  for (const { tracks } of readRecording(lines).processes)
    for (const track of tracks) assert.equal(replay(track).difference, undefined, track.name);
});

test.run();
