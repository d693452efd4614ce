import type { Duration } from '../time.ts';
import type { CheckTiming } from './settings.ts';

/** What one check found, and why in words. `unknown` says nothing of the server: the director could not look. */
export interface CheckResult {
  readonly verdict: 'good' | 'bad' | 'unknown';
  readonly reason: string;
}

/** Where one check stands. */
export interface Standing {
  readonly up: boolean;
  /** Whether a check has been good since the start. */
  readonly succeeded: boolean;
  /** Bad results in a row. */
  readonly failures: number;
}

/** Before the first result: up, or down with `alpha`. */
export function initialStanding({ alpha }: Pick<CheckTiming, 'alpha'>): Standing {
  return { up: !alpha, succeeded: false, failures: 0 };
}

/** When to check again: at the next turn of the period, or after a delay from now. */
export type Again = { readonly type: 'period' } | { readonly type: 'retry'; readonly delay: Duration };

/**
 * The standing after one more result, and when to look again. keepalived's rules: one good result brings the
 * check up. A bad one takes it down when `retries` further tries, `retryDelay` apart, were bad too; at once when
 * no check has been good yet, for nothing then speaks for the server.
 */
export function judge(before: Standing, result: CheckResult, timing: CheckTiming): [Standing, Again] {
  if (result.verdict === 'unknown') return [before, { type: 'period' }];
  if (result.verdict === 'good') return [{ up: true, succeeded: true, failures: 0 }, { type: 'period' }];
  const failures = before.failures + 1;
  const hopeful = before.up && before.succeeded && failures <= timing.retries;
  if (hopeful)
    return [
      { ...before, failures },
      { type: 'retry', delay: timing.retryDelay },
    ];
  return [{ ...before, up: false, failures }, { type: 'period' }];
}
