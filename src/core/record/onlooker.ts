import type { Account, Observer, Played } from '../director/ensemble.ts';
import type { Instant } from '../time.ts';
import type { EntryKind } from './track.ts';

type Tell = (who: Played, kind: EntryKind, at: Instant, item: unknown) => void;

/** Looks on while a director decides again: tells what each machine within it is told, and what it answers. */
export class Onlooker implements Observer<Played> {
  readonly #tell: Tell;
  #now = 0 as Instant;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  begin(who: Played): Account {
    return {
      event: (event, at, nested) => this.#say(who, nested ? 'nested' : 'event', at, event),
      timeout: (at) => this.#say(who, 'timeout', at, undefined),
      // Effects are of the time at which something was told.
      effects: (effects) => this.#say(who, 'effects', this.#now, effects),
    };
  }

  within(_account: Account, act: () => void): void {
    act();
  }

  end(): void {
    // Who is gone says nothing more.
  }

  #say(who: Played, kind: EntryKind, at: Instant, item: unknown): void {
    this.#now = at;
    this.#tell(who, kind, at, item);
  }
}
