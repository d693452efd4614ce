import { after, type Duration, type Instant, micros, millis, since } from '../time.ts';

/** How often the process looks at the clock while something is waited for. */
export const BEAT = millis(50);
/** A look that is later than this says that the process stood still; less is a busy machine. */
const STALL = millis(500);

/**
 * How long a process stood still: stopped, in a virtual machine that was paused, or at work on something else. It looks
 * at the clock each `BEAT` while it waits for anything; what a look is late by is time that no server is to blame for.
 */
export class Stalls {
  #due: Instant | undefined;
  #lost = micros(0);

  /** All of that time so far. */
  get lost(): Duration {
    return this.#lost;
  }

  /** The next look is expected after a `BEAT`. */
  expect(now: Instant): void {
    this.#due = after(now, BEAT);
  }

  /** Nothing is waited for: a look may come at any time. */
  rest(): void {
    this.#due = undefined;
  }

  /** To be called at least each `BEAT`. Returns how long the process has just stood still, 0 when it did not. */
  look(now: Instant): Duration {
    if (this.#due === undefined || now < this.#due) return micros(0);
    const late = since(now, this.#due);
    this.expect(now);
    if (late <= STALL) return micros(0);
    this.#lost = micros(this.#lost + late);
    return late;
  }
}
