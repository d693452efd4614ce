import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The process id in `file`, `undefined` when there is no such file or no number in it. */
export function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** What a pid file of this process holds. */
export const pidText = (pid: number): string => `${pid}\n`;

/** The living process of `program` that `file` names. What a crash or a reboot left behind names none. */
export function pidOf(file: string, program: string): number | undefined {
  const pid = readPid(file);
  return pid !== undefined && pid !== process.pid && runs(pid, program) ? pid : undefined;
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
