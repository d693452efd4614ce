import { setTimeout as wait } from 'node:timers/promises';
import type { StatusReport } from '../../core/status/report.ts';
import { mastersOf, patience, type Takeover, takeovers } from '../../core/status/takeover.ts';
import type { Command } from '../../io/arguments.ts';
import { paint, paintError } from '../../io/screen.ts';
import { ask, type CommonOptions, fail } from './ask.ts';
import { look } from './look.ts';

const LOOK_MS = 200;

interface MaintenanceOptions extends CommonOptions {
  readonly wait?: boolean;
}

export function addMaintenance(program: Command): void {
  program
    .command('maintenance <on|off>')
    .description('give up all virtual addresses and stay without, or come back')
    .option('--no-wait', 'do not wait to see who takes over')
    .action(async (word: string, _options, self: Command) => {
      if (word !== 'on' && word !== 'off') fail(`maintenance on, or maintenance off; not "${word}"`);
      const options: MaintenanceOptions = self.optsWithGlobals();
      const before = await look(options);
      await ask(options, { verb: 'maintenance', on: word === 'on' });
      process.stdout.write(`maintenance ${word}\n`);
      if (word === 'on' && options.wait !== false) await follow(options, before);
    });
}

/** Waits until others are master of what this director gave up, or for as long as one that lives would take. */
async function follow(options: CommonOptions, before: StatusReport): Promise<void> {
  const masters = mastersOf(before);
  const limit = patience(masters);
  let now = before;
  let found: readonly Takeover[] = masters.map((router) => ({ router, by: undefined }));
  for (let looks = 0; found.some(({ by }) => by === undefined) && looks * LOOK_MS < limit * 1000; looks++) {
    await wait(LOOK_MS);
    now = await look(options);
    found = takeovers(masters, before.time, now);
  }
  const isSilent = now.processes.some(
    ({ role, pid, silent }) => role === 'vrrp' && (pid === null || silent !== null),
  );
  for (const { router, by } of found) {
    if (by !== undefined) process.stdout.write(`${router.name}: ${paint('green', `${by} has taken over`)}\n`);
  }
  for (const { router, by } of found) {
    if (by !== undefined) continue;
    const addresses = router.addresses.map(({ address }) => address);
    const which = `${addresses.join(', ') || 'it'} ${addresses.length > 1 ? 'are' : 'is'}`;
    const lost = isSilent
      ? 'who has taken over is not known: the vrrp process says nothing'
      : `nobody has taken over within ${limit} s: ${which} nowhere`;
    process.stderr.write(`vipkeeper: ${router.name}: ${paintError('red', lost)}\n`);
  }
}
