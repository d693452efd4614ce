import { judgeScript } from '../core/check/script.ts';
import type { MiscCheck } from '../core/check/settings.ts';
import { seconds } from '../core/time.ts';
import { Patience } from './patience.ts';
import type { Done, Probe } from './probe.ts';
import { startProgram } from './programs.ts';

/** A program that was asked to end may take this; then it is killed. */
const GRACE = seconds(2);

/**
 * Runs a check's program, with nothing to read and nowhere to write. One that takes too long is asked to end and then
 * killed, with all that it started in its group.
 */
export function probeScript(check: MiscCheck, done: Done): Probe {
  const { user } = check;
  if (user !== undefined && 'missing' in user) return unrun(check, user.missing.join(' '), done);
  let timedOut = false;
  let aborted = false;
  let grace: Patience | undefined;
  const program = startProgram(check.command, user, (end) => {
    limit.end();
    grace?.end();
    if (timedOut) program.killRest();
    const { stood } = limit;
    if (!aborted) done({ ...judgeScript(check, end, timedOut), ...(stood > 0 && { stood }) });
  });
  const limit = new Patience(check.timeout, () => {
    timedOut = true;
    program.kill('SIGTERM');
    grace = new Patience(GRACE, () => program.kill('SIGKILL'));
  });
  return {
    abort() {
      aborted = true;
      limit.end();
      grace?.end();
      program.kill('SIGKILL');
    },
  };
}

/** One whose user this host does not have. */
function unrun(check: MiscCheck, user: string, done: Done): Probe {
  const end = { type: 'failed', why: `there is no user ${user}` } as const;
  const told = setImmediate(() => done(judgeScript(check, end, false)));
  return { abort: () => clearImmediate(told) };
}
