import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { NO_DEBUGGER, nodeEnvironment } from './node.ts';

/** The word in a process's title and command line by which a later life of the daemon recognises its own. */
const MARK = 'vipkeeper-child';
/** A child may not look into `/proc` of its parent, so it gets the namespace as an open file. */
const HANDED = '/proc/self/fd/4';

/** A child to be started. */
export interface RoleStart {
  /** A script of Node. */
  readonly program: string;
  readonly role: string;
  /** Of the daemon: its children are known by it. */
  readonly runDir: string;
  /** Options for node. */
  readonly execArgv?: readonly string[];
  /** What `spawnedNamespace` gives it. */
  readonly namespace?: string | undefined;
  /** A command that executes the one after its own words. */
  readonly before?: readonly string[];
}

/**
 * Starts a child, with a message channel and our standard error. It gets a process group of its own: Ctrl-C reaches the
 * supervisor only. Throws what the system refuses, unless that comes as the child's `error`.
 */
export function spawnRole({
  program,
  role,
  runDir,
  execArgv = [],
  namespace,
  before = [],
}: RoleStart): ChildProcess {
  const [execPath = process.execPath, ...words] = [...before, process.execPath, ...NO_DEBUGGER, ...execArgv];
  const handed = namespace === undefined ? undefined : openSync(namespace, 'r');
  try {
    return fork(program, [MARK, role, runDir, ...(handed === undefined ? [] : [HANDED])], {
      execPath,
      execArgv: words,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(handed === undefined ? [] : [handed])],
      detached: true,
      env: nodeEnvironment(),
    });
  } finally {
    if (handed !== undefined) closeSync(handed);
  }
}

/** The role that this process was started for by `spawnRole`, `undefined` in a process that a user started. */
export function spawnedRole(argv: readonly string[]): string | undefined {
  return argv[0] === MARK ? argv[1] : undefined;
}

/** The network namespace of its IPVS table, by path, if that is not the one that it runs in. */
export const spawnedNamespace = (argv: readonly string[] = process.argv.slice(2)): string | undefined =>
  argv[0] === MARK ? argv[3] : undefined;

/** The run folder of the daemon whose child this is. */
export const spawnedFolder = (argv: readonly string[] = process.argv.slice(2)): string =>
  argv[0] === MARK ? (argv[2] ?? '') : '';

/** Does nothing to a process that is gone. */
export function signal(pid: number, what: NodeJS.Signals): void {
  try {
    process.kill(pid, what);
  } catch {
    // It ended in this moment.
  }
}

/** Where a child in that role whose supervisor is gone waits for the next one. */
export const successionPath = (runDir: string, role: string): string => `${runDir}/${role}.orphan`;

/**
 * The living processes in the role of the daemon with this run folder (an absolute path), by their id. They are known
 * by what they were started with, and not by a file, which may be missing; the folder is looked at from where they are,
 * so that the daemons of other containers keep theirs. Throws what the system refuses.
 */
export const childrenOf = (role: string, runDir: string): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isOurChild(pid, role, runDir));

function isOurChild(pid: number, role: string, runDir: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const mark = words.indexOf(MARK);
    if (mark < 0 || words[mark + 1] !== role || words[mark + 2] !== runDir) return false;
    return isSameFolder(pid, runDir);
  } catch {
    return false; // no such process, or not ours to read
  }
}

/** Whether the process has the same folder by this name; who may not look there goes by its number here and there. */
function isSameFolder(pid: number, folder: string): boolean {
  try {
    const [theirs, ours] = [`/proc/${pid}/root${folder}`, folder].map((path) => statSync(path));
    return theirs?.dev === ours?.dev && theirs?.ino === ours?.ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return false;
    return numbersOf(pid) === numbersOf('self');
  }
}

/** In how many process namespaces it has a number: a container's processes have more. */
const numbersOf = (pid: number | 'self'): number | undefined =>
  /^NSpid:(.*)$/m
    .exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    ?.trim()
    .split(/\s+/).length;
