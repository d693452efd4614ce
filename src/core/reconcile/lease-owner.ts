import { filterTimeout, filterWait } from '../fence/lease.ts';
import { after, type Duration, type Instant, micros, millis, since } from '../time.ts';
import { NEVER } from './entry.ts';
import type { LeaseStep } from './lease-events.ts';

/** So short a grant that the next request ends it. */
const SHORTEST = 1;

/** A virtual router that holds addresses, and its lease in the kernel. */
export class LeaseOwner {
  readonly name: string;
  /** A number that no lease had before. */
  readonly lease: number;
  #authority: Instant = NEVER;
  #term: Duration;
  #until: Instant | undefined;
  /** The kernel's lease is good until then at least; absent when it was never granted. */
  #good: Instant | undefined;
  /** The same step each time: its request is made once. */
  readonly #end: LeaseStep;
  #grant: Extract<LeaseStep, { op: 'grant' }> | undefined;

  constructor(name: string, lease: number, term: Duration, grant?: Extract<LeaseStep, { op: 'grant' }>) {
    this.name = name;
    this.lease = lease;
    this.#term = term;
    this.#end = { op: 'end', lease };
    this.#grant = grant;
  }

  memory() {
    const [authority, term, until, good] = [this.#authority, this.#term, this.#until, this.#good];
    return { lease: this.lease, authority, term, until, good, grant: this.#grant };
  }

  /** Of one that was made with its lease. */
  recall({ authority, term, until, good, grant }: ReturnType<LeaseOwner['memory']>): void {
    [this.#authority, this.#term, this.#until, this.#good] = [authority, term, until, good];
    this.#grant = grant;
  }

  /** Whether its next renewal may wait for others': the lease does not run out meanwhile. */
  mayWait(now: Instant): boolean {
    const wait = filterWait(this.#term);
    return wait > 0 && this.#good !== undefined && this.#good > after(now, wait);
  }

  limit(term: Duration, until: Instant | undefined): void {
    [this.#term, this.#until] = [term, until];
  }

  /** Its advert has just left. */
  authorize(now: Instant): void {
    this.#authority = now;
  }

  /** The kernel has a new lease of this number, which was not granted yet. */
  renewed(): void {
    this.#good = undefined;
  }

  /** What grants the lease now, for as long as the last advert allows; nothing when that is over. */
  grant(tick: Duration, now: Instant): LeaseStep[] {
    const [lease, good] = [this.lease, this.#good];
    const timeout = this.#timeout(tick, now);
    if (timeout === undefined) return [];
    if (this.#grant?.timeout !== timeout) this.#grant = grantStep(lease, timeout);
    this.#good = after(now, micros(millis(timeout) - 2 * tick));
    if (good === undefined) return [this.#grant];
    // One that may have run out is had for certain first: what is not there cannot be ended.
    return good > now ? [this.#end, this.#grant] : [this.#grant, this.#end, this.#grant];
  }

  /** What ends the lease now, whether it has run out or not. */
  end(now: Instant): LeaseStep[] {
    if (this.#good === undefined) return [];
    return this.#good > now ? [this.#end] : [grantStep(this.lease, SHORTEST), this.#end];
  }

  #timeout(tick: Duration, now: Instant): number | undefined {
    if (this.#authority === NEVER) return undefined;
    const votes = this.#until && since(this.#until, now);
    return leaseTimeout(this.#term, tick, since(now, this.#authority), votes);
  }
}

export const grantStep = (lease: number, timeout: number): Extract<LeaseStep, { op: 'grant' }> => ({
  op: 'grant',
  lease,
  timeout,
});

/** As if the renewal had always waited: so the timeout is nearly always the same, and its request is made once. */
export const leaseTimeout = (
  term: Duration,
  tick: Duration,
  age: Duration,
  votes?: Duration,
): number | undefined => filterTimeout(term, tick, micros(Math.max(age, filterWait(term))), votes);
