import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** CPU time of the whole machine since it was started, in ticks: all of it, and what nobody used. */
export interface CpuTicks {
  readonly all: number;
  readonly idle: number;
}

/** However idle the machine looks, files that wait together do not start all at once. */
const MOST_A_CPU = 4;

/**
 * How many files run side by side. Each takes as many CPUs as its kind usually does, and so many run as there are
 * CPUs for. Most of them wait for timers half of the time: where CPUs were idle since the last look all the same, one
 * more is let in with each look. On a busy machine no CPU is idle, and none is.
 */
export class Room {
  readonly #cpus: number;
  readonly #look: () => CpuTicks;
  #used = 0;
  #files = 0;
  #ticks: CpuTicks;
  #idle = 0;

  constructor(cpus: number = availableParallelism(), look: () => CpuTicks = cpuTicks) {
    this.#cpus = cpus;
    this.#look = look;
    this.#ticks = look();
  }

  /** Whether a file that takes so many CPUs may start now. */
  has(cpus: number): boolean {
    if (this.#files === 0 || this.#used + cpus <= this.#cpus) return true;
    return this.#files < this.#cpus * MOST_A_CPU && cpus <= this.#idle;
  }

  take(cpus: number): void {
    this.#used += cpus;
    this.#files++;
    // What it takes is seen at the next look.
    this.#idle = 0;
  }

  give(cpus: number): void {
    this.#used -= cpus;
    this.#files--;
  }

  /** Called now and then, a few seconds apart: how many CPUs were idle since the last time. */
  look(): void {
    const now = this.#look();
    const share = (now.idle - this.#ticks.idle) / Math.max(1, now.all - this.#ticks.all);
    this.#idle = share * this.#cpus;
    this.#ticks = now;
  }
}

/** The first line of /proc/stat: user, nice, system, idle, waiting for disks, interrupts (2), stolen. */
function cpuTicks(): CpuTicks {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n');
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: ticks.reduce((sum, each) => sum + each, 0), idle: (ticks[3] ?? 0) + (ticks[4] ?? 0) };
}
