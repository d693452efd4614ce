import { spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

/** A named pipe for lines of text. */
export interface Fifo {
  readonly path: string;
  /** Whether the line went in; `false` when the pipe is full: it never waits. */
  write(line: string): boolean;
  /** Takes the pipe away when it was made here. */
  close(): void;
}

/**
 * Opens a named pipe for writing, made when there is none, readable by its owner only. It is open for reading too, so
 * that lines wait in it (64 KiB) when nobody reads. What is there already must be a pipe of the owner or of this
 * user: else somebody could have events written to where they want. Throws an Error that says what is wrong.
 */
export function openFifo(
  path: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): Fifo {
  const made = !exists(path);
  if (made) make(path);
  const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
  try {
    const found = fstatSync(fd);
    if (!found.isFIFO()) throw new Error(`${path} is not a named pipe`);
    const own = process.getuid?.() ?? 0;
    if (found.uid !== own && found.uid !== owner?.uid) {
      throw new Error(`${path} belongs to user ${found.uid}: remove it`);
    }
    if (made && owner !== undefined) chownSync(path, owner.uid, owner.gid);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    path,
    write: (line) => writeLine(fd, line),
    close: () => {
      closeSync(fd);
      if (made) remove(path);
    },
  };
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Node cannot make one. */
function make(path: string): void {
  const { status, stderr, error } = spawnSync('mkfifo', ['-m', '0600', path], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim());
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else has done it.
  }
}

/** A line of less than 4 KiB goes in whole or not at all (pipe(7)). */
function writeLine(fd: number, line: string): boolean {
  try {
    writeSync(fd, line);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
    throw error;
  }
}
