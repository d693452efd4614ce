import { after, type Duration, type Instant } from '../time.ts';

/**
 * A planned hand-over has two masters for a moment: who lets go serves until it knows that the other one does. So long
 * neither gives way to the other, whatever the priorities are, nor contests what it hears.
 */
export class Truce {
  #until: Instant | undefined;

  memory(): Instant | undefined {
    return this.#until;
  }

  recall(until: Instant | undefined): void {
    this.#until = until;
  }

  begin(length: Duration, now: Instant): void {
    this.#until = after(now, length);
  }

  end(): void {
    this.#until = undefined;
  }

  /** Whether another master is left alone now. */
  holds(now: Instant): boolean {
    return this.#until !== undefined && now < this.#until;
  }
}
