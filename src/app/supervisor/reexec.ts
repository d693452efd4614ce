import { asStarted, execute, trial } from '../../io/execution.ts';
import type { Level } from '../messages.ts';
import type { DaemonOptions } from '../options.ts';
import { attempt } from './defects.ts';
import type { Readiness } from './readiness.ts';

/** In which an answer has left. */
const ANSWER_MS = 100;

/**
 * Executes what is installed now in place of this program: as the same process, so that whoever started it sees no end,
 * and the VRRP process goes on. Resolves when it is about to; throws why it is not.
 */
export async function reexec(
  { ipvsNamespace }: Pick<DaemonOptions, 'ipvsNamespace'>,
  readiness: Readiness,
  log: (level: Level, message: string) => void,
  isStopping: () => boolean,
): Promise<unknown> {
  if (ipvsNamespace !== undefined)
    throw new Error('not with net_namespace_ipvs: restart the daemon, first on the backup');
  const started = asStarted();
  const trouble = await trial(started, '-t');
  if (trouble !== undefined)
    throw new Error(`what is installed would not start, and this goes on: ${trouble}`);
  if (isStopping()) throw new Error('the daemon stops');
  log('notice', `executing ${started.program}, as it is installed now`);
  setTimeout(() => {
    readiness.replaced();
    attempt(log, 'another program in place of this one', () => execute(started));
    readiness.reloaded();
  }, ANSWER_MS);
  return {};
}
