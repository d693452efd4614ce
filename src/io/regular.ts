import { closeSync, constants, fstatSync, ftruncateSync, openSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/** `append` goes on at the end, `replace` begins anew, `make` needs that there is nothing. */
export type Manner = 'append' | 'replace' | 'make';
const FLAGS: Readonly<Record<Manner, number>> = { append: O_APPEND, replace: 0, make: O_EXCL };
const OTHERS_WRITE = 0o002;

/**
 * Opens a regular file for writing, and makes one with this mode where there is none. For paths that may lie in folders
 * for everybody, as /tmp: a link that somebody laid there is not followed, a pipe nobody reads does not stop us, and in
 * such a folder the file must be our own. What is no such file stays as it is. Throws an Error that says what is wrong.
 */
export function openRegular(path: string, manner: Manner, mode: number): number {
  const fd = open(path, FLAGS[manner], mode);
  try {
    const found = fstatSync(fd);
    // A terminal, /dev/null: nobody but root makes one.
    if (found.isCharacterDevice()) return fd;
    if (!found.isFile()) throw new Error(`${path} is not a regular file`);
    const { mode: folder } = statSync(dirname(path));
    const own = found.uid === (process.geteuid?.() ?? 0) && found.nlink <= 1;
    if (!own && (folder & OTHERS_WRITE) !== 0)
      throw new Error(
        `${path} is another user's, in a folder for everybody: remove it, or name another file`,
      );
    if (manner === 'replace') ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function open(path: string, flags: number, mode: number): number {
  try {
    return openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw new Error(`${path} is a symbolic link: name the file that it leads to`);
    // Nobody reads it.
    if (code === 'ENXIO') throw new Error(`${path} is not a regular file`);
    throw error;
  }
}

/** Writes a whole text to such a file. */
export function writeRegular(path: string, text: string, manner: Manner, mode: number): void {
  const fd = openRegular(path, manner, mode);
  try {
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
