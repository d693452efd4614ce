import { judgeScript } from '../core/check/script.ts';
import type { MiscCheck } from '../core/check/settings.ts';
import { toMillis } from '../core/time.ts';
import type { Done, Probe } from './probe.ts';
import { startProgram } from './programs.ts';

/** A program that was asked to end may take this; then it is killed. */
const GRACE_MS = 2000;

/**
 * Runs a check's program, with nothing to read and nowhere to write. One that takes too long is asked to end and then
 * killed, with all that it started in its group.
 */
export function probeScript(check: MiscCheck, done: Done): Probe {
  let timedOut = false;
  let timer: NodeJS.Timeout | undefined;
  let aborted = false;
  const program = startProgram(check.command, check.user, (end) => {
    clearTimeout(timer);
    if (timedOut) program.killRest();
    if (!aborted) done(judgeScript(check, end, timedOut));
  });
  timer = setTimeout(() => {
    timedOut = true;
    program.kill('SIGTERM');
    timer = setTimeout(() => program.kill('SIGKILL'), GRACE_MS);
  }, toMillis(check.timeout));
  return {
    abort() {
      aborted = true;
      clearTimeout(timer);
      program.kill('SIGKILL');
    },
  };
}
