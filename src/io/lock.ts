import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { check } from './errno.ts';
import { rawio } from './rawio.ts';

/** What this process holds until it ends, however it ends. */
export interface Lock {
  release(): void;
}

/**
 * Locks a folder, made when there is none, for this process: `undefined` when another process has it. The kernel's lock
 * (flock(2)) belongs to the process and needs no file, so it is also there on a disk that is full or read-only, and
 * nothing of it is left behind. Throws what the system refuses.
 */
export function lockFolder(folder: string): Lock | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  const result = rawio.lock(fd);
  if (result === 0) return { release: () => closeSync(fd) };
  closeSync(fd);
  if (result === -EWOULDBLOCK) return undefined;
  check(result, 'flock', folder);
  return undefined;
}

const EWOULDBLOCK = 11;
