import { after, type Duration, type Instant, seconds } from '../time.ts';

/**
 * The wall clocks of the others against ours. No decision rests on them; but logs are compared by them, and
 * certificates end by them, so that a difference is told.
 */

/** More than this makes logs and certificates disagree. */
export const CLOCK_LIMIT: Duration = seconds(1);
/** A heartbeat that waited in a socket tells a clock that has gone on since: what is told lasts for so long. */
const LASTS: Duration = seconds(3);

/** A clock that is apart from ours, or not any more; `difference` is its reading minus ours. */
export interface ClockNews {
  readonly apart: boolean;
  readonly difference: Duration;
}

interface Known {
  apart: boolean;
  /** Since when it has been otherwise than told. */
  since?: Instant;
}

export class Clocks {
  readonly #known = new Map<string, Known>();

  memory() {
    return Array.from(this.#known, ([name, known]) => [name, { ...known }] as const);
  }

  recall(memory: ReturnType<Clocks['memory']>): void {
    for (const [name, known] of memory) this.#known.set(name, { ...known });
  }

  /** What is news in a reading of somebody's clock. */
  compare(name: string, difference: Duration, now: Instant): ClockNews | undefined {
    const known = this.#known.get(name) ?? { apart: false };
    this.#known.set(name, known);
    const apart = Math.abs(difference) > CLOCK_LIMIT;
    if (apart === known.apart) {
      delete known.since;
      return undefined;
    }
    known.since ??= now;
    if (now < after(known.since, LASTS)) return undefined;
    known.apart = apart;
    delete known.since;
    return { apart, difference };
  }
}
