import { dashHint } from '../core/ipvsadm/dashes.ts';
import { SIGNALS, type SignalName } from '../core/supervision/signals.ts';
import { type Command, command, InvalidArgumentError, Option } from '../io/arguments.ts';
import type { LogTargets } from '../io/log.ts';

/** The daemon's command line: keepalived's options, and `--run-dir`, `--state-dir` of ours. */
export interface DaemonOptions {
  readonly useFile: string;
  /** -P: VRRP only; -C: checks only. */
  readonly vrrp: boolean;
  readonly check: boolean;
  /** False with -B: no BFD sessions. */
  readonly bfd: boolean;
  readonly dontFork: boolean;
  readonly logConsole: boolean;
  readonly logDetail: boolean;
  readonly logFacility: number;
  readonly logFile?: string;
  readonly syslog: boolean;
  readonly dontReleaseVrrp: boolean;
  /** Remove what a daemon left that was killed, and do nothing else. */
  readonly clearRemains?: boolean;
  readonly dontReleaseIpvs: boolean;
  readonly dontRespawn: boolean;
  readonly pid?: string;
  readonly configId?: string;
  /** `-t`: true to standard error, text for a file. */
  readonly configTest?: string | true;
  readonly runDir: string;
  readonly stateDir: string;
  /** -s: the network namespace's name; `net_namespace` where it is absent. */
  readonly namespace?: string;
  /** The path of the network namespace of the IPVS table, where that is another one. */
  readonly ipvsNamespace?: string;
}

/** Before it is known which namespace the daemon is for: the folders' names depend on it. */
export type GivenOptions = Omit<DaemonOptions, 'runDir' | 'stateDir'> &
  Partial<Pick<DaemonOptions, 'runDir' | 'stateDir'>>;

export const PROGRAM = 'vipkeeperd';
/** In the run directory: root's, and the one on which others may look. */
export const CONTROL_SOCKET = 'control.sock';
export const STATUS_SOCKET = 'status.sock';
/** Its members may look. */
export const STATUS_GROUP = 'vipkeeper';
const RUN_DIR = '/run/vipkeeper';
const STATE_DIR = '/var/lib/vipkeeper';
const LOG_FILE = '/var/log/vipkeeper.log';
const FACILITIES: Record<string, number> = { user: 1, daemon: 3 };
const LOCAL0 = 16;

function facility(text: string): number {
  const local = /^(?:local)?([0-7])$/.exec(text);
  const number = local === null ? FACILITIES[text] : LOCAL0 + Number(local[1]);
  if (number === undefined) throw new InvalidArgumentError('It is 0-7, local0-local7, user or daemon.');
  return number;
}

/** As keepalived: the number on standard output; another word is an error with status 1. */
function signalNumber(name: string): never {
  const number = SIGNALS[name as SignalName];
  if (number === undefined) throw new InvalidArgumentError(`It is ${Object.keys(SIGNALS).join(', ')}.`);
  process.stdout.write(`${number}\n`);
  process.exit(0);
}

const EXAMPLES = `
Examples:
  vipkeeperd -t                      check /etc/keepalived/keepalived.conf and say all that is wrong
  vipkeeperd -nl                     run in the foreground, log to the terminal
  vipkeeperd -P -f /etc/vrrp.conf    only VRRP, for a router without IPVS
  kill -HUP $(cat /run/vipkeeper/vipkeeperd.pid)    read the configuration again
  kill -$(vipkeeperd --signum=JSON) PID    write /tmp/keepalived.json`;

/** Switches that are not given. */
const OFF = {
  vrrp: false,
  check: false,
  dontFork: false,
  logDetail: false,
  logConsole: false,
  dontReleaseVrrp: false,
  dontReleaseIpvs: false,
  dontRespawn: false,
};

/** Reads `argv` (without node and script); prints and exits for --help, --version and usage errors. */
export function daemonOptions(argv: readonly string[], version: string): GivenOptions {
  const daemon = daemonCommand(version);
  const wrongDash = dashHint(argv);
  if (wrongDash !== undefined) daemon.error(`error: ${wrongDash}`);
  const program = daemon.parse(argv, { from: 'user' });
  const { logFile, no_bfd: noBfd = false, ...given } = program.opts();
  const path = logFile === true ? LOG_FILE : (logFile as string | undefined);
  return { ...OFF, bfd: !noBfd, ...given, ...(path === undefined ? {} : { logFile: path }) } as GivenOptions;
}

/** The words of the daemon's command line. */
export function daemonCommand(version: string): Command {
  return command('vipkeeperd', 'High availability for Linux Virtual Server directors.')
    .version(version, '-v, --version', 'say the version')
    .helpOption('-h, --help', 'list the options')
    .option('-f, --use-file <file>', 'configuration file', '/etc/keepalived/keepalived.conf')
    .option('-P, --vrrp', 'only VRRP: no health checks, no IPVS table')
    .option('-C, --check', 'only health checks: no VRRP')
    .option('-B, --no_bfd', 'no BFD sessions')
    .option('-n, --dont-fork', 'stay in the foreground')
    .option('-l, --log-console', 'log to standard error')
    .option(
      '-D, --log-detail',
      'log in detail: adverts, requests to the kernel, messages between the processes',
    )
    .addOption(
      new Option('-S, --log-facility <name>', 'syslog facility').argParser(facility).default(3, 'daemon'),
    )
    .option('-g, --log-file [file]', `log to a file too (default: ${LOG_FILE})`)
    .option('-G, --no-syslog', 'do not log to syslog')
    .option('-V, --dont-release-vrrp', 'leave the virtual addresses in place on stop')
    .option('-I, --dont-release-ipvs', 'leave the IPVS table in place on stop')
    .option('-R, --dont-respawn', 'do not restart child processes')
    .option('-p, --pid <file>', 'another pid file of the daemon')
    .option('-i, --config-id <id>', 'the name that @id lines are for (default: the host name)')
    .option(
      '-t, --config-test [file]',
      'check the configuration and exit: 0 good, 4 unreadable, 5 errors, 6 unsafe scripts',
    )
    .option('-s, --namespace <name>', 'run in this network namespace (ip netns), whatever net_namespace says')
    .addOption(
      new Option('--signum <what>', 'say the number of the signal that does it, and exit').argParser(
        signalNumber,
      ),
    )
    .option('--clear-remains', 'remove what a daemon that was killed left: addresses, leases; and exit')
    .option('--run-dir <folder>', `pid files and the control socket (default: ${RUN_DIR}[/NAMESPACE])`)
    .option('--state-dir <folder>', `the operator's decisions (default: ${STATE_DIR}[/NAMESPACE])`)
    .addHelpText('after', EXAMPLES);
}

/** With the folders of a daemon in this namespace: each has its own, or they would end each other's processes. */
export const withFolders = (options: GivenOptions, namespace?: string): DaemonOptions => ({
  ...options,
  runDir: options.runDir ?? folderOf(RUN_DIR, namespace),
  stateDir: options.stateDir ?? folderOf(STATE_DIR, namespace),
});

/** A folder of a daemon that runs in a network namespace, or in none by name. */
const folderOf = (folder: string, namespace: string | undefined): string =>
  namespace === undefined ? folder : `${folder}/${namespace}`;

/** Where the daemon of a namespace can be asked. */
export const runDirOf = (namespace: string | undefined): string => folderOf(RUN_DIR, namespace);

/** The run directory's pid file is always written: two daemons there would end each other's processes. */
export function pidFiles({ pid, runDir }: DaemonOptions): string[] {
  const own = `${runDir}/${PROGRAM}.pid`;
  return pid === undefined || pid === own ? [own] : [own, pid];
}

/** Where the daemon logs, and what. */
export const logTargets = ({
  logConsole: console,
  syslog,
  logDetail: detail,
  logFacility: facility,
  logFile: file,
}: DaemonOptions): LogTargets => ({
  ...{ console, syslog, detail, facility },
  ...(file === undefined ? {} : { file }),
});
