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

/**
 * A machine, or a part of one, whose memory can be written down; another that was made alike goes on from there. A
 * recording begins so (`core/record`).
 */
export interface Remembering<Memory> {
  /** All that may have changed since it was made, as plain data that is not changed any more. */
  memory(): Memory;
  /** Of one that was just made. */
  recall(memory: Memory): void;
}

type Parts = { readonly [name: string]: { memory(): unknown; recall(memory: never): void } };
/** The memories of several parts, by the parts' names. */
export type Memories<P extends Parts> = { readonly [Name in keyof P]: ReturnType<P[Name]['memory']> };

export const memoriesOf = <P extends Parts>(parts: P): Memories<P> =>
  Object.fromEntries<unknown>(
    Object.entries(parts).map(([name, part]) => [name, part.memory()]),
  ) as Memories<P>;

/** Each of the parts goes on from its memory. */
export function recallAll<P extends Parts>(parts: P, memories: Memories<P>): void {
  for (const [name, part] of Object.entries(parts)) part.recall(memories[name] as never);
}
