/**
 * Time for the machines: whole microseconds of a monotonic clock that the shell reads and passes in.
 * Nothing in the core ever asks what time it is.
 */

/** A point on the monotonic clock, in whole microseconds since an arbitrary origin. */
export type Instant = number & { readonly unit: 'instant us' };
/** A length of time in whole microseconds; never negative unless said so. */
export type Duration = number & { readonly unit: 'duration us' };
/** Hundredths of a second: the unit of a VRRPv3 advertisement interval on the wire (RFC 9568, 5.2.7). */
export type Centiseconds = number & { readonly unit: 'cs' };

/** `n` microseconds since the clock's origin as an instant, rounded to whole microseconds. */
export const instant = (us: number): Instant => Math.round(us) as Instant;
/** Rounded to whole microseconds. */
export const micros = (us: number): Duration => Math.round(us) as Duration;
export const millis = (ms: number): Duration => micros(ms * 1e3);
export const seconds = (s: number): Duration => micros(s * 1e6);
export const centiseconds = (cs: number): Duration => micros(cs * 1e4);

export const toSeconds = (d: Duration): number => d / 1e6;
export const toMillis = (d: Duration): number => d / 1e3;
/** To the wire's unit, rounded to the nearest hundredth. */
export const toCentiseconds = (d: Duration): Centiseconds => Math.round(d / 1e4) as Centiseconds;

export const after = (t: Instant, d: Duration): Instant => (t + d) as Instant;
/** `later - earlier`; negative when the arguments are the wrong way round. */
export const since = (later: Instant, earlier: Instant): Duration => (later - earlier) as Duration;

const UNITS = { d: 86_400, h: 3600, m: 60, s: 1 } as const;

/** Whole seconds as people write them: `90`, `90s`, `45m`, `1h30m`, `7d`; `undefined` for any other text. */
export function parseTime(text: string): Duration | undefined {
  if (/^\d{1,9}$/.test(text)) return seconds(Number(text));
  const parts = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/.exec(text)?.slice(1);
  if (text === '' || parts === undefined) return undefined;
  const sizes = Object.values(UNITS);
  return seconds(parts.reduce((sum, part, i) => sum + Number(part ?? 0) * (sizes[i] as number), 0));
}

/** What `parseTime` reads as that length, in whole seconds: `1h30m`, `0s`. */
export function timeText(length: Duration): string {
  let left = Math.floor(toSeconds(length));
  const parts = Object.entries(UNITS).map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}

/** The earlier of two deadlines, where `undefined` means "none". */
export function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return a < b ? a : b;
}

/**
 * The named timers of one machine. A machine has one of these instead of timer handles: "the next deadline"
 * is the least entry, and there is nothing to leak.
 */
export class Timers<Name extends string> {
  readonly #due = new Map<Name, Instant>();

  /** Arms `name`, replacing what it was set to. */
  set(name: Name, at: Instant): void {
    this.#due.set(name, at);
  }

  clear(name: Name): void {
    this.#due.delete(name);
  }

  clearAll(): void {
    this.#due.clear();
  }

  due(name: Name): Instant | undefined {
    return this.#due.get(name);
  }

  /** What is armed, as `recall` takes it. */
  memory(): ReadonlyMap<Name, Instant> {
    return new Map(this.#due);
  }

  recall(memory: ReadonlyMap<Name, Instant>): void {
    for (const [name, at] of memory) this.#due.set(name, at);
  }

  /** The earliest armed deadline, `undefined` when nothing is armed. */
  next(): Instant | undefined {
    return this.#first()?.[1];
  }

  /** Disarms each expired timer, the earliest first, and calls `act` for it; for those that this arms, too. */
  drain(now: Instant, act: (name: Name, due: Instant) => void): void {
    for (let first = this.#first(); first !== undefined && first[1] <= now; first = this.#first()) {
      this.#due.delete(first[0]);
      act(...first);
    }
  }

  #first(): readonly [Name, Instant] | undefined {
    let first: readonly [Name, Instant] | undefined;
    for (const timer of this.#due) if (first === undefined || timer[1] < first[1]) first = timer;
    return first;
  }
}
