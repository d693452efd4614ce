import type { Duration } from '../time.ts';
import { micros, toMillis } from '../time.ts';
import type { CheckTiming } from './settings.ts';

/** What one check found, and why in words. `unknown` says nothing of the server: the director could not look. */
export interface CheckResult {
  readonly verdict: 'good' | 'bad' | 'unknown';
  /** The same text for the same finding: what differs each time is the latency. */
  readonly reason: string;
  /** From the start of the probe to its good end. */
  readonly latency?: Duration;
  /** The server's weight, where the check sets it (`misc_dynamic`). */
  readonly weight?: number;
  /** How long the check process stood still during the probe, if it did: not the server's fault. */
  readonly stood?: Duration;
}

/**
 * What a bad result is worth that came while this director stood still: nothing. An answer may be lost, and a server
 * need not wait for us. `undefined` for a result that counts.
 */
export function excuse({ verdict, reason, stood }: CheckResult): CheckResult | undefined {
  if (verdict !== 'bad' || stood === undefined) return undefined;
  return { verdict: 'unknown', reason: `this director stood still meanwhile (otherwise: ${reason})` };
}

/** `connected in 0.4 ms`. */
export const inWords = ({ reason, latency }: Pick<CheckResult, 'reason' | 'latency'>): string =>
  latency === undefined ? reason : `${reason} in ${toMillis(latency).toFixed(1)} ms`;

/** Whether a real server is up and why, and the weight that its checks give it. */
export interface Health {
  readonly up: boolean;
  readonly cause: string;
  readonly weight: number;
}

/** Where one check stands. */
export interface Standing {
  readonly up: boolean;
  /** Whether a check has been good since the start. */
  readonly succeeded: boolean;
  /** Bad results in a row. */
  readonly failures: number;
  /** Which of its requests is the next, and how many were good in a row, at most all. */
  readonly part: number;
  readonly run: number;
}

/** Before the first result: up, or down with `alpha`. */
export function initialStanding({ alpha }: Pick<CheckTiming, 'alpha'>): Standing {
  return { up: !alpha, succeeded: false, failures: 0, part: 0, run: 0 };
}

/** When to check again: at the next turn of the period, or after a delay from now. */
export type Again = { readonly type: 'period' } | { readonly type: 'retry'; readonly delay: Duration };

const NEXT_TURN: Again = { type: 'period' };
const AT_ONCE: Again = { type: 'retry', delay: micros(0) };

/** How many requests a check makes one after the other, and whether they hurry while the server comes back. */
export interface Parts {
  readonly count: number;
  readonly hurry: boolean;
}
const ONE: Parts = { count: 1, hurry: false };

/**
 * The standing after one more result, and when to look again. keepalived's rules: when all requests were good the
 * check is up. A bad one takes it down when `retries` further tries, `retryDelay` apart, were bad too; at once when
 * no check has been good yet, for nothing then speaks for the server. After a failure the same request is tried
 * until it is good, and then the others (keepalived begins with the first again, that one too: a turn more).
 */
export function judge(
  before: Standing,
  result: CheckResult,
  timing: CheckTiming,
  parts = ONE,
): [Standing, Again] {
  if (result.verdict === 'unknown') return [before, NEXT_TURN];
  if (result.verdict === 'good') return afterGood(before, parts);
  const failures = before.failures + 1;
  const hopeful = before.up && before.succeeded && failures <= timing.retries;
  if (hopeful)
    return [
      { ...before, failures, run: 0 },
      { type: 'retry', delay: timing.retryDelay },
    ];
  return [{ ...before, up: false, failures, run: 0 }, NEXT_TURN];
}

function afterGood(before: Standing, { count, hurry }: Parts): [Standing, Again] {
  const run = Math.min(before.run + 1, count);
  const whole = run >= count;
  const part = (before.part + 1) % count;
  const up = before.up || whole;
  const succeeded = before.succeeded || whole;
  // A healthy check of one request stays as it is: nothing is allocated for it.
  const same = before.up && before.succeeded && before.failures === 0;
  const after =
    same && before.run === run && before.part === part ? before : { up, succeeded, failures: 0, part, run };
  return [after, hurry && !(up && succeeded) ? AT_ONCE : NEXT_TURN];
}
