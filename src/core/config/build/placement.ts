import type { Placement, Placements } from '../../supervision/placement.ts';
import { type Duration, micros, millis } from '../../time.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { Section } from '../tree.ts';

/** Of the VRRP process unless `vrrp_rt_priority` says another: adverts are worth it, keepalived has none. */
const REAL_TIME = 50;
/**
 * keepalived's is 10 ms, and ends it. We go on without real time for a moment, which costs nothing: but a start
 * with hundreds of virtual routers should not come to that.
 */
export const REAL_TIME_LIMIT: Duration = millis(200);

/** How the processes are called, where they stand among others, and what they may use. */
export function placementsOf(global: Section<typeof globalDefs>): Placements {
  const of = (role: 'vrrp' | 'checker', name: string, realTime: number): Placement => {
    const nice = global.value(`${role}_priority`);
    const cpus = global.value(`${role}_cpu_affinity`);
    const limit = global.value(`${role}_rlimit_rttime`);
    return {
      name: global.value(`${role}_process_name`) ?? name,
      realTime: global.value(`${role}_rt_priority`) ?? realTime,
      realTimeLimit: limit === undefined ? REAL_TIME_LIMIT : micros(limit),
      ...(nice === undefined ? {} : { nice }),
      ...(cpus === undefined ? {} : { cpus: [...new Set(cpus)].sort((a, b) => a - b) }),
    };
  };
  return {
    daemon: global.value('process_name') ?? 'vipkeeperd',
    vrrp: of('vrrp', 'vipkeeper-vrrp', REAL_TIME),
    check: of('checker', 'vipkeeper-check', 0),
  };
}
