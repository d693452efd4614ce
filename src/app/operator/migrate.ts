import type { Loaded } from '../../core/config/load.ts';
import type { Command } from '../../io/arguments.ts';
import { settingOf, stateOf, systemctl } from '../../io/units.ts';
import { fail } from './ask.ts';

const EXAMPLES = `
Shows what vipkeeper makes of keepalived's configuration: errors, and what it does otherwise or not at all. Changes
nothing, unless it is told to. Of a pair, the backup goes first: both programs speak to each other meanwhile.

Examples:
  vipkeeper migrate               what would be different here
  vipkeeper migrate --take-over   keepalived is stopped and disabled, vipkeeper enabled and started
  vipkeeper migrate --back        the same the other way round`;
const DEFAULT_FILE = '/etc/keepalived/keepalived.conf';
const KEEPALIVED = 'keepalived.service';
const OURS = 'vipkeeper.service';
/** Where the units of distributions have keepalived's options, and its words for them. */
const THEIR_FILES = ['/etc/default/keepalived', '/etc/sysconfig/keepalived'];
const THEIR_OPTIONS = ['DAEMON_ARGS', 'KEEPALIVED_OPTIONS'];
const OUR_FILES = ['/etc/default/vipkeeper'];
const OUR_OPTIONS = ['VIPKEEPER_OPTIONS'];

interface MigrateOptions {
  readonly takeOver?: boolean;
  readonly back?: boolean;
}

export function addMigrate(program: Command): void {
  program
    .command('migrate [file]')
    .description('from keepalived to vipkeeper: what differs; the change, when it is told to; and back')
    .option('--take-over', 'stop and disable keepalived, enable and start vipkeeper')
    .option('--back', 'stop and disable vipkeeper, enable and start keepalived')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, { takeOver, back }: MigrateOptions) => {
      if (takeOver && back) fail('--take-over and --back: one of them', 2);
      try {
        if (back) return change(OURS, KEEPALIVED);
        await compare(file ?? DEFAULT_FILE);
        if (takeOver) change(KEEPALIVED, OURS);
      } catch (error) {
        fail((error as Error).message);
      }
    });
}

/** Shows what differs; ends the program when the file has errors. */
async function compare(file: string): Promise<void> {
  const { readConfiguration, showFindings } = await import('../loading.ts');
  const loaded: Loaded = readConfiguration({ useFile: file } as Parameters<typeof readConfiguration>[0]);
  showFindings(loaded);
  if (loaded.configuration === undefined) fail(`${file} has errors: nothing was changed`, 5);
  const lines = [
    loaded.diagnostics.length === 0
      ? `${file}: vipkeeper does all that it says`
      : `${file}: vipkeeper does what it says, but for the warnings above`,
    ...optionsThatDiffer(),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.stdout.write(`${[KEEPALIVED, OURS].map((unit) => `${unit}: ${wordsOf(unit)}`).join('\n')}\n`);
}

/** The options of the daemons are in files of their own. */
function optionsThatDiffer(): string[] {
  const theirs = settingOf(THEIR_OPTIONS, THEIR_FILES) ?? '';
  const ours = settingOf(OUR_OPTIONS, OUR_FILES) ?? '';
  if (theirs === ours) return [];
  return [
    `keepalived's options are "${theirs}", vipkeeper's "${ours}". The same for both: ` +
      `${OUR_OPTIONS[0]}="${theirs}" in ${OUR_FILES[0]}`,
  ];
}

function wordsOf(unit: string): string {
  const { active, enabled } = stateOf(unit);
  return active === undefined ? 'not installed' : `${active}, ${enabled}`;
}

/** Puts one daemon in the place of the other; when it does not start, all is as it was. Throws why not. */
function change(from: string, to: string): void {
  const before = stateOf(from);
  if (stateOf(to).active === undefined) throw new Error(`${to} is not installed: nothing was changed`);
  if (before.active !== undefined) systemctl(['disable', '--now', from]);
  try {
    systemctl(['enable', '--now', to]);
  } catch (error) {
    systemctl(['disable', '--now', to]);
    if (before.enabled === 'enabled') systemctl(['enable', from]);
    if (before.active === 'active') systemctl(['start', from]);
    throw new Error(`${(error as Error).message}\n${from} is as it was; see: journalctl -u ${to}`);
  }
  process.stdout.write(`${to}: ${wordsOf(to)}; ${from}: ${wordsOf(from)}\n`);
}
