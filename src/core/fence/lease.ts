import { type Duration, micros, millis, seconds, toMillis, toSeconds } from '../time.ts';

/**
 * The lease of a virtual address, by which a director that is frozen, killed or never scheduled loses it: it is renewed
 * with the adverts, and the kernel itself ends it. There are two of them. An address is installed with the kernel's
 * address lifetime, of whole seconds, and the kernel removes it. And packets for it are dropped from the moment on when
 * an element of a set of nf_tables has run out, to the millisecond. All is arithmetic; who renews is the master, what
 * renews is in `reconcile`.
 *
 * What it must keep: an address is gone here before any backup may take it. A backup waits for its
 * master-down interval, `downAdverts` adverts and a skew that its priority makes shorter: next to nothing at
 * priority 254. So the shortest wait is `downAdverts` x advert interval since the last advert.
 */

/**
 * How much later than the lifetime the kernel removes an address: it looks with a timer rounded up by as much
 * as a quarter of a second (ADDRCONF_TIMER_FUZZ). Measured after the last renewal: 1.0 to 1.13 s for 1 s,
 * 2.0 to 2.3 s for 2 s, 3.0 to 3.4 s for 3 s.
 */
export const KERNEL_LATENESS: Duration = seconds(0.4);

/** A lease shorter than this many advert intervals would run out whenever an advert leaves a little late. */
const ADVERTS_TO_COVER = 1.5;
const SECOND = seconds(1);

/** Kernel lifetimes are whole seconds. */
const wholeSeconds = (duration: Duration): Duration => micros(Math.floor(duration / SECOND) * SECOND);

/**
 * The longest lease that ends before any backup may take over, whole seconds; 0 when there is none. Longest,
 * because a stall that outlasts the lease costs the address although the peer would have kept waiting.
 */
export function longestSafeLease(advertInterval: Duration, downAdverts = 3): Duration {
  const wait = advertInterval * downAdverts - KERNEL_LATENESS;
  // Ends before, not with, the backup's wait.
  return wholeSeconds(micros(Math.max(0, wait - 1)));
}

/** The shortest lease, whole seconds, that adverts at this interval keep alive. */
export function shortestUsefulLease(advertInterval: Duration): Duration {
  return micros(Math.ceil((advertInterval * ADVERTS_TO_COVER) / SECOND) * SECOND);
}

/**
 * The lease of an instance that names none: 2 s for adverts every second, 5 s for every two. 0 means none:
 * below adverts of about half a second the kernel's whole seconds are too coarse to be gone in time.
 */
export function defaultLease(advertInterval: Duration, downAdverts = 3): Duration {
  const longest = longestSafeLease(advertInterval, downAdverts);
  return longest >= shortestUsefulLease(advertInterval) ? longest : (0 as Duration);
}

/** Renewals of many addresses are spread over this long after the advert that gave the authority, at most. */
export function renewalWindow(lease: Duration): Duration {
  return micros(Math.min(lease / 4, SECOND / 2));
}

/**
 * The lifetime in seconds of an address that is installed or renewed `age` after the advert it rests on: the
 * lease, or what is left of it after the renewal window, so that no address outlives advert + lease by more
 * than that window and the kernel's lateness. `undefined` when nothing is left: the authority is stale, and
 * the address must not be touched. `votes`: how long the votes last that it rests on, where it does; the kernel must
 * have removed it by then.
 */
export function lifetimeAt(lease: Duration, age: Duration, votes?: Duration): number | undefined {
  const whole = Math.max(1, Math.floor(toSeconds(lease)));
  const leased = age <= renewalWindow(lease) ? whole : Math.floor(toSeconds(micros(lease - age)));
  const voted = votes === undefined ? leased : Math.floor(toSeconds(micros(votes - KERNEL_LATENESS)));
  const left = Math.min(leased, voted);
  return left >= 1 ? left : undefined;
}

/** How many ticks of the kernel's clock a lease of the packet filter may end late. */
const TICKS = 2;

/**
 * The term of the packet filter's lease: so long after an advert packets are answered. Until a backup may take over, or
 * `written` seconds where those are more.
 */
export const filterTerm = (advertInterval: Duration, downAdverts: number, written = seconds(0)): Duration =>
  micros(Math.max(advertInterval * downAdverts, written));

/**
 * Whether a lease of this term outlasts an advert that leaves a little late, where the kernel's clock has ticks of this
 * length.
 */
export const filterHolds = (term: Duration, advertInterval: Duration, tick: Duration): boolean =>
  term - TICKS * tick >= advertInterval * ADVERTS_TO_COVER;

/**
 * The timeout of the packet filter's lease in whole milliseconds, when it is renewed `age` after the advert it rests
 * on; `undefined` when nothing is left. The kernel rounds it to ticks of its clock, and that clock may be late by one:
 * it may end up to two ticks late. `votes`: how long the votes last that it rests on, where it does.
 */
export function filterTimeout(
  term: Duration,
  tick: Duration,
  age: Duration,
  votes?: Duration,
): number | undefined {
  const left = Math.min(term - age, votes ?? term) - TICKS * tick;
  const timeout = Math.floor(toMillis(micros(left)));
  return timeout >= 1 ? timeout : undefined;
}

const LONGEST_WAIT = millis(100);
const SHORTEST_WAIT = millis(10);

/**
 * How long after its advert a lease of the packet filter may wait to be renewed: for the adverts that leave at the same
 * wake-up of the process, and with their leases; 0 where the term is too short for that. What waits is counted from its
 * advert as ever.
 */
export function filterWait(term: Duration): Duration {
  const wait = micros(Math.min(Math.floor(term / 16), LONGEST_WAIT));
  return wait < SHORTEST_WAIT ? micros(0) : wait;
}
