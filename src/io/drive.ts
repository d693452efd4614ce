import { assert } from '../core/assert.ts';
import type { Machine } from '../core/machine.ts';
import { earliest, type Instant } from '../core/time.ts';
import { Alarm, now } from './clock.ts';

/** More rounds of effects than this from one event is a loop between machines: a defect, not load. */
const MAX_ROUNDS = 10_000;

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

  /** `perform` gets the effects in the order in which they are to be done, never an empty list. */
  attach<Event, Effect>(
    machine: Machine<Event, Effect>,
    perform: (effects: Effect[]) => void,
  ): Driven<Event> {
    let performing = false;
    const settle = (): void => {
      if (performing) return;
      performing = true;
      try {
        let rounds = 0;
        for (let effects = machine.take(); effects.length > 0; effects = machine.take()) {
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
        machine.timeout(at);
        settle();
        entry.due = machine.deadline();
      },
    };
    this.#entries.add(entry);
    return {
      handle: (event) => {
        machine.handle(event, now());
        settle();
        const before = entry.due;
        entry.due = machine.deadline();
        this.#moved(before, entry.due);
      },
      detach: () => {
        this.#entries.delete(entry);
        this.#moved(entry.due, undefined);
      },
    };
  }

  /** The clock is read for each machine: the effects of one may have told another a later time. */
  #expire(): void {
    let at = now();
    for (const entry of this.#entries) {
      if (entry.due === undefined || entry.due > at) continue;
      at = now();
      entry.expire(at);
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
