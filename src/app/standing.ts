import type { DrainStanding, ServerStanding } from '../core/balance/member.ts';
import { type Instant, since, toSeconds } from '../core/time.ts';
import { lasting, paint } from '../io/screen.ts';

/** How a real server stands, in words for people; `at` is the monotonic clock of this host. */

type Standing = Pick<ServerStanding, 'up' | 'kept' | 'weight' | 'by' | 'drain' | 'ramp'>;

/** `up`, `down`, `draining`, `drained`, `ramping`, or `kept` by min_up: one word. */
export function stateWord({ up, kept, drain, ramp }: Standing): string {
  if (!up) return kept ? paint('yellow', 'kept') : paint('red', 'down');
  if (drain !== undefined) return paint('yellow', drain.phase);
  return ramp === undefined ? paint('green', 'up') : paint('cyan', 'ramping');
}

/** What orders, a check or `slow_start` do to its weight; empty when it is as configured. */
export function orderWords({ by, drain, ramp, weight }: Standing, at: Instant): string {
  if (drain !== undefined) return `${drain.phase} by the ${drain.by}${leftWords(drain, at)}`;
  const from =
    by === undefined ? '' : `weight ${ramp?.full ?? weight} by ${by === 'check' ? 'a check' : `the ${by}`}`;
  if (ramp === undefined) return from;
  const slow = `slow start: weight ${weight} of ${ramp.full}, all of it in ${lasting(toSeconds(since(ramp.end, at)))}`;
  return from === '' ? slow : `${slow}; ${from}`;
}

function leftWords({ phase, connections, until }: DrainStanding, at: Instant): string {
  if (phase === 'drained') return '';
  const left = connections === undefined ? '' : `, ${countWords(connections)} left`;
  return until === undefined
    ? left
    : `${left}, removed in ${lasting(toSeconds(since(until, at)))} at the latest`;
}

export const countWords = (connections: number): string =>
  `${connections} active connection${connections === 1 ? '' : 's'}`;
