import type { Command } from '../../io/arguments.ts';
import { paint, paintError } from '../../io/screen.ts';
import type { SwitchoverAnswer } from '../supervisor/answers.ts';
import { ask, type CommonOptions } from './ask.ts';
import { look } from './look.ts';
import { follow, mastersAmong } from './successors.ts';

const EXAMPLES = `
Examples:
  vipkeeper switchover         another director takes over all that this one is master of
  vipkeeper switchover VI_1    the same for one virtual router, with its sync group if it is in one`;

type HandOver = SwitchoverAnswer['handOvers'][number];

export function addSwitchover(program: Command): void {
  program
    .command('switchover [router...]')
    .description('have another director take over virtual routers or sync groups; 1 when one stays')
    .option('--json', 'as data')
    .addHelpText('after', EXAMPLES)
    .action(async (routers: string[], _options, self: Command) =>
      switchOver(routers, self.optsWithGlobals()),
    );
}

async function switchOver(routers: readonly string[], options: CommonOptions): Promise<void> {
  const before = await look(options);
  const request = { verb: 'switchover', ...(routers.length > 0 && { routers }) };
  const answer = (await ask(options, request)) as SwitchoverAnswer;
  const { handOvers } = answer;
  if (handOvers.some(({ outcome }) => outcome === 'kept')) process.exitCode = 1;
  if (options.json) {
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  if (handOvers.length === 0) process.stdout.write('this director is master of nothing\n');
  for (const each of handOvers) {
    if (each.outcome === 'kept') process.stderr.write(`vipkeeper: ${lineOf(each)}\n`);
    else process.stdout.write(`${lineOf(each)}\n`);
  }
  const given = handOvers.filter(({ outcome }) => outcome === 'resigned').map(({ name }) => name);
  if (given.length > 0) await follow(options, before, mastersAmong(before, given));
}

function lineOf({ name, outcome, to, why }: HandOver): string {
  switch (outcome) {
    case 'taken':
      return `${name}: ${paint('green', `${to} has taken over`)}`;
    case 'resigned':
      return `${name}: given up for whoever takes it${why === undefined ? '' : `: ${why}`}`;
    case 'kept':
      return `${name}: ${paintError('red', `nobody takes over: ${why}`)}`;
  }
}
