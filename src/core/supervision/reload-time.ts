/** When a reload is planned for: what `reload_time_file` holds. */
export interface ReloadTime {
  /** Absent: each day. */
  readonly date?: { readonly year: number; readonly month: number; readonly day: number };
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** In UTC, not in local time. */
  readonly utc: boolean;
}

const FORM = /^(?:(?:(\d\d)?(\d\d))-(\d\d)-(\d\d)[ T])?(\d\d):(\d\d):(\d\d)\s*(Z)?$/;

/** `HH:MM:SS` or `[YY]YY-MM-DD HH:MM:SS`, with `Z` for UTC; `undefined` for anything else. */
export function parseReloadTime(text: string): ReloadTime | undefined {
  const found = FORM.exec(text.trim());
  if (found === null) return undefined;
  const [, century = '20', year, month, day, ...clock] = found;
  const [hour = 0, minute = 0, second = 0] = clock.slice(0, 3).map(Number);
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const time = { hour, minute, second, utc: clock[3] === 'Z' };
  if (year === undefined) return time;
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > 31) return undefined;
  return { ...time, date: { year: Number(century + year), month: Number(month), day: Number(day) } };
}
