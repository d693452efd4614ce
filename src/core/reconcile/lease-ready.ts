import type { Duration } from '../time.ts';
import { known } from './entry.ts';
import type { Guarded, LeaseStep } from './lease-events.ts';
import { grantStep, leaseTimeout } from './lease-owner.ts';

type Step<Op extends LeaseStep['op']> = Extract<LeaseStep, { op: Op }>;

/** What a virtual router is going to guard as a master. */
interface Expected {
  readonly guarded: readonly Guarded[];
  readonly term: Duration;
}

/** A lease that nothing belongs to yet, and what is asked for when it is taken. */
export interface ReadyLease {
  readonly lease: number;
  readonly guard: Step<'guard'>;
  readonly grant: Step<'grant'> | undefined;
}

/**
 * Leases of virtual routers that hold nothing: made beforehand, so that a takeover is two requests whose messages are
 * ready. What nobody holds is not guarded: it passes.
 */
export class ReadyLeases {
  readonly #tick: Duration;
  /** By the owners' names. */
  #expected: ReadonlyMap<string, Expected> = new Map();
  readonly #ready = new Map<string, ReadyLease>();

  constructor(tick: Duration) {
    this.#tick = tick;
  }

  memory() {
    const ready = Array.from(this.#ready, ([name, { lease }]) => [name, lease] as const);
    return { expected: this.#expected, ready: new Map(ready) };
  }

  recall({ expected, ready }: ReturnType<ReadyLeases['memory']>): void {
    this.#expected = expected;
    for (const [name, lease] of ready) this.#ready.set(name, this.#made(name, lease));
  }

  /** These and no others may take a lease; gives the leases that are of no use any more. */
  expect(expected: ReadonlyMap<string, Expected>): number[] {
    const before = this.#expected;
    this.#expected = expected;
    const unfit = [...this.#ready.keys()].filter((name) => !isAlike(before.get(name), expected.get(name)));
    return unfit.map((name) => this.take(name)?.lease as number);
  }

  get leases(): IterableIterator<ReadyLease> {
    return this.#ready.values();
  }

  /** Whether this one is to have a lease beforehand, and has none. */
  lacks(name: string): boolean {
    return this.#expected.has(name) && !this.#ready.has(name);
  }

  /** Makes the leases that are lacking, of those that `holds` says hold nothing. */
  fill(holds: (name: string) => boolean, number: () => number): void {
    for (const name of this.#expected.keys())
      if (!this.#ready.has(name) && !holds(name)) this.#ready.set(name, this.#made(name, number()));
  }

  /** The owner has a use for its lease; `undefined` when there is none yet. */
  take(name: string): ReadyLease | undefined {
    const lease = this.#ready.get(name);
    this.#ready.delete(name);
    return lease;
  }

  #made(name: string, lease: number): ReadyLease {
    const { guarded, term } = known(this.#expected, name);
    const timeout = leaseTimeout(term, this.#tick, 0 as Duration);
    const grant = timeout === undefined ? undefined : grantStep(lease, timeout);
    return { lease, guard: { op: 'guard', lease, guarded }, grant };
  }
}

/** Makes the lease, and the messages of what is asked for when it is taken. */
export const openStep = ({ lease, guard, grant }: ReadyLease): Step<'open'> => ({
  op: 'open',
  lease,
  next: grant === undefined ? [guard] : [guard, grant],
});

const isAlike = (a: Expected | undefined, b: Expected | undefined): boolean =>
  a !== undefined && a.term === b?.term && guardsAlike(a.guarded, b.guarded);

/** The same addresses in the same order. */
export const guardsAlike = (a: readonly Guarded[], b: readonly Guarded[]): boolean =>
  a.length === b.length &&
  a.every(({ address, ifindex }, i) => address === b[i]?.address && ifindex === b[i]?.ifindex);
