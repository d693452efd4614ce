import type { StatusReport } from '../../core/status/report.ts';
import { enterNamespace, isInNamespace, namespacePath } from '../../io/namespace.ts';
import { type CommonOptions, fail } from './ask.ts';

/** To the network namespace of the daemon: what is to be looked at is there. Ends the program when it may not. */
export function enterNamespaceOf({ namespace }: CommonOptions, report: StatusReport | undefined): void {
  const pid = report?.pid ?? report?.processes.find((each) => each.pid !== null)?.pid;
  const path = pid ? `/proc/${pid}/ns/net` : namespace === undefined ? undefined : namespacePath(namespace);
  if (path === undefined) return;
  try {
    if (!isInNamespace(path)) enterNamespace(path);
  } catch (error) {
    fail(`the network namespace of the daemon can't be entered: ${(error as Error).message}`);
  }
}
