import { join } from 'node:path';
import { type Ip, isMulticast, parseIp, parsePrefix } from '../../core/ip.ts';
import { type DirectorWishes, directorProblems, directorSettings } from '../../core/preparation/director.ts';
import { isInForce, plan, planUndo, remember } from '../../core/preparation/plan.ts';
import { realServerProblems, realServerSettings } from '../../core/preparation/realserver.ts';
import {
  type Argv,
  type Change,
  type HostFacts,
  makeCommands,
  type Setting,
  shellLine,
  subjectOf,
  undoCommands,
} from '../../core/preparation/setting.ts';
import { type Command, InvalidArgumentError, Option } from '../../io/arguments.ts';
import { readHostFacts, runCommand } from '../../io/kernelsettings.ts';
import { readLedger, writeLedger } from '../../io/ledger.ts';
import { aligned, paint, paintError } from '../../io/screen.ts';

/** `vipkeeper realserver` and `vipkeeper director`: the kernel settings that a host of a cluster needs. */

interface PrepareOptions {
  readonly stateDir: string;
  readonly dryRun?: boolean;
}
interface ShowOptions extends PrepareOptions {
  readonly json?: boolean;
}
interface RealServerOptions extends PrepareOptions {
  readonly method: 'dr' | 'tun';
}
interface DirectorOptions extends PrepareOptions, DirectorWishes {}

/** What a kind of host wants, and what speaks against it. */
interface Wishes {
  settings(facts: HostFacts): readonly Setting[];
  problems(facts: HostFacts): readonly string[];
}

const REAL_SERVER_EXAMPLES = `
Examples:
  vipkeeper realserver prepare 10.0.0.100              direct routing: on lo, no ARP for it
  vipkeeper realserver prepare 10.0.0.100 2001:db8::100 --method tun
  vipkeeper realserver prepare 10.0.0.100 --dry-run    only print the commands
  vipkeeper realserver show                            what was done, and whether it is still so
  vipkeeper realserver undo                            back to what it was

Where arp_ignore must stay as it is, nft or arptables can do it: vipkeeper(8), REAL SERVERS.`;

const DIRECTOR_EXAMPLES = `
Examples:
  vipkeeper director prepare                                   forward, send no redirects
  vipkeeper director prepare --masquerade 192.168.1.0/24       NAT: the real servers reach the world through here
  vipkeeper director prepare --ipv6 --vs expire_nodest_conn=1 --vs expire_quiescent_template=1
  vipkeeper director prepare --dry-run                         only print the commands
  vipkeeper director show
  vipkeeper director undo`;

/** Adds both commands to the operator's program. */
export function addPreparation(program: Command): void {
  realServerCommand(group(program, 'realserver', 'prepare this real server for direct routing or tunnels'));
  directorCommand(group(program, 'director', 'prepare this director: forwarding, redirects, conntrack, NAT'));
}

function realServerCommand(realserver: Command): void {
  const method = new Option('--method <name>', 'how packets come: direct routing, or IP in IP').choices([
    'dr',
    'tun',
  ]);
  realserver.addHelpText('after', REAL_SERVER_EXAMPLES);
  preparing(realserver, 'prepare <vip...>', 'take packets for these addresses, and keep quiet about them')
    .addOption(method.default('dr'))
    .action((words: readonly string[], _options, self: Command) => {
      const { method, ...options }: RealServerOptions = self.optsWithGlobals();
      const wishes = { method, vips: words.map(vipOf) };
      prepare(ledgerOf(options, 'realserver'), options.dryRun ?? false, {
        settings: (facts) => realServerSettings(wishes, facts),
        problems: (facts) => realServerProblems(wishes, facts),
      });
    });
}

function directorCommand(director: Command): void {
  director.addHelpText('after', DIRECTOR_EXAMPLES);
  preparing(director, 'prepare', 'forward IPv4, and send no redirects')
    .option('--ipv6', 'forward IPv6 too', false)
    .option('--conntrack', 'let connection tracking see the connections of IPVS', false)
    .option('--masquerade <network>', 'give what leaves this network our address; repeatable', networks, [])
    .option('--vs <name=value>', 'a sysctl below net.ipv4.vs; repeatable', sysctls, {})
    .action((_options, self: Command) => {
      const options: DirectorOptions = self.optsWithGlobals();
      prepare(ledgerOf(options, 'director'), options.dryRun ?? false, {
        settings: (facts) => directorSettings(options, facts),
        problems: (facts) => directorProblems(options, facts),
      });
    });
}

/** A command with `show` and `undo`; its `prepare` is added by whoever knows what to prepare. */
function group(program: Command, name: string, description: string): Command {
  const command = program
    .command(name)
    .description(description)
    .option('--state-dir <folder>', 'where the changes are remembered', '/var/lib/vipkeeper');
  command
    .command('show')
    .description('what was changed, and whether it is still so')
    .option('--json', 'as data')
    .action((_options, self: Command) =>
      show(ledgerOf(self.optsWithGlobals(), name), self.optsWithGlobals()),
    );
  command
    .command('undo')
    .description('take back what was changed and is still so')
    .option('--dry-run', 'only print the commands')
    .action((_options, self: Command) => {
      const options: PrepareOptions = self.optsWithGlobals();
      undo(ledgerOf(options, name), options.dryRun ?? false);
    });
  return command;
}

const preparing = (command: Command, usage: string, description: string): Command =>
  command.command(usage).description(description).option('--dry-run', 'only print the commands');

const ledgerOf = ({ stateDir }: PrepareOptions, name: string): string => join(stateDir, `${name}.changes`);

function vipOf(text: string): Ip {
  const address = parseIp(text);
  if (address === undefined || isMulticast(address)) fail(`${text}: not the address of a host`, 2);
  return address;
}

function networks(text: string, before: readonly string[]): readonly string[] {
  const prefix = parsePrefix(text);
  if (prefix === undefined || !text.includes('/')) {
    throw new InvalidArgumentError('A network is wanted, as 192.168.1.0/24.');
  }
  return [...before, `${prefix.ip}/${prefix.length}`];
}

function sysctls(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, name, value] = /^([a-z_]+)=([-\d]+(?: [-\d]+)*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('A name and a number are wanted, as expire_nodest_conn=1.');
  }
  return { ...before, [name]: value };
}

const readChanges = (ledger: string): Change[] =>
  readLedger(ledger).map((line) => JSON.parse(line) as Change);
const writeChanges = (ledger: string, changes: readonly Change[]): void =>
  writeLedger(
    ledger,
    changes.map((change) => JSON.stringify(change)),
  );

function prepare(ledger: string, isDry: boolean, wishes: Wishes): void {
  const facts = readHostFacts();
  const problems = wishes.problems(facts);
  if (problems.length > 0) fail(problems.join('\n'));
  if (isDry) {
    print(plan(wishes.settings(facts), facts).flatMap(makeCommands));
    return;
  }
  mustBeRoot();
  const modules = plan(wishes.settings(facts), facts).filter(({ kind }) => kind === 'module');
  for (const change of modules) make(ledger, change);
  // A module brings devices and sysctls along.
  const then = modules.length === 0 ? facts : readHostFacts();
  const missing = wishes.problems(then);
  if (missing.length > 0) fail(missing.join('\n'));
  const changes = plan(wishes.settings(then), then);
  for (const change of changes) make(ledger, change);
  if (modules.length + changes.length === 0) process.stdout.write('all is as it should be\n');
}

/** Remembers a change, then makes it: one that is remembered and not made is no harm. */
function make(ledger: string, change: Change): void {
  writeChanges(ledger, remember(readChanges(ledger), change));
  for (const argv of makeCommands(change)) {
    const why = runCommand(argv);
    if (why !== undefined) fail(`${shellLine(argv)}: ${why}\nwhat was done so far is taken back by "undo"`);
    print([argv]);
  }
}

function undo(ledger: string, isDry: boolean): void {
  const changes = readChanges(ledger);
  const { undo, leave } = planUndo(changes, readHostFacts());
  if (isDry) {
    print(undo.flatMap(undoCommands));
    return;
  }
  mustBeRoot();
  for (const change of leave)
    process.stdout.write(`${paint('yellow', 'left')}: ${subjectOf(change)} has been changed\n`);
  for (const change of undo) {
    for (const argv of undoCommands(change)) {
      const why = runCommand(argv);
      if (why === undefined) print([argv]);
      // A module that somebody else uses by now stays, and nothing is lost by that.
      else if (change.kind === 'module')
        process.stdout.write(`${paint('yellow', 'left')}: ${subjectOf(change)}\n`);
      else fail(`${shellLine(argv)}: ${why}`);
    }
  }
  writeChanges(ledger, []);
  if (changes.length === 0) process.stdout.write('nothing was changed since the system started\n');
}

function show(ledger: string, { json }: ShowOptions): void {
  const facts = readHostFacts();
  const rows = readChanges(ledger).map((change) => ({
    setting: subjectOf(change),
    ...(change.kind === 'sysctl' && {
      value: change.value,
      before: change.was ?? null,
      now: facts.sysctls[change.key] ?? null,
    }),
    inForce: isInForce(change, facts),
  }));
  if (json) {
    process.stdout.write(`${JSON.stringify({ settings: rows }, null, 2)}\n`);
    return;
  }
  if (rows.length === 0) return void process.stdout.write('nothing was changed since the system started\n');
  const cells = rows.map(({ setting, value = '', before = '', now = '', inForce }) => [
    setting,
    value,
    before ?? '-',
    inForce ? paint('green', 'in force') : paint('red', now ? `changed to ${now}` : 'gone'),
  ]);
  const header = ['SETTING', 'VALUE', 'BEFORE', 'STATE'].map((name) => paint('gray', name));
  process.stdout.write(`${aligned([header, ...cells]).join('\n')}\n`);
}

const print = (commands: readonly Argv[]): void =>
  void process.stdout.write(commands.map((argv) => `${shellLine(argv)}\n`).join(''));

function mustBeRoot(): void {
  if (process.geteuid?.() !== 0)
    fail('only root may change the settings of the kernel (--dry-run prints how)');
}

function fail(message: string, status = 1): never {
  process.stderr.write(`${paintError('red', 'vipkeeper:')} ${message}\n`);
  process.exit(status);
}
