import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a program without a slash is looked for when the environment does not say (execvp(3)). */
const DEFAULT_PATH = '/bin:/usr/bin';
/** The kernel reads so much of a file to see what it is (linux/binfmts.h, BINPRM_BUF_SIZE). */
const BEGINNING = 256;

/**
 * The name of the errno with which a program cannot be started, whoever starts it; `undefined` when it may be. A
 * command that is started by another program (`nice`, a shell) tells that only by an exit status, which may mean
 * anything.
 */
export function notExecutable(program: string): 'ENOENT' | 'EACCES' | undefined {
  const folders = program.includes('/') ? [''] : (process.env.PATH ?? DEFAULT_PATH).split(':');
  let found: 'ENOENT' | 'EACCES' = 'ENOENT';
  for (const folder of folders) {
    const path = join(folder, program);
    const kind = statSync(path, { throwIfNoEntry: false });
    if (kind === undefined) continue;
    found = 'EACCES';
    if (!kind.isFile() || (kind.mode & 0o111) === 0) continue;
    const interpreter = interpreterOf(path);
    return interpreter === undefined || statSync(interpreter, { throwIfNoEntry: false })
      ? undefined
      : 'ENOENT';
  }
  return found;
}

/** The program that a script's first line names. */
function interpreterOf(path: string): string | undefined {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(BEGINNING);
    const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, BEGINNING, 0));
    return /^#![ \t]*([^\s\0]+)/.exec(text)?.[1];
  } finally {
    closeSync(fd);
  }
}
