import type { Duration, Instant } from '../time.ts';
import { after, micros, since } from '../time.ts';

/** More steps than this are no smoother, and each is a change of the kernel's table. */
const MAX_STEPS = 20;

/**
 * `slow_start` (ours): a server that takes new connections again begins with little weight, and has its full weight
 * after `length`. Weights are the kernel's whole numbers, so the steps are as many as the weight has, at most
 * 20: one of weight 1 has no less than its full weight, one of weight 2 begins with half of it. Nothing is scaled to
 * make room: the weights in the table are those that are configured.
 */
export class Ramp {
  readonly #begun: Instant;
  readonly #length: Duration;

  constructor(begun: Instant, length: Duration) {
    this.#begun = begun;
    this.#length = length;
  }

  get begun(): Instant {
    return this.#begun;
  }

  get length(): Duration {
    return this.#length;
  }

  /** When the full weight is reached, whatever it is then. */
  get end(): Instant {
    return after(this.#begun, this.#length);
  }

  /** The weight of a server whose full weight is `full`: at least 1 of it, never more, and all of it at the end. */
  weight(full: number, now: Instant): number {
    const steps = stepsTo(full);
    if (full <= 1 || now >= this.end) return full;
    return Math.max(1, Math.floor((full * this.#step(steps, now)) / steps));
  }

  /** When the weight may rise next; `undefined` when it has nothing to rise to. */
  next(full: number, now: Instant): Instant | undefined {
    if (now >= this.end) return undefined;
    const steps = stepsTo(full);
    return after(this.#begun, micros(Math.ceil((this.#length * (this.#step(steps, now) + 1)) / steps)));
  }

  #step(steps: number, now: Instant): number {
    return Math.floor((Math.max(0, since(now, this.#begun)) * steps) / this.#length);
  }
}

const stepsTo = (full: number): number => Math.max(1, Math.min(full, MAX_STEPS));
