import { fork } from 'node:child_process';
import { resolve } from 'node:path';
import type { Loaded } from '../core/config/load.ts';
import type { Configuration } from '../core/config/model.ts';
import { missingCapabilities } from '../io/capabilities.ts';
import { type Lock, lockFolder } from '../io/lock.ts';
import { NO_DEBUGGER, nodeEnvironment } from '../io/node.ts';
import { pidOf } from '../io/pidfile.ts';
import { onSignal } from '../io/signals.ts';
import { readConfiguration, showFindings, testConfiguration } from './loading.ts';
import {
  type DaemonOptions,
  daemonOptions,
  type GivenOptions,
  PROGRAM,
  pidFiles,
  withFolders,
} from './options.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import { VERSION } from './version.ts';

const EXIT_FAILED = 1;
const EXIT_CONFIGURATION = 2;
const EXIT_PERMISSION = 4;
/** A start takes less than a second. */
const START_LIMIT_MS = 60_000;

/** `vipkeeperd`: reads the configuration, starts the processes that do the work, and answers the operator. */
export async function runDaemon(argv: readonly string[]): Promise<void> {
  const given = daemonOptions(argv, VERSION);
  const { loaded, options, home } = await settle(given);
  if (given.configTest !== undefined) process.exit(test(given, loaded));
  showFindings(loaded);
  const { configuration } = loaded;
  if (configuration === undefined) process.exit(EXIT_CONFIGURATION);
  const missing = missingCapabilities();
  if (missing.length > 0) refuse(EXIT_PERMISSION, `missing ${missing.join(' and ')}: run it as root`);
  const { seclude } = await import('../io/seclusion.ts');
  seclude();
  if (given.clearRemains === true) return clear(options, configuration);
  if (!options.dontFork) return daemonise(argv, options, home);
  claim(options);
  const { buryInherited } = await import('../io/execution.ts');
  buryInherited();
  await (await supervisor(options, configuration)).run();
}

/** Removes what a daemon left that was killed, and ends. */
async function clear(options: DaemonOptions, configuration: Configuration): Promise<void> {
  const lock = claim(options);
  const { clearRemains } = await import('./supervisor/remains.ts');
  clearRemains(configuration, options, (level, message) =>
    process.stderr.write(`${PROGRAM}: ${level}: ${message}\n`),
  );
  lock.release();
}

interface Settled {
  readonly loaded: Loaded;
  readonly options: DaemonOptions;
  /** The network namespace that it was started in, by path, where it has moved to another one. */
  readonly home?: string;
}

/** Reads the configuration in the network namespace that it is for: what it is checked against is there. */
async function settle(given: GivenOptions): Promise<Settled> {
  const loaded = read(given);
  const { own, ipvs } = loaded.namespaces;
  if ((given.namespace ?? own ?? ipvs) === undefined) return { loaded, options: withFolders(given) };
  const { moveToNamespace, NamespaceRefused } = await import('./namespaces.ts');
  try {
    const place = moveToNamespace(given, loaded);
    return { ...place, loaded: read(given) };
  } catch (error) {
    if (!(error instanceof NamespaceRefused)) throw error;
    if (given.configTest === undefined) return refuse(EXIT_PERMISSION, error.message);
    process.stderr.write(`${PROGRAM}: checked from outside: ${error.message}\n`);
    return { loaded, options: withFolders(given) };
  }
}

/** Ends the program where it can't be read whole at this time. */
function read(given: GivenOptions): Loaded {
  try {
    return readConfiguration(given);
  } catch (error) {
    return refuse(EXIT_FAILED, `cannot read the configuration now: ${(error as Error).message}`);
  }
}

/** Loads what only a daemon needs: a configuration test is over before that. */
async function supervisor(options: DaemonOptions, configuration: Configuration): Promise<Supervisor> {
  const { Supervisor } = await import('./supervisor/supervisor.ts');
  try {
    return new Supervisor(options, configuration);
  } catch (error) {
    return refuse(EXIT_FAILED, (error as Error).message);
  }
}

function test(options: GivenOptions, loaded: Loaded): number {
  try {
    return testConfiguration(options, loaded);
  } catch (error) {
    return refuse(EXIT_FAILED, `cannot write the report: ${(error as Error).message}`);
  }
}

/** Says why there is no daemon, to who waits for one that goes to the background too, and ends. */
function refuse(status: number, why: string): never {
  process.stderr.write(`${PROGRAM}: ${why}\n`);
  if (process.connected) process.send?.({ failed: why });
  process.exit(status);
}

/**
 * The run folder is this daemon's from now on, as long as it lives: two daemons there would end each other's processes.
 * Ends the program where another has it, or runs with our pid file.
 */
function claim(options: DaemonOptions): Lock {
  const [own = '', ...others] = pidFiles(options);
  let lock: Lock | undefined;
  try {
    lock = lockFolder(options.runDir);
  } catch (error) {
    return refuse(EXIT_FAILED, `cannot lock the run folder ${options.runDir}: ${(error as Error).message}`);
  }
  if (lock === undefined) {
    const other = pidOf(own, PROGRAM);
    return other === undefined
      ? refuse(EXIT_FAILED, `another one begins or ends in ${options.runDir} now`)
      : alreadyRuns(other, own);
  }
  for (const file of others) {
    const other = pidOf(file, PROGRAM);
    if (other !== undefined) return alreadyRuns(other, file);
  }
  return lock;
}

function alreadyRuns(pid: number, file: string): never {
  return refuse(EXIT_FAILED, `already running as process ${pid} (${file})`);
}

/** Starts the daemon proper in a session of its own; ends when that one is ready, or says why it is not. */
async function daemonise(
  argv: readonly string[],
  options: DaemonOptions,
  home: string | undefined,
): Promise<void> {
  claim(options).release();
  const words = [...argv, '-n', ...absolute(options)];
  const start = () =>
    fork(process.argv[1] ?? '', words, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [...NO_DEBUGGER],
      env: nodeEnvironment(),
    });
  // It goes the same way as we did, from where we came.
  const daemon = home === undefined ? start() : (await import('../io/namespace.ts')).inNamespace(home, start);
  // Who breaks off the command does not want what it starts.
  onSignal('STOP', () => daemon.kill('SIGTERM'));
  setTimeout(() => {
    refuse(EXIT_FAILED, `process ${daemon.pid} goes on trying, but does not work yet; see its log`);
  }, START_LIMIT_MS);
  let failure: string | undefined;
  daemon.on('message', (message: { readonly failed?: string }) => {
    if (message.failed === undefined) process.exit(0);
    failure = message.failed;
  });
  daemon.on('exit', (status, signal) => {
    const end = (): never => {
      const how = signal === null ? `with status ${status}` : `by ${signal}`;
      return refuse(status || EXIT_FAILED, failure ?? `the daemon ended ${how}; see the log`);
    };
    // What it said last may still have to be read.
    if (daemon.connected) daemon.once('disconnect', end);
    else end();
  });
}

/** The daemon's folder is the root: it must keep no file system busy. Its files are where they were. */
function absolute({ useFile, pid, logFile, runDir, stateDir }: DaemonOptions): string[] {
  return [
    ...['--use-file', resolve(useFile), '--run-dir', resolve(runDir), '--state-dir', resolve(stateDir)],
    ...(pid === undefined ? [] : ['--pid', resolve(pid)]),
    ...(logFile === undefined ? [] : ['--log-file', resolve(logFile)]),
  ];
}
