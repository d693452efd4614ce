import { closeSync, openSync, statSync } from 'node:fs';
import { check } from './errno.ts';
import { rawio } from './rawio.ts';

const CLONE_NEWNET = 0x4000_0000;
/** Of this process's first thread, which is the one that makes sockets and starts programs. */
const OWN = '/proc/self/ns/net';

/** Where ip-netns(8) keeps the named ones. */
export const namespacePath = (name: string): string => `/run/netns/${name}`;

/**
 * A path by which processes that this one starts reach the network namespace that it is in now, also after it has
 * entered another one; as long as it lives.
 */
export const keepNamespace = (): string => `/proc/${process.pid}/fd/${openSync(OWN, 'r')}`;

/** Whether this process is in the network namespace already. Throws what stat(2) says. */
export function isInNamespace(path: string): boolean {
  const [own, other] = [statSync(OWN), statSync(path)];
  return own.dev === other.dev && own.ino === other.ino;
}

/**
 * Moves this process, and what it starts from now on, to the network namespace; sockets stay where they were made.
 * Threads of Node that run already stay behind, so it belongs at the start. Throws what open(2) says, and SystemError:
 * `EPERM` without CAP_SYS_ADMIN, or where the service manager forbids it.
 */
export function enterNamespace(path: string): void {
  const fd = openSync(path, 'r');
  try {
    check(rawio.setns(fd, CLONE_NEWNET), 'setns', path);
  } finally {
    closeSync(fd);
  }
}

/** What `make` makes, in the network namespace `path`, or where we are without one. It must not be asynchronous. */
export function inNamespace<T>(path: string | undefined, make: () => T): T {
  if (path === undefined || isInNamespace(path)) return make();
  const home = openSync(OWN, 'r');
  try {
    enterNamespace(path);
    return make();
  } finally {
    check(rawio.setns(home, CLONE_NEWNET), 'setns', 'the way back to our network namespace');
    closeSync(home);
  }
}
