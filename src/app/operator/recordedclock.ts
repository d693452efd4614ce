import type { RecordedProcess } from '../../core/record/recording.ts';
import { type Instant, instant } from '../../core/time.ts';
import { fail } from './ask.ts';

/** Times of a recording by the recorded host's own clock. */

type Clock = Pick<RecordedProcess, 'at' | 'utc' | 'zone'>;

const MINUTE_US = 6e7;
const DAY_US = 864e8;

/** To the millisecond, as in the host's log. */
export function clockText(at: Instant, { at: now, utc, zone }: Clock): string {
  const local = utc - (now - at) + zone * MINUTE_US;
  return new Date(local / 1e3).toISOString().slice(11, 23);
}

/**
 * The moment that `text` names: with a date as in the log, or the last one of the recording at which the recorded
 * host's clock showed that time. Ends the program for a text that is no time.
 */
export function instantOf(text: string, { at: now, utc, zone }: Clock): Instant {
  const [, date, hours, minutes, seconds, offset] =
    /^(\d{4}-\d\d-\d\d[T ])?(\d\d?):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined)
    fail(`a time is written as 03:12:07.5, or with its date as in the log; not ${text}`, 2);
  const shift = offset === undefined ? zone : offsetMinutes(offset);
  const wanted = (Number(hours) * 60 + Number(minutes)) * MINUTE_US + Number(seconds ?? 0) * 1e6;
  const here = utc + shift * MINUTE_US;
  if (date !== undefined)
    return instant(now - (here - (Date.parse(`${date.slice(0, 10)}T00:00:00Z`) * 1e3 + wanted)));
  const before = (((here - wanted) % DAY_US) + DAY_US) % DAY_US;
  return instant(now - before);
}

/** Of `Z` or `+02:00`. */
function offsetMinutes(text: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}
