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
  let timedOut = false;
  let aborted = false;
  const program = startProgram(check.command, check.user, (end) => {
    patience.end();
    if (timedOut) program.killRest();
    if (!aborted) done(judgeScript(check, end, timedOut));
  });
  let patience = new Patience(check.timeout, () => {
    timedOut = true;
    program.kill('SIGTERM');
    patience = new Patience(GRACE, () => program.kill('SIGKILL'));
  });
  return {
    abort() {
      aborted = true;
      patience.end();
      program.kill('SIGKILL');
    },
  };
}
