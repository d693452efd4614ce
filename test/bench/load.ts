import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** What else happens on this machine; printed beside the figures, for they depend on it. */
export interface Load {
  /** Share of the time in which a runnable process waited for a CPU (/proc/pressure/cpu), 0..1. */
  readonly pressure: number;
  /** Share of the CPU time that the hypervisor took (/proc/stat), 0..1. */
  readonly steal: number;
  /** Share of the CPU time that was idle, 0..1. */
  readonly idle: number;
}

interface Counters {
  readonly at: number;
  /** Microseconds. */
  readonly waiting: number;
  readonly steal: number;
  readonly idle: number;
  readonly total: number;
}

function read(): Counters {
  const waiting = Number(/^some .*total=(\d+)/m.exec(pressureFile())?.[1] ?? Number.NaN);
  const ticks = (/^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '').split(' ').map(Number);
  // user nice system idle iowait irq softirq steal: guest time is part of user (proc(5)).
  const total = ticks.slice(0, 8).reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { at: performance.now(), waiting, steal: ticks[7] ?? 0, idle, total };
}

/** Kernels may be built without pressure information. */
function pressureFile(): string {
  try {
    return readFileSync('/proc/pressure/cpu', 'utf8');
  } catch {
    return '';
  }
}

/** Begins to measure; the returned function gives the load since then. */
export function measureLoad(): () => Load {
  const before = read();
  return () => {
    const after = read();
    const total = Math.max(1, after.total - before.total);
    return {
      pressure: (after.waiting - before.waiting) / 1e3 / (after.at - before.at),
      steal: (after.steal - before.steal) / total,
      idle: (after.idle - before.idle) / total,
    };
  };
}

/** Keeps every CPU busy while `work` runs: a spinning process for each, that ends by itself after `seconds`. */
export async function withBusyCpus<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  const spin = `const end = Date.now() + ${Math.ceil(seconds * 1000)}; while (Date.now() < end);`;
  const hogs: ChildProcess[] = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', spin], { stdio: 'ignore' }),
  );
  try {
    return await work();
  } finally {
    for (const hog of hogs) hog.kill('SIGKILL');
  }
}
