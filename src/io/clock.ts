import { type Duration, type Instant, micros, millis, since, toMillis } from '../core/time.ts';
import { check } from './errno.ts';
import { rawio, type Timer } from './rawio.ts';
import { fullReceives } from './socket.ts';

/** Clocks of clock_gettime(2). */
const CLOCK = { monotonic: 1, monotonicCoarse: 6, boottime: 7 } as const;

/**
 * CLOCK_BOOTTIME in whole microseconds: the same in all processes since boot, never backwards, and set by nobody. It
 * goes on while the machine is suspended: CLOCK_MONOTONIC does not, and a director that slept for an hour would believe
 * that its votes and its authority are fresh.
 */
export const now = (): Instant => rawio.clock(CLOCK.boottime) as Instant;

/** How long the machine was suspended since boot. */
export const suspended = (): Duration => micros(now() - rawio.clock(CLOCK.monotonic));

/** The length of a tick of the kernel's clock, which timeouts of nf_tables are rounded to: 1 to 10 ms. */
export const kernelTick = (): Duration => rawio.clockTick(CLOCK.monotonicCoarse) as Duration;

/** The wall clock in whole microseconds since 1970, as the machine has it: it may be set at any time. */
export const utc = (): number => Math.round(Date.now() * 1e3);

/** A step of the wall clock; less is the grain of Date.now(). */
const STEP_MS = 10;
let origin: number | undefined;

/**
 * When the monotonic clock began, in milliseconds since 1970 by the wall clock as it is set now. The same again and
 * again, so that a moment is always the same time of day, until the wall clock is set.
 */
export function monotonicOrigin(): number {
  const found = Date.now() - toMillis(now() as number as Duration);
  if (origin === undefined || Math.abs(found - origin) > STEP_MS) origin = found;
  return origin;
}

/** A turn of the event loop that takes longer than this is a stall, and what it saw is old news. */
const PROMPT_TURN = millis(1) as Duration;
/**
 * A flood must not stop the clock: when a deadline was put off for so long, and for so many turns, it is delivered
 * whatever is still to be read. The turns are enough for a thousand adverts that waited during a stall.
 */
const PATIENCE = millis(30) as Duration;
const LOOKS_LEAST = 10;
const DISARMED = -1;

/**
 * Lets the event loop take whole turns until one was prompt and left no socket unread: then all that had come before
 * has been handled. It is told the instant after that turn. A process that was stalled (garbage collection, a busy
 * host) finds its timers expired before it reads what came in time.
 */
export class Reading {
  readonly #done: (now: Instant) => void;
  readonly #patience: Duration;
  #looking: NodeJS.Immediate | undefined;

  constructor(done: (now: Instant) => void, patience = PATIENCE) {
    this.#done = done;
    this.#patience = patience;
  }

  /** Does nothing while it is under way. Whole turns from the end of this one on. */
  begin(): void {
    this.#looking ??= setImmediate(() => this.#look(1, now()));
  }

  /** The same where a turn has just ended. */
  goOn(): void {
    if (this.#looking === undefined) this.#look(1, now());
  }

  stop(): void {
    if (this.#looking !== undefined) clearImmediate(this.#looking);
    this.#looking = undefined;
  }

  /** Runs right before a turn; its immediate runs after the sockets were polled in this turn. */
  #look(looks: number, began: Instant): void {
    const before = now();
    const full = fullReceives();
    this.#looking = setImmediate(() => {
      const after = now();
      const stale = since(after, before) > PROMPT_TURN || fullReceives() !== full;
      const patient = looks < LOOKS_LEAST || since(after, began) < this.#patience;
      if (stale && patient) return this.#look(looks + 1, began);
      this.#looking = undefined;
      this.#done(after);
    });
  }
}

/**
 * The one timer of a process, for the earliest deadline of all its machines.
 *
 * It is a timerfd, because Node's own timers are whole milliseconds: early by up to 2 ms or late by one.
 * Sleeping the last 2 ms in Atomics.wait is as exact, but keeps adverts waiting in their sockets meanwhile.
 *
 * An expired deadline is not believed at once: after a stall the advert that would have moved it waits in a socket that
 * the loop has not read yet. The callback is given the instant after the reading.
 */
export class Alarm {
  readonly #callback: (now: Instant) => void;
  readonly #timer: Timer = new rawio.Timer();
  readonly #reading = new Reading((after) => this.#believe(after));
  #due: Instant | undefined;
  /** How many receives were full when it was armed. */
  #full = 0;
  #turning: NodeJS.Immediate | undefined;

  constructor(callback: (now: Instant) => void) {
    this.#callback = callback;
  }

  /**
   * Replaces the deadline; `undefined` for none. One call of the callback disarms it. An armed alarm keeps
   * the process alive. Throws SystemError.
   */
  arm(at: Instant | undefined): void {
    if (at === this.#due) return;
    this.#due = at;
    this.#full = fullReceives();
    check(this.#timer.set(at ?? DISARMED, this.#expired), 'timerfd_settime', 'the alarm');
  }

  /** Never calls back again. */
  close(): void {
    this.#due = undefined;
    if (this.#turning !== undefined) clearImmediate(this.#turning);
    this.#reading.stop();
    this.#timer.close();
  }

  readonly #expired = (): void => {
    const due = this.#due;
    this.#turning ??= setImmediate(() => this.#turned(due));
  };

  /**
   * The turn in which it expired is over. What came before the deadline `due` made its socket readable no later than
   * the timer, so it was read in this turn: that is enough where the turn was prompt, and left no socket unread.
   */
  #turned(due: Instant | undefined): void {
    this.#turning = undefined;
    const after = now();
    const same = due !== undefined && due === this.#due;
    if (same && since(after, due) <= PROMPT_TURN && fullReceives() === this.#full) this.#believe(after);
    else this.#reading.goOn();
  }

  /** Something that was read in the meantime may have moved or cleared the deadline. */
  #believe(after: Instant): void {
    if (this.#due === undefined || this.#due > after) return;
    this.#due = undefined;
    this.#callback(after);
  }
}
