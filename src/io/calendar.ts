import type { ReloadTime } from '../core/supervision/reload-time.ts';

const DAY_MS = 86_400_000;

/** The next such moment after `from`, in milliseconds since 1970; `undefined` when it is over. */
export function nextMoment(
  { date, hour, minute, second, utc }: ReloadTime,
  from: number,
): number | undefined {
  const at = (day: Date): number =>
    utc
      ? Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), hour, minute, second)
      : new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour, minute, second).getTime();
  if (date !== undefined) {
    const day = utc
      ? new Date(Date.UTC(date.year, date.month - 1, date.day))
      : new Date(date.year, date.month - 1, date.day);
    return at(day) > from ? at(day) : undefined;
  }
  const today = at(new Date(from));
  return today > from ? today : at(new Date(from + DAY_MS));
}
