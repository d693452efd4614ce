import { toSeconds } from '../time.ts';
import { bad, good } from './dialogue.ts';
import type { MiscCheck } from './settings.ts';
import type { CheckResult } from './verdict.ts';

/** How a check's program ended. */
export type ScriptEnd =
  | { readonly type: 'exited'; readonly status: number | null; readonly signal: string | null }
  /** It could not be started; with `shortage` because this director lacks something. */
  | { readonly type: 'failed'; readonly why: string; readonly shortage?: boolean };

/**
 * What the end means (keepalived: check/check_misc.c): 0 is good; with `misc_dynamic` 2 to 255 are good too, and the
 * server's weight is 2 less; anything else, a signal and a run that took too long are bad.
 */
export function judgeScript({ dynamic, timeout }: MiscCheck, end: ScriptEnd, timedOut: boolean): CheckResult {
  if (end.type === 'failed') {
    const reason = `cannot be run: ${end.why}`;
    return end.shortage === true ? { verdict: 'unknown', reason } : bad(reason);
  }
  if (timedOut) return bad(`took longer than ${toSeconds(timeout)} s`);
  const { status, signal } = end;
  if (status === null) return bad(`was ended by ${signal ?? 'a signal'}`);
  const reason = `exit status ${status}`;
  if (status === 0) return good(reason);
  return dynamic && status >= 2 ? { verdict: 'good', reason, weight: status - 2 } : bad(reason);
}
