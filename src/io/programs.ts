import { spawn } from 'node:child_process';
import { afresh } from './afresh.ts';
import { notExecutable } from './executable.ts';

/** How a program ended; `failed` when it could not be started, with `shortage` because this host lacks something. */
export type ProgramEnd =
  | { readonly type: 'exited'; readonly status: number | null; readonly signal: string | null }
  | { readonly type: 'failed'; readonly why: string; readonly shortage?: boolean };

/** Why a program cannot be started (execve(2), fork(2)). */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program, or the one that its #! line names',
  EACCES: 'it is not executable',
  ENOEXEC: 'it is no program: its first line does not begin with #!',
  EPERM: 'this process may not become its user',
};
/** What says that a command before the program may not start it. */
const NOT_STARTED = 126;
const SHORTAGES: Readonly<Record<string, string>> = {
  EAGAIN: 'too many processes',
  ENOMEM: 'no memory for a process',
  EMFILE: 'this process has too many open files; raise LimitNOFILE',
  ENFILE: 'this system has too many open files; raise fs.file-max',
};

function notStarted(code = '', message = code): ProgramEnd {
  const shortage = SHORTAGES[code];
  if (shortage !== undefined) return { type: 'failed', why: `${shortage} (${code})`, shortage: true };
  const reason = REASONS[code];
  return { type: 'failed', why: reason === undefined ? message : `${reason} (${code})` };
}

export interface Program {
  /** Reaches all processes that it started, unless they left its group. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** One that was started here, in a group of its own. */
export interface GroupedProgram extends Program {
  /** Kills what it has left behind in its group; to be called when it has just ended. */
  killRest(): void;
}

/**
 * Starts a program without a shell, in a process group of its own, with nothing to read and nowhere to write.
 * `ended` is called once, never before this returns.
 */
export function startProgram(
  command: readonly string[],
  user: { readonly uid: number; readonly gid: number } | undefined,
  ended: (end: ProgramEnd) => void,
): GroupedProgram {
  let over = false;
  const end = (how: ProgramEnd): void => {
    if (over) return;
    over = true;
    ended(how);
  };
  const never = (code?: string, message?: string): GroupedProgram => {
    setImmediate(() => end(notStarted(code, message)));
    return { kill: () => undefined, killRest: () => undefined };
  };
  try {
    const missing = notExecutable(command[0] ?? '');
    if (missing !== undefined) return never(missing);
    const { command: cleanly, identity } = afresh(command, user && { ...user, groups: false });
    const [program = '', ...words] = cleanly;
    const child = spawn(program, words, { stdio: 'ignore', detached: true, ...identity });
    const direct = cleanly.length === command.length;
    child.once('exit', (status, signal) => {
      const started = direct || status !== NOT_STARTED;
      end(started ? { type: 'exited', status, signal } : notStarted('EACCES'));
    });
    child.once('error', ({ code, message }: NodeJS.ErrnoException) => end(notStarted(code, message)));
    return {
      kill: (signal) => killGroup(over ? undefined : child.pid, signal),
      killRest: () => killGroup(child.pid, 'SIGKILL'),
    };
  } catch (error) {
    // What no program can be called: words with zero bytes, an identity that is none.
    const { code, message } = error as NodeJS.ErrnoException;
    return never(code, message);
  }
}

/** Signals the processes of a group that was started here; without a `pid` there is none. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}
