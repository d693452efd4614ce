import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { earliest, type Instant } from '../time.ts';

/** More rounds of effects than this from one event is a loop between machines: a defect, not load. */
const MAX_ROUNDS = 10_000;

/** A machine in an ensemble. */
export interface Actor<Event> {
  handle(event: Event): void;
  /** It is gone. */
  leave(): void;
}

/** Is told of one machine of an ensemble. */
export interface Account {
  /** The machine is about to be told. `nested`: while its effects are performed. */
  event(event: unknown, at: Instant, nested: boolean): void;
  timeout(at: Instant): void;
  effects(effects: readonly unknown[]): void;
}

/** Wants to know what each machine is told and answers: a recorder, or a replay. `Who` is what it knows them by. */
export interface Observer<Who, A extends Account = Account> {
  begin(who: Who, now: Instant): A;
  /** Calls `act`, in which the machine of the account is at work. */
  within(account: A, act: () => void): void;
  /** The machine is gone. */
  end(account: A): void;
}

/** A machine of a director, as an observer knows it. */
export interface Played {
  readonly kind: PlayedKind;
  /** For people. */
  readonly name: string;
  readonly machine: unknown;
}
export type PlayedKind =
  | 'router'
  | 'group'
  | 'addresses'
  | 'routing'
  | 'vmacs'
  | 'leases'
  | 'links'
  | 'ports'
  | 'announcements';

/** A machine's deadline is asked for when it may have changed: there are hundreds of them. */
interface Entry {
  due: Instant | undefined;
  /** Its machine has another deadline. */
  look(): void;
  expire(at: Instant): void;
}

/**
 * Machines that play together, as one: what one of them decides is at once an event for others. Effects of one machine
 * are performed before `handle` returns; an event that one of them causes for the same machine is handled at once, and
 * its effects follow the ones already taken.
 */
export class Ensemble<Who = Played, A extends Account = Account> {
  readonly #observer: Observer<Who, A> | undefined;
  readonly #entries = new Set<Entry>();
  #now = 0 as Instant;
  #next: Instant | undefined;

  /** `observer` is told of the machines that join with a name. */
  constructor(observer?: Observer<Who, A>) {
    this.#observer = observer;
  }

  /** The time of the event that is dealt with. */
  get now(): Instant {
    return this.#now;
  }

  /** Something happens now; never earlier than what happened before. */
  begin(now: Instant): void {
    // The text is made only where it is needed: every event comes by here.
    if (now < this.#now) assert(false, `clock back from ${this.#now} to ${now}`);
    this.#now = now;
  }

  /** Its machines were given their memories, which are of that time. */
  recall(now: Instant): void {
    this.#now = now;
    for (const entry of this.#entries) entry.look();
    this.#look();
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
    who?: Who,
  ): Actor<Event> {
    const account = who && this.#observer?.begin(who, this.#now);
    let performing = false;
    const settle = (): void => {
      if (performing) return;
      performing = true;
      try {
        let rounds = 0;
        for (let effects = machine.take(); effects.length > 0; effects = machine.take()) {
          account?.effects(effects);
          perform(effects);
          assert(++rounds < MAX_ROUNDS, 'machines answer each other without end');
        }
      } finally {
        performing = false;
      }
    };
    const entry: Entry = {
      due: machine.deadline(),
      look: () => {
        entry.due = machine.deadline();
      },
      expire: (at) => {
        if (account === undefined) {
          machine.timeout(at);
        } else {
          account.timeout(at);
          this.#observer?.within(account, () => machine.timeout(at));
        }
        settle();
        entry.due = machine.deadline();
      },
    };
    this.#entries.add(entry);
    this.#moved(undefined, entry.due);
    return {
      handle: (event) => {
        const at = this.#now;
        if (account === undefined) {
          machine.handle(event, at);
        } else {
          account.event(event, at, performing);
          this.#observer?.within(account, () => machine.handle(event, at));
        }
        settle();
        const before = entry.due;
        entry.due = machine.deadline();
        this.#moved(before, entry.due);
      },
      leave: () => {
        this.#entries.delete(entry);
        if (account !== undefined) this.#observer?.end(account);
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
