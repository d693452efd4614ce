/**
 * A seeded generator (splitmix32) for simulations and for spreading starts: the same seed gives the same run.
 * Not for secrets.
 */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  memory(): number {
    return this.#state;
  }

  recall(state: number): void {
    this.#state = state;
  }

  /** A whole number in 0..2^32-1. */
  uint32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** In [0, 1). */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number in low..high, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** One element; throws a RangeError on an empty list. */
  pick<T>(list: readonly T[]): T {
    const value = list[this.between(0, list.length - 1)];
    if (value === undefined) throw new RangeError('pick from an empty list');
    return value;
  }
}
