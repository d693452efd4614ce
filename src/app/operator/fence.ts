import { setTimeout as wait } from 'node:timers/promises';
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
  vipkeeper fence confirm lb1   lb1 is off: I have seen it. With this lb2 may take its addresses`;

export function addFence(program: Command): void {
  const fence = program
    .command('fence')
    .description('the devices that switch directors off')
    .addHelpText('after', EXAMPLES);
  fence
    .command('status')
    .description('the devices, and who is being switched off')
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
