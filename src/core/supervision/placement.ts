import type { Duration } from '../time.ts';

/** Where one process of the daemon stands among all processes of the host. */
export interface Placement {
  /** Its name in ps(1) and top(1), of at most 15 characters. */
  readonly name: string;
  /** Priority of SCHED_RR, 1 to 99; 0 for ordinary scheduling. */
  readonly realTime: number;
  /** How long it may use a CPU in real time without a pause. */
  readonly realTimeLimit: Duration;
  /** -20 to 19; as it was started when absent. */
  readonly nice?: number;
  /** The CPUs that it may use, by number; those that it was started with when absent. */
  readonly cpus?: readonly number[];
}

/** The processes that a configuration places. The daemon itself and `sync` have a name only. */
export interface Placements {
  readonly daemon: string;
  readonly vrrp: Placement;
  readonly check: Placement;
}

/** Numbers as the kernel lists them: `0-2,5`. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return Number.isInteger(first) ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : [];
  });
}

/** A bit for each CPU, as sched_setaffinity(2) takes it on little-endian machines. */
export function cpuMask(cpus: readonly number[]): Uint8Array {
  const mask = new Uint8Array((Math.floor(Math.max(0, ...cpus) / 64) + 1) * 8);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return mask;
}
