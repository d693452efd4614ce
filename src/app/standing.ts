import { counted } from '../core/counted.ts';
import type { ServerReport } from '../core/status/report.ts';
import { lasting, paint } from '../io/screen.ts';

/** How a real server stands, in words for people; `time` is that of the report. */

type Standing = Pick<ServerReport, 'up' | 'kept' | 'weight' | 'by' | 'drain' | 'ramp'>;

/** Seconds from one time to another, both ISO 8601. */
export const lengthOf = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** `up`, `down`, `draining`, `drained`, `ramping`, or `kept` by min_up: one word. */
export function stateWord({ up, kept, drain, ramp }: Standing): string {
  if (!up) return kept ? paint('yellow', 'kept') : paint('red', 'down');
  if (drain !== undefined) return paint('yellow', drain.phase);
  return ramp === undefined ? paint('green', 'up') : paint('cyan', 'ramping');
}

/** What orders, a check or `slow_start` do to its weight; empty when it is as configured. */
export function orderWords({ by, drain, ramp, weight }: Standing, time: string): string {
  if (drain !== undefined) return `${drain.phase} by the ${drain.by}${leftWords(drain, time)}`;
  const from =
    by === undefined ? '' : `weight ${ramp?.full ?? weight} by ${by === 'check' ? 'a check' : `the ${by}`}`;
  if (ramp === undefined) return from;
  const slow = `slow start: weight ${weight} of ${ramp.full}, all of it in ${lasting(lengthOf(time, ramp.end))}`;
  return from === '' ? slow : `${slow}; ${from}`;
}

function leftWords({ phase, connections, until }: NonNullable<Standing['drain']>, time: string): string {
  if (phase === 'drained') return '';
  const left = connections === undefined ? '' : `, ${countWords(connections)} left`;
  return until === undefined ? left : `${left}, removed in ${lasting(lengthOf(time, until))} at the latest`;
}

export const countWords = (connections: number): string => counted(connections, 'active connection');
