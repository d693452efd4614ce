import type { Placement, Placements } from '../../supervision/placement.ts';
import { setting, word } from './text.ts';

/** How the processes are called and where they stand. */
export function placementLines({ daemon, vrrp, check }: Placements): string[] {
  return [`process_name ${word(daemon)}`, ...lines('vrrp', vrrp), ...lines('checker', check)];
}

const lines = (role: string, { name, realTime, realTimeLimit, nice, cpus }: Placement): string[] => [
  `${role}_process_name ${word(name)}`,
  `${role}_rt_priority ${realTime}`,
  `${role}_rlimit_rttime ${realTimeLimit}`,
  ...setting(`${role}_priority`, nice),
  ...setting(`${role}_cpu_affinity`, cpus?.join(' ')),
];
