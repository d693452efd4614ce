import type { MaintenanceWindow } from '../../core/balance/orders.ts';
import { timeText, toMillis } from '../../core/time.ts';
import { Calendar } from '../../io/cron.ts';
import type { Level } from '../messages.ts';

/** The clock may be set: never wait longer without a look at it. */
const LONGEST_WAIT_MS = 60_000;
/** Timers may be a little early. */
const MARGIN_MS = 5;

/**
 * Which maintenance windows are open, by the clock of the host as it is now: one that is set, or a daemon that starts
 * in the middle, leaves none open that is over, nor closed that is not.
 */
export class Windows {
  readonly #changed: () => void;
  readonly #log: (level: Level, message: string) => void;
  readonly #calendars = new Map<string, Calendar>();
  #windows: readonly MaintenanceWindow[] = [];
  #open = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(changed: () => void, log: (level: Level, message: string) => void) {
    this.#changed = changed;
    this.#log = log;
  }

  isOpen(window: MaintenanceWindow): boolean {
    return this.#open.has(nameOf(window));
  }

  /** All windows that matter from now on; does not tell of those that are open already. */
  configure(windows: readonly MaintenanceWindow[]): void {
    this.#windows = Array.from(new Map(windows.map((window) => [nameOf(window), window])).values());
    const needed = new Set(windows.map(({ cron }) => cron));
    for (const [cron, calendar] of this.#calendars) {
      if (needed.has(cron)) continue;
      calendar.close();
      this.#calendars.delete(cron);
    }
    for (const cron of needed) {
      if (!this.#calendars.has(cron)) this.#calendars.set(cron, new Calendar(cron, (at) => this.#look(at)));
    }
    this.#find(Date.now());
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const calendar of this.#calendars.values()) calendar.close();
  }

  /** `moment`: it is at least that late, whatever a timer that is early thinks. */
  #look(moment: number): void {
    if (this.#find(Math.max(moment, Date.now()))) this.#changed();
  }

  /** Whether other windows are open than before. */
  #find(at: number): boolean {
    const open = new Map<string, number>();
    for (const window of this.#windows) {
      const begun = this.#calendars.get(window.cron)?.latest(at, window.length);
      if (begun !== undefined) open.set(nameOf(window), begun + toMillis(window.length));
    }
    clearTimeout(this.#timer);
    if (this.#windows.length > 0) {
      const wait = Math.min(LONGEST_WAIT_MS, ...Array.from(open.values(), (end) => end - at + MARGIN_MS));
      this.#timer = setTimeout(() => this.#look(0), wait).unref();
    }
    const before = this.#open;
    this.#open = new Set(open.keys());
    for (const [name, end] of open) {
      if (!before.has(name)) this.#log('notice', `${name} begins: until ${new Date(end).toISOString()}`);
    }
    for (const name of before) if (!open.has(name)) this.#log('notice', `${name} is over`);
    return before.size !== open.size || [...open.keys()].some((name) => !before.has(name));
  }
}

const nameOf = ({ cron, length }: MaintenanceWindow): string => `maintenance "${cron}" ${timeText(length)}`;
