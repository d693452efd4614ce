import { Director } from '../../../src/core/director/director.ts';
import type { DirectorEffect, DirectorEvent } from '../../../src/core/director/events.ts';
import type { Machine } from '../../../src/core/machine.ts';
import type { Births } from '../../../src/core/record/machines.ts';
import { plainText } from '../../../src/core/record/plain.ts';
import type { Recorder } from '../../../src/core/record/recorder.ts';
import { heading, type Recording, readRecording } from '../../../src/core/record/recording.ts';
import type { Part, Room, Track } from '../../../src/core/record/track.ts';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';
import type { Digest } from '../../../src/core/vrrp/auth-digest.ts';

/** So short that a test has many segments, and none is thrown away. */
export const SHORT: Room = { segment: seconds(2), segments: 10_000 };

/** A machine that is recorded, as in a Driver. */
export class RecordedMachine<Event, Effect> implements Machine<Event, Effect> {
  readonly machine: Machine<Event, Effect>;
  readonly #recorder: Recorder;
  readonly #track: Track;
  /** Effects may wait to be taken. */
  #performing = false;

  constructor(recorder: Recorder, machine: Machine<Event, Effect>, part: Part, now: Instant) {
    this.machine = machine;
    this.#recorder = recorder;
    this.#track = recorder.begin(part, now);
  }

  handle(event: Event, now: Instant): void {
    this.#track.event(event, now, this.#performing);
    this.#performing = true;
    this.#recorder.within(this.#track, () => this.machine.handle(event, now));
  }

  deadline(): Instant | undefined {
    return this.machine.deadline();
  }

  timeout(now: Instant): void {
    this.#track.timeout(now);
    this.#performing = true;
    this.#recorder.within(this.#track, () => this.machine.timeout(now));
  }

  take(): Effect[] {
    const effects = this.machine.take();
    if (effects.length > 0) this.#track.effects(effects);
    else this.#performing = false;
    return effects;
  }
}

/** The lines of a recorder, each a segment. */
export const linesOf = (recorder: Recorder): string[] =>
  [...recorder.text()].join('').split('\n').slice(0, -1);

/** A director that is recorded, under whatever shell. */
export function recordedDirector(
  recorder: Recorder,
  birth: Births['director'],
  digest: Digest,
): { readonly director: Director; readonly machine: Machine<DirectorEvent, DirectorEffect> } {
  const director = new Director({ ...birth, digest: recorder.witness(digest) });
  const part = { kind: 'director', name: 'director', birth, memory: () => director.memory() } as const;
  return { director, machine: new RecordedMachine(recorder, director, part, birth.begun) };
}

/** What was recorded, as the lines of a file. */
export function fileOf(recorder: Recorder): string[] {
  const process = { process: 'vrrp', pid: 1, at: instant(0), utc: 0, zone: 0 };
  return [plainText(heading('0', 'here')), plainText(process), ...linesOf(recorder)];
}

/** What was recorded, by way of its text. */
export const recordingOf = (recorder: Recorder): Recording => readRecording(fileOf(recorder));
