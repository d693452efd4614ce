import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { NO_DEBUGGER } from './node.ts';

/** The word in a process's title and command line by which a later life of the daemon recognises its own. */
const MARK = 'vipkeeper-child';
/** A child may not look into `/proc` of its parent, so it gets the namespace as an open file. */
const HANDED = '/proc/self/fd/4';

/**
 * Starts `program` (a compiled module) as the child `role`, with a message channel and our standard error.
 * `execArgv` are options for node; `namespace` is what `spawnedNamespace` gives it; `before` is a command that
 * executes the one after its own words. The child gets a process group of its own: Ctrl-C reaches the supervisor only.
 */
export function spawnRole(
  program: string,
  role: string,
  execArgv: readonly string[] = [],
  namespace?: string,
  before: readonly string[] = [],
): ChildProcess {
  const [execPath = process.execPath, ...words] = [...before, process.execPath, ...NO_DEBUGGER, ...execArgv];
  const handed = namespace === undefined ? undefined : openSync(namespace, 'r');
  try {
    return fork(program, [MARK, role, ...(handed === undefined ? [] : [HANDED])], {
      execPath,
      execArgv: words,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(handed === undefined ? [] : [handed])],
      detached: true,
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
  argv[0] === MARK ? argv[2] : undefined;

/** Whether `pid` is alive and a child of some life of this daemon, in the role. */
export function isOurChild(pid: number, role: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(MARK) && words.includes(role);
  } catch {
    return false; // no such process, or not ours to read
  }
}
