import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { mayPass } from '../core/supervision/trouble.ts';

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** A system call that failed: which, on what, and why; `code` is the name to branch on (`ENOBUFS`). */
export class SystemError extends Error {
  override name = 'SystemError';
  /** Positive, as in errno(3). */
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;

  constructor(errno: number, syscall: string, what: string) {
    const code = errnoName(errno);
    const reason = getSystemErrorMap().get(-errno)?.[1];
    super(`${what}: ${syscall}: ${code}${reason === undefined ? '' : ` (${reason})`}`);
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
  }
}

/** The name of a positive errno: `ENOBUFS` for 105; `E` and the number when Node does not know it. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/** `result` when it is a count; throws SystemError when it is -errno. */
export function check(result: number, syscall: string, what: string): number {
  if (result < 0) throw new SystemError(-result, syscall, what);
  return result;
}

/**
 * Whether a file may be as it should be although this error hindered to look at it: too few descriptors, a disk that
 * fails. One that this user may not read stays so.
 */
export function passes(error: unknown): error is NodeJS.ErrnoException {
  const { code } = error as NodeJS.ErrnoException;
  return mayPass(code) && code !== 'EACCES';
}
