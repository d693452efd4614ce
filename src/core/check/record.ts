import { type Duration, type Instant, micros } from '../time.ts';
import type { CheckResult } from './verdict.ts';

/** Results in a row that say the same. */
export interface Run {
  readonly verdict: CheckResult['verdict'];
  readonly reason: string;
  readonly count: number;
  readonly first: Instant;
  readonly last: Instant;
}

/** How many good results took how long: `upTo` is the upper bound in microseconds, the last one has none. */
export interface Latency {
  readonly upTo: number | null;
  readonly count: number;
}

/** Runs that are kept: enough to see what it was like before. */
const RUNS_MAX = 8;
/** The first class of latencies ends here, and each further one at twice the one before; the last has no end. */
const FIRST_CLASS = micros(125);
const CLASSES = 18;

/** What one check saw: its last results and how long the good ones took. Its size is bounded. */
export class CheckRecord {
  #runs: { -readonly [K in keyof Run]: Run[K] }[] = [];
  /** As many as there has been one of: there are thousands of these records. */
  #classes: number[] = [];
  #latency: Duration | undefined;

  add(result: CheckResult, now: Instant): void {
    const { verdict, reason, latency } = result;
    this.#latency = latency;
    if (latency !== undefined && verdict === 'good') {
      const at = classOf(latency);
      if (at >= this.#classes.length)
        this.#classes = Array.from({ length: at + 1 }, (_, i) => this.#classes[i] ?? 0);
      this.#classes[at] = (this.#classes[at] ?? 0) + 1;
    }
    const run = this.#runs.at(-1);
    if (run !== undefined && run.verdict === verdict && run.reason === reason) {
      run.count += 1;
      run.last = now;
      return;
    }
    const next = { verdict, reason, count: 1, first: now, last: now };
    // Most have one for ever: an array that was pushed to has room for seventeen.
    this.#runs = this.#runs.slice(1 - RUNS_MAX).concat([next]);
  }

  /** How long the last result took, if it was good. */
  get latency(): Duration | undefined {
    return this.#latency;
  }

  memory() {
    return {
      runs: this.#runs.map((run) => ({ ...run })),
      classes: Array.from(this.#classes),
      latency: this.#latency,
    };
  }

  recall({ runs, classes, latency }: ReturnType<CheckRecord['memory']>): void {
    this.#runs = runs.map((run) => ({ ...run }));
    this.#classes = Array.from(classes);
    this.#latency = latency;
  }

  /** The latest last. */
  runs(): Run[] {
    return this.#runs.map((run) => ({ ...run }));
  }

  /** The classes from the first to the last that has any. */
  latencies(): Latency[] {
    return Array.from(this.#classes, (count, i) => ({
      upTo: i === CLASSES - 1 ? null : FIRST_CLASS * 2 ** i,
      count,
    }));
  }
}

const classOf = (latency: Duration): number =>
  Math.min(CLASSES - 1, Math.max(0, Math.ceil(Math.log2(latency / FIRST_CLASS))));
