import { type Duration, type Instant, since } from '../time.ts';

/**
 * Keeps repeated reports from flooding the log: of each kind one a period is let through, and it says for
 * how many it stands. Kinds are a closed set, so the memory is bounded.
 */
export class Limiter<Kind extends string> {
  readonly #period: Duration;
  readonly #kinds = new Map<Kind, { reported: Instant; unreported: number }>();

  constructor(period: Duration) {
    this.#period = period;
  }

  memory(): ReadonlyMap<Kind, { readonly reported: Instant; readonly unreported: number }> {
    return new Map(Array.from(this.#kinds, ([kind, entry]) => [kind, { ...entry }]));
  }

  recall(memory: ReturnType<Limiter<Kind>['memory']>): void {
    for (const [kind, entry] of memory) this.#kinds.set(kind, { ...entry });
  }

  /** Counts one occurrence. Returns how many it is time to report, this one included, or 0 to stay silent. */
  count(kind: Kind, now: Instant): number {
    const entry = this.#kinds.get(kind);
    if (entry !== undefined && since(now, entry.reported) < this.#period) {
      entry.unreported += 1;
      return 0;
    }
    this.#kinds.set(kind, { reported: now, unreported: 0 });
    return (entry?.unreported ?? 0) + 1;
  }
}
