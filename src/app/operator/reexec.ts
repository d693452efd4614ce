import { setTimeout as wait } from 'node:timers/promises';
import type { StatusReport } from '../../core/status/report.ts';
import { mastersOf } from '../../core/status/takeover.ts';
import type { Command } from '../../io/arguments.ts';
import { ask, type CommonOptions, fail } from './ask.ts';
import { look, tryLook } from './look.ts';

const LOOK_MS = 100;
const LIMIT_MS = 30_000;
/** The exit status when the daemon goes on, and another director is master. */
const NOT_MASTER = 3;
const DECIDED: readonly (string | null)[] = ['MASTER', 'BACKUP', 'FAULT'];

const EXAMPLES = `
No address moves, but with votes (a witness, fencing) or auth_type AH: there another director takes over.
Ends with 0; with 1 when the daemon refuses or does not come back; with ${NOT_MASTER} when another director took over.

Examples:
  vipkeeper reexec    after an upgrade of Node or by npm; the packages do it themselves`;

export function addReexec(program: Command): void {
  program
    .command('reexec')
    .description('have the daemon go on as the program that is installed now')
    .addHelpText('after', EXAMPLES)
    .action(async (_options, self: Command) => {
      const options: CommonOptions = self.optsWithGlobals();
      const before = await look(options);
      if (!before.running) fail('the daemon does not answer: start it');
      const asked = performance.now();
      await ask(options, { verb: 'reexec' });
      const now = await begun(options, before, asked);
      const masters = new Set(mastersOf(now).map(({ name }) => name));
      const lost = mastersOf(before).filter(({ name }) => !masters.has(name));
      const names = lost.map(({ name }) => name).join(', ');
      if (lost.length > 0)
        fail(`the daemon runs as ${now.version}, and is no longer master of ${names}`, NOT_MASTER);
      process.stdout.write(`the daemon runs as ${now.version}\n`);
    });
}

/** Waits until a daemon that began after `asked` tells of all that there was; ends the program when there is none. */
async function begun(options: CommonOptions, before: StatusReport, asked: number): Promise<StatusReport> {
  for (;;) {
    await wait(LOOK_MS);
    const found = await tryLook(options);
    const passed = performance.now() - asked;
    if ('report' in found && isBegun(found.report, before, passed)) return found.report;
    if (passed > LIMIT_MS)
      fail('the daemon is not as it was after 30 s; see its log, and "vipkeeper status"');
  }
}

function isBegun(now: StatusReport, before: StatusReport, passed: number): boolean {
  if (!now.running || (now.uptime ?? 0) * 1000 > passed) return false;
  const living = now.processes.filter(({ pid, silent }) => pid !== null && silent === null);
  const roles = new Set(living.map(({ role }) => role));
  if (before.processes.some(({ role }) => !roles.has(role))) return false;
  const states = new Map(now.vrrp?.instances.map(({ name, state }) => [name, state]));
  return mastersOf(before).every(({ name }) => DECIDED.includes(states.get(name) ?? null));
}
