import type { Ip } from '../../../src/core/ip.ts';
import type { Prng } from '../../../src/core/prng.ts';
import type { LeaseStep } from '../../../src/core/reconcile/lease-events.ts';

const ENOENT = 2;
/** Of the clock by which the kernel ends leases. */
export const TICK = 4000;

/** The tables of nf_tables with the leases of a kernel. All times are of its own clock. */
export class LeaseTable {
  readonly #now: () => number;
  readonly #prng: Prng;
  #made = false;
  readonly #opened = new Set<number>();
  /** When the element of each lease runs out. */
  #ends = new Map<number, number>();
  readonly #guarded = new Map<Ip, number>();

  constructor(now: () => number, prng: Prng) {
    this.#now = now;
    this.#prng = prng;
  }

  /** A transaction: all of it, or none. Gives the errno. */
  apply(steps: readonly LeaseStep[]): number {
    const before = new Map(this.#ends);
    for (const step of steps) {
      if (this.#step(step)) continue;
      this.#ends = before;
      return ENOENT;
    }
    return 0;
  }

  /** Whether packets for the address are let through. */
  passes(address: Ip): boolean {
    const lease = this.#guarded.get(address);
    return lease === undefined || this.#isGood(lease);
  }

  #isGood(lease: number): boolean {
    return (this.#ends.get(lease) ?? Number.NEGATIVE_INFINITY) > this.#now();
  }

  #step(step: LeaseStep): boolean {
    if (step.op === 'make' || step.op === 'remove') {
      this.#made = step.op === 'make';
      this.#opened.clear();
      this.#ends.clear();
      this.#guarded.clear();
      return true;
    }
    if (!this.#made) return false;
    switch (step.op) {
      case 'open':
        this.#opened.add(step.lease);
        return true;
      case 'close':
        return this.#opened.delete(step.lease);
      case 'grant':
        // An element that is there keeps its end; a new one is rounded, and late by a tick.
        if (!this.#isGood(step.lease))
          this.#ends.set(step.lease, this.#now() + step.timeout * 1000 + this.#prng.unit() * 2 * TICK);
        return this.#opened.has(step.lease);
      case 'end':
        return this.#isGood(step.lease) && this.#ends.delete(step.lease);
      case 'guard':
        for (const { address } of step.guarded) this.#guarded.set(address, step.lease);
        return this.#opened.has(step.lease);
      case 'unguard':
        return step.guarded.every(({ address }) => this.#guarded.delete(address));
    }
  }
}
