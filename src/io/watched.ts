import { closeSync, constants, fstatSync, openSync, readSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { writeRegular } from './regular.ts';

/** The beginning of a file that holds a number; never more, however large it is. */
const ROOM = 128;
/** Files that are busy beside the watched one must not keep us busy. */
const GATHER_MS = 20;

/** The beginning of a regular file as text, `undefined` when there is none or it may not be read. */
export function readBeginning(path: string): string | undefined {
  let file: number;
  try {
    // Nobody may be there to write into a pipe: never wait.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(file).isFile()) return undefined;
    const bytes = new Uint8Array(ROOM);
    return new TextDecoder().decode(bytes.subarray(0, readSync(file, bytes)));
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** Writes a file, or only makes it when there is none. Returns why that failed, if it did. */
export function initialise(path: string, text: string, overwrite: boolean): string | undefined {
  try {
    writeRegular(path, text, overwrite ? 'replace' : 'make', 0o666);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'EEXIST' ? undefined : message;
  }
  return undefined;
}

/**
 * Calls `changed` soon after something happens in the file's folder, once for what happens together: a file that is
 * replaced by another, or a link on the way to it, has no other witness. `undefined` when the folder cannot be watched.
 */
export function watchFolderOf(path: string, changed: () => void): { close(): void } | undefined {
  let gathering: NodeJS.Timeout | undefined;
  const happened = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      changed();
    }, GATHER_MS);
  };
  try {
    const watcher = watch(dirname(path), { persistent: false }, happened);
    watcher.on('error', () => watcher.close());
    return {
      close() {
        clearTimeout(gathering);
        watcher.close();
      },
    };
  } catch {
    return undefined;
  }
}
