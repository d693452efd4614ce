import { BEAT, Stalls } from '../core/check/stalls.ts';
import { type Duration, type Instant, micros, seconds, since, toMillis } from '../core/time.ts';
import { now, Reading } from './clock.ts';

/** Thousands of answers may wait after a stall. */
const READING = seconds(1);

const stalls = new Stalls();
let waiting = 0;
let beating: NodeJS.Timeout | undefined;
let told: (length: Duration) => void = () => undefined;

/** All the time that was lost by now, of which the listener is told at once. */
function lostBy(at: Instant): Duration {
  const stood = stalls.look(at);
  if (stood > 0) told(stood);
  return stalls.lost;
}

function beat(): void {
  lostBy(now());
  beating = waiting > 0 ? setTimeout(beat, toMillis(BEAT)).unref() : undefined;
  if (beating === undefined) stalls.rest();
}

/** Who is told when this process stood still while it waited for something, and for how long. */
export function onStall(listener: (length: Duration) => void): void {
  told = listener;
}

/** Those whose time is over, until all that came in time has been read. */
let over: Patience[] = [];
const reading = new Reading(() => {
  const all = over;
  over = [];
  for (const patience of all) patience.judge();
}, READING);

/**
 * Waits for something from outside. Time in which this process stood still does not count, and the end comes when all
 * that had come by then was read: after a stall timers expire before answers are read that came in time.
 */
export class Patience {
  /** When it was made, and how much time had been lost by then. */
  readonly #made: Instant;
  readonly #lostBefore: Duration;
  readonly #length: Duration;
  readonly #expired: () => void;
  #begun: Instant;
  #lost: Duration;
  #timer: NodeJS.Timeout | undefined;

  constructor(length: Duration, expired: () => void) {
    this.#length = length;
    this.#expired = expired;
    this.#begun = this.#made = now();
    this.#lost = this.#lostBefore = lostBy(this.#made);
    this.#timer = setTimeout(ring, toMillis(length), this);
    if (waiting++ > 0 || beating !== undefined) return;
    stalls.expect(this.#begun);
    beating = setTimeout(beat, toMillis(BEAT)).unref();
  }

  /** Begins anew. The timer comes too early then, and is set again. */
  again(): void {
    this.#begun = now();
    this.#lost = lostBy(this.#begun);
  }

  /** How long this process stood still since this was made. */
  get stood(): Duration {
    return micros(lostBy(now()) - this.#lostBefore);
  }

  /** How long ago this was made. */
  get elapsed(): Duration {
    return since(now(), this.#made);
  }

  /** Waits no more; may be called again. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    waiting -= 1;
  }

  /** The timer came: nothing is believed before all that has come was read. */
  ring(): void {
    if (this.#goesOn()) return;
    over.push(this);
    reading.begin();
  }

  /** All that had come when the time was over has been read. */
  judge(): void {
    if (this.#timer === undefined || this.#goesOn()) return;
    this.end();
    this.#expired();
  }

  /** Whether some of the time is left, which is then waited for. */
  #goesOn(): boolean {
    const at = now();
    const lost = lostBy(at) - this.#lost;
    const left = this.#length + lost - since(at, this.#begun);
    if (left <= 0) return false;
    this.#timer = setTimeout(ring, toMillis(micros(left)), this);
    return true;
  }
}

const ring = (patience: Patience): void => patience.ring();
