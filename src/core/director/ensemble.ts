import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Part } from '../record/track.ts';
import { earliest, type Instant } from '../time.ts';

/** More rounds of effects than this from one event is a loop between machines: a defect, not load. */
const MAX_ROUNDS = 10_000;

/** A machine in an ensemble. */
export interface Actor<Event> {
  handle(event: Event): void;
  /** It is gone. */
  leave(): void;
}

/** A machine's deadline is asked for when it may have changed: there are hundreds of them. */
interface Entry {
  due: Instant | undefined;
  expire(at: Instant): void;
}

/**
 * Machines that play together, as one: what one of them decides is at once an event for others. Effects of one machine
 * are performed before `handle` returns; an event that one of them causes for the same machine is handled at once, and
 * its effects follow the ones already taken.
 */
export class Ensemble {
  readonly recorder: Recorder | undefined;
  readonly #entries = new Set<Entry>();
  #now = 0 as Instant;
  #next: Instant | undefined;

  /** `recorder` records the machines that are a `part`. */
  constructor(recorder?: Recorder) {
    this.recorder = recorder;
  }

  /** The time of the event that is dealt with. */
  get now(): Instant {
    return this.#now;
  }

  /** Something happens now; never earlier than what happened before. */
  begin(now: Instant): void {
    assert(now >= this.#now, `clock back from ${this.#now} to ${now}`);
    this.#now = now;
  }

  deadline(): Instant | undefined {
    return this.#next;
  }

  /** The earliest of those whose time has come: its effects are done before the next one's turn. */
  timeout(now: Instant): void {
    this.begin(now);
    let first: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.due !== undefined && entry.due <= now && (first?.due === undefined || entry.due < first.due))
        first = entry;
    }
    first?.expire(now);
    this.#look();
  }

  /** `perform` gets the effects in the order in which they are to be done, never an empty list. */
  join<Event, Effect>(
    machine: Machine<Event, Effect>,
    perform: (effects: readonly Effect[]) => void,
    part?: Part,
  ): Actor<Event> {
    const track = part && this.recorder?.begin(part, this.#now);
    const within = (act: () => void): void => {
      if (track === undefined) act();
      else this.recorder?.within(track, act);
    };
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
        within(() => machine.timeout(at));
        settle();
        entry.due = machine.deadline();
      },
    };
    this.#entries.add(entry);
    this.#moved(undefined, entry.due);
    return {
      handle: (event) => {
        const at = this.#now;
        track?.event(event, at, performing);
        within(() => machine.handle(event, at));
        settle();
        const before = entry.due;
        entry.due = machine.deadline();
        this.#moved(before, entry.due);
      },
      leave: () => {
        this.#entries.delete(entry);
        if (track !== undefined) this.recorder?.end(track);
        this.#moved(entry.due, undefined);
      },
    };
  }

  /** Only the end of the earliest deadline makes it necessary to look for the next. */
  #moved(before: Instant | undefined, after: Instant | undefined): void {
    if (after !== undefined && (this.#next === undefined || after <= this.#next)) this.#next = after;
    else if (before !== undefined && before === this.#next && after !== before) this.#look();
  }

  #look(): void {
    let next: Instant | undefined;
    for (const { due } of this.#entries) next = earliest(next, due);
    this.#next = next;
  }
}
