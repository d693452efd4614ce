import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { check } from './errno.ts';
import { rawio } from './rawio.ts';

/** A check of a configuration takes less than a second. */
const LIMIT_MS = 60_000;

/** What a program was started with, that it could be started with again. */
export interface Started {
  /** The path of an executable file. */
  readonly program: string;
  readonly words: readonly string[];
}

/** This process, as it was started. */
export const asStarted = (): Started => ({ program: process.argv[1] ?? '', words: process.argv.slice(2) });

/** Runs the program with more words to its end: `undefined` where that is 0, else what it said. */
export function trial({ program, words }: Started, ...more: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [...words, ...more], { timeout: LIMIT_MS }, (error, stdout, stderr) =>
      resolve(error === null ? undefined : `${stderr}${stdout}`.trim() || error.message),
    );
  });
}

/**
 * Executes the program in place of this one, as the same process: with its environment, working directory and standard
 * descriptors, and with none of its others. Its children are that one's (`buryInherited`). Throws what the system
 * refuses; else it does not return.
 */
export function execute({ program, words }: Started): never {
  const variables = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const result = rawio.execute(ended([program]), ended([program, ...words]), ended(variables));
  check(result, 'execve', program);
  throw new Error(`${program}: was not executed`);
}

const ended = (texts: readonly string[]): Uint8Array =>
  new TextEncoder().encode(texts.map((text) => `${text}\0`).join(''));

/**
 * A program that was executed in place of another has that one's children, which libuv knows nothing of: takes note of
 * their ends, or they would stay as zombies. Belongs before the first child of one's own.
 */
export function buryInherited(): void {
  let living = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === process.pid);
  if (living.length === 0) return;
  const bury = (): void => {
    living = living.filter((pid) => rawio.bury(pid) === 0);
    if (living.length === 0) process.off('SIGCHLD', bury);
  };
  process.on('SIGCHLD', bury);
  bury();
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined; // it is gone, or not ours to read
  }
}
