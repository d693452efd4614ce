import { createTask, parse, type ScheduledTask, schedule, validateDetailed } from 'node-cron';
import type { CalendarFault } from '../core/config/facts.ts';
import { type Duration, toMillis } from '../core/time.ts';

const MINUTE_MS = 60_000;
/** node-cron says what it missed, which the daemon finds out by itself. */
const QUIET = { suppressMissedWarning: true, unref: true } as const;

/** What is wrong with times as crontab(5) says them, in words; `undefined` when nothing is. */
export function calendarFault(cron: string): CalendarFault | undefined {
  const [first] = validateDetailed(cron).errors;
  if (first === undefined) return undefined;
  const { field, value = '', message } = first;
  if (field === 'expression') return { problem: message };
  const name = field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const impossible = /impossible/.test(message);
  return { problem: impossible ? message : `'${value}' is no ${name}`, word: value };
}

/** Times that come again and again, in the time zone of the host. */
export class Calendar {
  readonly #task: ScheduledTask;
  readonly #hours: ReadonlySet<number>;
  readonly #minutes: ReadonlySet<number>;
  /** The latest first. */
  readonly #seconds: readonly number[];

  /**
   * `happens` is told of each moment when it comes, in milliseconds since 1970. Throws for what `calendarFault` finds
   * fault with.
   */
  constructor(cron: string, happens?: (at: number) => void) {
    const { hour, minute, second } = parse(cron);
    this.#hours = new Set(hour);
    this.#minutes = new Set(minute);
    this.#seconds = second.toSorted((a, b) => b - a);
    this.#task =
      happens === undefined
        ? createTask(cron, () => undefined, QUIET)
        : schedule(cron, ({ date }) => happens(date.getTime()), QUIET);
  }

  /** The latest moment less than `length` before `at`, or at it; milliseconds since 1970. */
  latest(at: number, length: Duration): number | undefined {
    const first = at - toMillis(length);
    let minute = new Date(at).setSeconds(0, 0);
    while (minute + MINUTE_MS > first) {
      const found = this.#within(minute, at);
      if (found !== undefined && found <= first) return undefined;
      if (found === undefined) minute -= MINUTE_MS;
      else if (this.#task.match(new Date(found))) return found;
      // Hour, minute and second fit, so the day does not.
      else minute = new Date(found).setHours(0, 0, 0, 0) - MINUTE_MS;
    }
    return undefined;
  }

  /** The last second of a minute, not after `at`, that fits the fields below the day. */
  #within(minute: number, at: number): number | undefined {
    const date = new Date(minute);
    if (!this.#hours.has(date.getHours()) || !this.#minutes.has(date.getMinutes())) return undefined;
    const second = this.#seconds.find((each) => minute + each * 1000 <= at);
    return second === undefined ? undefined : minute + second * 1000;
  }

  close(): void {
    void this.#task.destroy();
  }
}
