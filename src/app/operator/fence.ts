import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { PlannedRun } from '../../core/fence/plan.ts';
import type { FencingReport, StatusReport } from '../../core/status/report.ts';
import type { Command } from '../../io/arguments.ts';
import { fencingLines } from '../fencelines.ts';
import { ask, type CommonOptions, fail } from './ask.ts';
import { look } from './look.ts';

const LOOK_MS = 200;
/** Longer than any agent's timeout. */
const LIMIT_MS = 620_000;

const EXAMPLES = `
Examples:
  vipkeeper fence status        which devices there are, whether they work, who is being switched off
  vipkeeper fence test          ask each device now whether it works
  vipkeeper fence off lb1       switch lb1 off, and wait until its status says so; asks before it does
  vipkeeper fence off lb1 --dry-run   which agents that would run, with which parameters
  vipkeeper fence on lb1 --yes  switch lb1 on again, without a question
  vipkeeper fence confirm lb1   lb1 is off: I have seen it. With this lb2 may take its addresses`;

interface OrderOptions extends CommonOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export function addFence(program: Command): void {
  const fence = program
    .command('fence')
    .description('the devices that switch directors off')
    .addHelpText('after', EXAMPLES);
  fence
    .command('status')
    .description('the devices, who is being switched off, and who was')
    .option('--json', 'as data')
    .action(async (_options, self: Command) => {
      const options: CommonOptions & { readonly json?: boolean } = self.optsWithGlobals();
      const report = await look(options);
      const fencing = fencingOf(report);
      const lines = options.json ? [JSON.stringify(fencing, null, 2)] : fencingLines(fencing, report.time);
      process.stdout.write(`${lines.join('\n')}\n`);
    });
  fence
    .command('test')
    .description('ask each device now whether it works; 1 when one does not')
    .action(async (_options, self: Command) => test(self.optsWithGlobals()));
  for (const order of ['off', 'on'] as const) {
    fence
      .command(`${order} <director>`)
      .description(`switch a director ${order} by its devices; 1 when none did`)
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'say which agents would be run, with which parameters, and run none')
      .addHelpText('after', EXAMPLES)
      .action(async (director: string, _options, self: Command) =>
        power(director, order, self.optsWithGlobals()),
      );
  }
  fence
    .command('confirm <director>')
    .description('this director is off, I answer for it: others may take its addresses')
    .action(async (director: string, _options, self: Command) => {
      await ask(self.optsWithGlobals(), { verb: 'fence-confirm', director });
      process.stdout.write(`${director} counts as off until it is heard\n`);
    });
}

const fencingOf = ({ fencing }: StatusReport): FencingReport =>
  fencing ?? fail('no fence_device is configured');

/** Waits until each device was looked at after now. */
async function test(options: CommonOptions): Promise<void> {
  const { time } = await look(options);
  await ask(options, { verb: 'fence-test' });
  for (let waited = 0; waited < LIMIT_MS; waited += LOOK_MS) {
    const report = await look(options);
    const fencing = fencingOf(report);
    if (fencing.devices.every(({ seen }) => seen !== null && seen > time)) {
      process.stdout.write(`${fencingLines(fencing, report.time).join('\n')}\n`);
      if (fencing.devices.some(({ works }) => works !== true)) process.exitCode = 1;
      return;
    }
    await wait(LOOK_MS);
  }
  fail('not every device has answered');
}

async function power(director: string, order: 'off' | 'on', options: OrderOptions): Promise<void> {
  const { runs } = (await ask(options, { verb: 'fence-plan', director, order })) as Plan;
  if (options.dryRun) {
    process.stdout.write(`${runs.map(runLine).join('\n')}\n`);
    return;
  }
  if (order === 'off' && options.yes !== true) await agreed(director);
  await ask(options, { verb: 'fence-order', director, order });
  for (let waited = 0; waited < LIMIT_MS; waited += LOOK_MS) {
    const { phase } = fencingOf(await look(options)).shots.find(({ target }) => target === director) ?? {};
    if (phase === undefined) fail(`nobody knows what became of it: vipkeeper fence status`);
    if (phase === 'failed') fail(`no fence device switched ${director} ${order}: the log says why`);
    if (phase === order) {
      process.stdout.write(`${director} is ${order}\n`);
      return;
    }
    await wait(LOOK_MS);
  }
  fail('no device has answered');
}

interface Plan {
  readonly runs: readonly PlannedRun[];
}

function runLine({ level, device, agent, action, parameters }: PlannedRun): string {
  const told = Object.entries({ ...parameters, action }).map(([name, value]) => `${name}=${value}`);
  return `level ${level}  ${device}: ${agent} with ${told.join(' ')}`;
}

/** A machine that is switched off loses what it has not written: that is asked first. */
async function agreed(director: string): Promise<void> {
  if (!process.stdin.isTTY) fail(`this switches ${director} off: say --yes where nobody can be asked`, 2);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`This switches ${director} off, like pulling its plug. Go on? [y/N] `);
  asking.close();
  if (!/^y(?:es)?$/i.test(answer.trim())) fail('nothing was done');
}
