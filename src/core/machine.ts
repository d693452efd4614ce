import type { Instant } from './time.ts';

/**
 * The contract of everything that decides. A machine is plain data: it has no socket, clock, timer, promise,
 * random number or log. The shell calls, in this order:
 *
 *   1. `handle(event, now)` for each thing that happened (packets first: being late is never evidence);
 *   2. `timeout(now)` when `deadline() <= now`;
 *   3. `take()` and performs the effects in order; their results come back as events;
 *   4. arms one timer for `deadline()`.
 *
 * `now` never decreases. Events and effects are closed unions of JSON-able values, so that a recorded event
 * log replays to the same decisions.
 */
export interface Machine<Event, Effect> {
  handle(event: Event, now: Instant): void;
  /** The instant at which `timeout` wants to be called, `undefined` for never. */
  deadline(): Instant | undefined;
  /** Does nothing when the deadline has not been reached: timers of the shell may fire early. */
  timeout(now: Instant): void;
  /** The effects since the last call, oldest first; empties the list. */
  take(): Effect[];
}
