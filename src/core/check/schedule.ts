import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Duration, Instant } from '../time.ts';
import { after, instant, millis, since } from '../time.ts';
import { DueQueue } from './queue.ts';
import type { CheckTiming } from './settings.ts';
import type { Again } from './verdict.ts';

export type ScheduleEvent =
  /** The whole set of checks from now on. A check whose id was there before keeps its phase. */
  | { readonly type: 'configure'; readonly checks: ReadonlyMap<string, CheckTiming> }
  /** A check that was started has ended; not to be said of one that was aborted. */
  | { readonly type: 'ended'; readonly id: string; readonly again: Again };

export type ScheduleEffect =
  | { readonly type: 'start'; readonly id: string }
  /** The check is gone from the configuration while it runs; its end is not to be reported. */
  | { readonly type: 'abort'; readonly id: string };

interface Slot {
  period: Duration;
  /** The turn of the period that was last begun, or the first one to come. */
  phase: Instant;
  running: boolean;
}

/**
 * At most this many checks run at a time: each has a socket, and a stalled process finds all of them due. Of 10,000
 * servers that are checked each second, this many may be dead without delaying the others.
 */
export const MAX_IN_FLIGHT = 8000;
/** Starts wait for the next of these turns: ten thousand checks a second wake the process a hundred times. */
const TURN = millis(10);

/**
 * When each check runs. First starts are spread evenly over the `warmup`, in the order given, and each check then
 * keeps its phase: the load stays as even as it began, also after a stall, when turns that were missed are left
 * out. A check never runs twice at a time. What is due beyond the limit in flight waits, the longest due first.
 */
export class Schedule implements Machine<ScheduleEvent, ScheduleEffect> {
  readonly #limit: number;
  readonly #slots = new Map<string, Slot>();
  readonly #due = new DueQueue();
  #running = 0;
  #effects: ScheduleEffect[] = [];

  constructor(limit = MAX_IN_FLIGHT) {
    assert(limit > 0, 'a schedule that may run nothing');
    this.#limit = limit;
  }

  memory() {
    const slots = new Map(Array.from(this.#slots, ([id, slot]) => [id, { ...slot }]));
    return { slots, due: this.#due.memory(), running: this.#running };
  }

  recall({ slots, due, running }: ReturnType<Schedule['memory']>): void {
    for (const [id, slot] of slots) this.#slots.set(id, { ...slot });
    this.#due.recall(due);
    this.#running = running;
  }

  get running(): number {
    return this.#running;
  }

  isRunning(id: string): boolean {
    return this.#slots.get(id)?.running === true;
  }

  handle(event: ScheduleEvent, now: Instant): void {
    if (event.type === 'configure') this.#configure(event.checks, now);
    else this.#ended(event.id, event.again, now);
  }

  /** `undefined` also while the limit is reached: the next start then waits for an end, not for a time. */
  deadline(): Instant | undefined {
    const due = this.#running < this.#limit ? this.#due.next() : undefined;
    return due === undefined ? undefined : instant(Math.ceil(due / TURN) * TURN);
  }

  timeout(now: Instant): void {
    while (this.#running < this.#limit) {
      const item = this.#due.shift(now);
      if (item === undefined) return;
      const slot = this.#slots.get(item.id);
      assert(slot !== undefined && !slot.running, `check ${item.id} is due but not waiting`);
      slot.running = true;
      this.#running += 1;
      this.#effects.push({ type: 'start', id: item.id });
    }
  }

  take(): ScheduleEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #configure(checks: ReadonlyMap<string, CheckTiming>, now: Instant): void {
    for (const [id, slot] of this.#slots) {
      if (checks.has(id)) continue;
      this.#slots.delete(id);
      this.#due.remove(id);
      if (!slot.running) continue;
      this.#running -= 1;
      this.#effects.push({ type: 'abort', id });
    }
    const fresh = Array.from(checks).filter(([id]) => !this.#slots.has(id));
    for (const [index, [id, timing]] of fresh.entries()) {
      const phase = after(now, Math.floor((timing.warmup * index) / fresh.length) as Duration);
      this.#slots.set(id, { period: timing.period, phase, running: false });
      this.#due.set(id, phase);
    }
    for (const [id, timing] of checks) {
      const slot = this.#slots.get(id);
      if (slot !== undefined) slot.period = timing.period;
    }
  }

  #ended(id: string, again: Again, now: Instant): void {
    const slot = this.#slots.get(id);
    assert(slot?.running === true, `check ${id} ended but was not running`);
    slot.running = false;
    this.#running -= 1;
    if (again.type === 'period') slot.phase = nextTurn(slot.phase, slot.period, now);
    this.#due.set(id, again.type === 'period' ? slot.phase : after(now, again.delay));
  }
}

/** The first turn of the period after `now`. */
function nextTurn(phase: Instant, period: Duration, now: Instant): Instant {
  if (phase > now) return phase;
  const turns = Math.floor(since(now, phase) / period) + 1;
  return after(phase, (turns * period) as Duration);
}
