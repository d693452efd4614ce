import { type Instant, seconds, since } from '../time.ts';
import type { Rejection } from './heartbeat.ts';

const REPORT_INTERVAL = seconds(60);

/** Heartbeats of a kind that were dropped: all, and since a line of the log told of them. */
interface Dropped {
  total: number;
  count: number;
  told: Instant | undefined;
}

/** Counts heartbeats that were dropped, by the reason. */
export class Drops {
  readonly #dropped = new Map<Rejection, Dropped>();

  memory() {
    return Array.from(this.#dropped, ([reason, dropped]) => [reason, { ...dropped }] as const);
  }

  recall(memory: ReturnType<Drops['memory']>): void {
    for (const [reason, dropped] of memory) this.#dropped.set(reason, { ...dropped });
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(Array.from(this.#dropped, ([reason, { total }]) => [reason, total]));
  }

  /** One more. Returns how many there were since people were told of it, where it is time to tell them again. */
  note(reason: Rejection, now: Instant): number | undefined {
    const dropped = this.#dropped.get(reason) ?? { total: 0, count: 0, told: undefined };
    dropped.total += 1;
    dropped.count += 1;
    this.#dropped.set(reason, dropped);
    if (dropped.told !== undefined && since(now, dropped.told) < REPORT_INTERVAL) return undefined;
    const { count } = dropped;
    dropped.told = now;
    dropped.count = 0;
    return count;
  }
}
