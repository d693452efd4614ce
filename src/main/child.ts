import { UNHEARD_BY_CHILDREN } from '../core/supervision/signals.ts';
import { spawnedRole } from '../io/children.ts';
import { forgetNodeVariables } from '../io/node.ts';
import { seclude } from '../io/seclusion.ts';
import { dropSignals } from '../io/signals.ts';

/** What a child of the supervisor does before its own work. Ends a process that somebody else started. */
export function asChild(): void {
  if (spawnedRole(process.argv.slice(2)) === undefined) {
    process.stderr.write('this is a part of the daemon, which starts it: start vipkeeperd\n');
    process.exit(2);
  }
  forgetNodeVariables();
  seclude();
  dropSignals(UNHEARD_BY_CHILDREN);
}
