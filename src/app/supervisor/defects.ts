import { mayPass } from '../../core/supervision/trouble.ts';
import type { Log } from '../../io/log.ts';

export const EXIT_CRASHED = 70;
/** It cannot work here. */
export const EXIT_FAILED = 1;
/** How long the log of a crash may take. */
const CRASH_LOG_MS = 1000;
/** So many troubles in a minute that nobody foresaw, and the process is better begun anew. */
const MOST = 60;
const PERIOD_MS = 60_000;

/**
 * What nobody caught. Trouble of disks, descriptors and memory is a line in the log, and the process goes on: what was
 * to be done is done later, or not at all. Anything else is a defect.
 */
export function onDefect(log: Log): void {
  let count = 0;
  setInterval(() => {
    count = 0;
  }, PERIOD_MS).unref();
  process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
    count += 1;
    if (!mayPass(error.code) || count > MOST) void crash(log, error);
    else log.log('error', `not done: ${error.stack ?? error.message}`);
  });
}

/** A defect ends this process only: VRRP and the checks go on, and the service manager starts it again. */
export async function crash(log: Log, error: Error): Promise<void> {
  setTimeout(() => process.exit(EXIT_CRASHED), CRASH_LOG_MS);
  log.log('crit', `the supervisor has a defect: ${error.stack ?? error.message}`);
  await log.close();
  process.exit(EXIT_CRASHED);
}

/** Does a part of something that is to go on whatever happens to this part. */
export function attempt(log: Log['log'], what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    log('error', `${what}: ${(error as Error).message}`);
  }
}
