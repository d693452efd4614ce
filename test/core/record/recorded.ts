import type { Machine } from '../../../src/core/machine.ts';
import type { Recorder } from '../../../src/core/record/recorder.ts';
import { heading, type Recording, readRecording } from '../../../src/core/record/recording.ts';
import type { Part, Room, Track } from '../../../src/core/record/track.ts';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';

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

/** What was recorded, as the lines of a file. */
export function linesOf(recorder: Recorder): string[] {
  const process = { process: 'vrrp', pid: 1, at: instant(0), utc: 0, zone: 0 };
  const head = [heading('0', 'here'), process].map((value) => JSON.stringify({ value }));
  return [...head, ...recorder.lines()];
}

/** What was recorded, by way of its text. */
export const recordingOf = (recorder: Recorder): Recording => readRecording(linesOf(recorder));
