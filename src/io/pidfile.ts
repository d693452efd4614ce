import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** The process id in `file`, `undefined` when there is no such file or no number in it. */
export function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Writes `pid` (mode 0644, as keepalived), making the folder when needed; throws what the system refuses. */
export function writePid(file: string, pid: number): void {
  writeNumber(file, pid, 'w');
}

/**
 * Writes `pid` unless the file names a living process of `program`, whose id is then the result. A file that a
 * crash or a reboot left behind is replaced. Throws what the system refuses.
 */
export function claimPid(file: string, pid: number, program: string): number | undefined {
  for (;;) {
    try {
      writeNumber(file, pid, 'wx');
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readPid(file);
    if (holder === pid) return undefined;
    if (holder !== undefined && runs(holder, program)) return holder;
    removePid(file);
  }
}

function writeNumber(file: string, pid: number, flag: 'w' | 'wx'): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, `${pid}\n`, { mode: 0o644, flag });
}

export function removePid(file: string): void {
  rmSync(file, { force: true });
}

/** Whether the process with this id lives and runs `program`: ids are used again, soonest in containers. */
export function runs(pid: number, program: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.some((word) => basename(word) === program);
  } catch {
    return false; // no such process
  }
}
