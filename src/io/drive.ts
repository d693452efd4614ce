import { assert } from '../core/assert.ts';
import type { Machine } from '../core/machine.ts';
import type { Recorder } from '../core/record/recorder.ts';
import type { Part, Track } from '../core/record/track.ts';
import { earliest, type Instant } from '../core/time.ts';
import { Alarm, now } from './clock.ts';

/** More rounds of effects than this from one event is a loop between machines: a defect, not load. */
const MAX_ROUNDS = 10_000;

/** A machine may deal with what is due in several calls; who is due again and again is looked at in the next turn. */
const MAX_DUE = 100;

/** A machine at work in a `Driver`. */
export interface Driven<Event> {
  handle(event: Event): void;
  detach(): void;
}

/** A machine's deadline is asked for when it may have changed: there are hundreds of them. */
interface Entry {
  due: Instant | undefined;
  expire(at: Instant): void;
}

/**
 * Runs machines: hands them events, performs their effects in order, and keeps one alarm for the earliest of
 * their deadlines. Effects of one machine are performed before `handle` returns; an event that one of them
 * causes for the same machine is handled at once and its effects follow the ones already taken.
 */
export class Driver {
  readonly #entries = new Set<Entry>();
  /** What the alarm is armed for. */
  #next: Instant | undefined;
  readonly #alarm = new Alarm(() => this.#expire());
  /** Records the machines that are attached as a part. */
  readonly recorder: Recorder | undefined;

  constructor(recorder?: Recorder) {
    this.recorder = recorder;
  }

  /**
   * `perform` gets the effects in the order in which they are to be done, never an empty list. `part`: the machine is
   * recorded.
   */
  attach<Event, Effect>(
    machine: Machine<Event, Effect>,
    perform: (effects: Effect[]) => void,
    part?: Part,
  ): Driven<Event> {
    const track = part && this.recorder?.begin(part, now());
    let performing = false;
    const settle = (): void => {
      if (performing) return;
      performing = true;
      try {
        let rounds = 0;
        for (let effects = machine.take(); effects.length > 0; effects = machine.take()) {
          track?.effects(effects);
          perform(effects);
          assert(++rounds < MAX_ROUNDS, 'machines answer each other without end');
        }
      } finally {
        performing = false;
      }
    };
    const entry: Entry = {
      due: machine.deadline(),
      expire: (at) => {
        track?.timeout(at);
        this.#within(track, () => machine.timeout(at));
        settle();
        entry.due = machine.deadline();
      },
    };
    this.#entries.add(entry);
    return {
      handle: (event) => {
        const at = now();
        track?.event(event, at, performing);
        this.#within(track, () => machine.handle(event, at));
        settle();
        const before = entry.due;
        entry.due = machine.deadline();
        this.#moved(before, entry.due);
      },
      detach: () => {
        this.#entries.delete(entry);
        if (track !== undefined) this.recorder?.end(track);
        this.#moved(entry.due, undefined);
      },
    };
  }

  #within(track: Track | undefined, act: () => void): void {
    if (track === undefined) act();
    else this.recorder?.within(track, act);
  }

  /** The clock is read for each machine: the effects of one may have told another a later time. */
  #expire(): void {
    let at = now();
    for (const entry of this.#entries) {
      for (let round = 0; round < MAX_DUE && entry.due !== undefined && entry.due <= at; round++) {
        at = now();
        entry.expire(at);
      }
    }
    this.#arm();
  }

  /** Only the end of the earliest deadline makes it necessary to look for the next: there are hundreds of machines. */
  #moved(before: Instant | undefined, after: Instant | undefined): void {
    if (after !== undefined && (this.#next === undefined || after <= this.#next)) {
      this.#next = after;
      this.#alarm.arm(after);
    } else if (before !== undefined && before === this.#next && after !== before) {
      this.#arm();
    }
  }

  #arm(): void {
    let next: Instant | undefined;
    for (const entry of this.#entries) next = earliest(next, entry.due);
    this.#next = next;
    this.#alarm.arm(next);
  }
}
