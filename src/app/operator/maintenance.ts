import type { Command } from '../../io/arguments.ts';
import { ask, type CommonOptions, fail } from './ask.ts';
import { look } from './look.ts';
import { follow } from './successors.ts';

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
