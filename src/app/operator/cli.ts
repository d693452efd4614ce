import { dashHint } from '../../core/ipvsadm/dashes.ts';
import { type Command, command } from '../../io/arguments.ts';
import type { CheckOptions } from '../loading.ts';
import { daemonCommand, runDirOf } from '../options.ts';
import type { Reload } from '../status.ts';
import { VERSION } from '../version.ts';
import { ask, fail } from './ask.ts';
import { bashCompletion } from './completion.ts';
import { addDoctor } from './doctor.ts';
import { addDrain } from './drain.ts';
import { addExplain } from './explain.ts';
import { addFence } from './fence.ts';
import { addGenhash } from './genhash.ts';
import type { KeywordsOptions } from './keywords.ts';
import { addMaintenance } from './maintenance.ts';
import { addMigrate } from './migrate.ts';
import { listsOf } from './names.ts';
import { addPreparation } from './prepare.ts';
import { addRecord } from './record.ts';
import { addReexec } from './reexec.ts';
import { addReplay } from './replay.ts';
import { addStatus } from './status.ts';
import { addSwitchover } from './switchover.ts';
import { addSync } from './sync.ts';

const EXAMPLES = `
Examples:
  vipkeeper status                     who is master, since when and why; servers; processes
  vipkeeper status --json | jq .vrrp   the same for programs
  vipkeeper status --check             the same for monitoring: one line and an exit status
  vipkeeper explain 10.0.0.100         why this director has the address or not; what is served
  vipkeeper explain 192.0.2.7:80       why this real server is down, since when, what its checks saw
  vipkeeper drain 192.0.2.7            no new connections; out when those that it has are over
  vipkeeper maintenance on             give up all virtual addresses, over restarts too, until "off"
  vipkeeper switchover                 another director takes over, without a gap
  vipkeeper check keepalived.conf      everything that is wrong with a configuration
  vipkeeper doctor                     what on this host keeps the configuration from working
  vipkeeper realserver prepare 10.0.0.100   take packets for the VIP here, and do not answer ARP`;

/** `vipkeeper`: the operator's program. */
export async function runCli(argv: readonly string[]): Promise<void> {
  const wrongDash = dashHint(argv);
  if (wrongDash !== undefined) fail(wrongDash, 2);
  const program = command('vipkeeper', 'Asks and directs the vipkeeperd of this host.')
    .version(VERSION, '-v, --version', 'say the version')
    .helpOption('-h, --help', 'list the options')
    .helpCommand('help [command]', 'explain a command')
    .option('-s, --namespace <name>', 'the daemon of this network namespace')
    .option('--run-dir <folder>', `the daemon's run directory (default: ${runDirOf(undefined)}[/NAMESPACE])`)
    .addHelpText('after', EXAMPLES);
  addStatus(program);
  addExplain(program);
  addDrain(program);
  program
    .command('reload')
    .description('read the configuration again; one with errors is refused')
    .action(async (_options, self) => {
      const answer = await ask(self.optsWithGlobals(), { verb: 'reload' });
      const { applied, complaints, changes } = answer as Reload;
      for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
      if (!applied) fail('reload refused: the running configuration stays in force');
      process.stdout.write(`reloaded: ${changes}\n`);
    });
  addReexec(program);
  addMaintenance(program);
  addSwitchover(program);
  addRecord(program);
  addReplay(program);
  addLanguage(program);
  addDoctor(program);
  addMigrate(program);
  addFence(program);
  addSync(program);
  const genhash = addGenhash(program);
  addPreparation(program);
  program
    .command('completion')
    .description('completion of words for bash: source <(vipkeeper completion)')
    .option('--servers', 'the names of the real servers, for completion')
    .option('--services', 'the names of the virtual servers, for completion')
    .option('--names', 'both, and the virtual routers and their addresses, for completion')
    .option('--routers', 'the names of the virtual routers and sync groups, for completion')
    .option('--directors', 'the directors that can be switched off, for completion')
    .option('--keywords', 'the keywords of the configuration, for completion')
    .action(async (_options, self) => {
      const lists = await listsOf(self.optsWithGlobals());
      const text =
        lists === undefined ? bashCompletion([program, daemonCommand(VERSION)]) : `${lists.join('\n')}\n`;
      process.stdout.write(text);
    });
  // Its -v is keepalived's, not the version.
  if (argv[0] === genhash.name()) await genhash.parseAsync(argv.slice(1), { from: 'user' });
  else await program.parseAsync(argv, { from: 'user' });
}

/** What concerns the configuration, and needs no daemon; no other command loads its keywords. */
function addLanguage(program: Command): void {
  program
    .command('check <file>')
    .description('check a configuration: 0 clean, 5 errors')
    .option('--json', 'the findings as data')
    .option('--strict', 'warnings count as errors')
    .option('--print', 'what it means, in canonical form; passwords and keys are hidden')
    .option('--secrets', 'with --print: passwords and keys too')
    .action(async (file: string, options: CheckOptions) => {
      const { checkFile } = await import('../loading.ts');
      process.exitCode = checkFile(file, options);
    });
  program
    .command('keywords [word]')
    .description(
      'the keywords of the configuration, or those with the word: what they do, and whether they work',
    )
    .option('--json', 'as data')
    .option('--manual', 'the manual page vipkeeper.conf(5)')
    .action(async (word: string | undefined, options: KeywordsOptions) => {
      const { keywordsText } = await import('./keywords.ts');
      process.stdout.write(keywordsText(word, options));
    });
}
