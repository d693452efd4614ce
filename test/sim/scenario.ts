import { defaultLease } from '../../src/core/fence/lease.ts';
import { ip } from '../../src/core/ip.ts';
import { Prng } from '../../src/core/prng.ts';
import { centiseconds, type Duration, seconds } from '../../src/core/time.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import type { Temper } from './host.ts';
import { drawFault, FAULT_KINDS, type Operation } from './operations.ts';

/** The script that all routers track: with a negative weight, for `weight`. */
export const TRACKED = 'check';
/** In advert intervals: how long faults begin, and the longest fault. */
export const FAULT_PHASE = 120;
export const LONGEST_FAULT = 15;

/** All about a simulated day that is decided before it begins: plain data, which a file can have. */
export interface Day {
  /** Of what chance does during the day: delays, losses, how late the CPU comes. */
  readonly seed: number;
  /** The longest advert interval: the unit of all durations. */
  readonly unit: Duration;
  /** Ordinary delay of packets, microseconds. */
  readonly delayMost: number;
  /** On each of them a director has a virtual router; with several, these are a sync group. */
  readonly segments: number;
  /** The virtual addresses are on interfaces of their own. */
  readonly apart: boolean;
  readonly directors: readonly PlayedDirector[];
  readonly operations: readonly Operation[];
}

export interface PlayedDirector {
  readonly index: number;
  readonly settings: VrrpSettings;
  readonly temper: Temper;
  /** When it starts, in microseconds. */
  readonly starts: number;
}

/** The day of a seed. `grouped`: each director has a sync group over several segments. */
export function drawDay(seed: number, grouped = false): Day {
  const prng = new Prng(seed);
  const { interval, routers } = drawRouters(prng);
  const segments = grouped ? prng.between(2, 3) : 1;
  // In groups, different priorities, or the addresses of different segments may disagree for ever.
  const spread = !grouped || new Set(routers.map(({ priority }) => priority)).size === routers.length;
  const directors = routers.map((router, index): PlayedDirector => {
    const temper = {
      clockRate: 1 + (prng.unit() - 0.5) / 1000,
      clockOffset: prng.between(1, 1e9) * 1e3,
      early: prng.chance(0.5) ? Math.min(1000, interval / 20) : 0,
    };
    const settings = spread ? router : { ...router, priority: 100 + index };
    return { index, settings, temper, starts: prng.unit() * 5 * interval };
  });
  const delayMost = Math.min(2000, interval / 20);
  const priorities = directors.map(({ settings }) => settings.priority);
  const stage = { prng, unit: interval, delayMost, segments, priorities };
  // Swarm testing: each kind of fault may be off, so that others get room to do harm.
  const kinds = FAULT_KINDS.filter(() => prng.chance(0.5));
  const count = kinds.length === 0 ? 0 : prng.between(1, 12);
  const operations = Array.from({ length: count }, (): Operation => {
    const lasts = prng.unit() ** 2 * LONGEST_FAULT * interval;
    return { ...drawFault(prng.pick(kinds), stage), at: prng.unit() * FAULT_PHASE * interval, lasts };
  });
  const sorted = operations.sort((a, b) => a.at - b.at);
  const apart = prng.chance(0.4);
  return { seed, unit: interval, delayMost, segments, apart, directors, operations: sorted };
}

function drawRouters(prng: Prng): { readonly interval: Duration; readonly routers: VrrpSettings[] } {
  const version = prng.chance(0.4) ? 2 : 3;
  const family = version === 3 && prng.chance(0.5) ? 6 : 4;
  const interval =
    version === 2 ? seconds(prng.pick([1, 1, 2])) : centiseconds(prng.pick([1, 10, 50, 100, 100, 300]));
  const count = prng.between(2, 5);
  const equal = prng.chance(0.2);
  const owner = prng.chance(0.15) ? prng.between(0, count - 1) : -1;
  const nopreempt = prng.chance(0.3) ? 0.5 : 0;
  const mixed = version === 3 && prng.chance(0.1);
  const addresses = [family === 4 ? '10.0.0.100' : 'fe80::100'].map((text) => ({
    address: { ip: ip(text), length: family === 4 ? 24 : 64 },
    scope: 0,
  }));
  const common = {
    name: 'VI_1',
    interface: 'eth0',
    family,
    version,
    vrid: prng.between(1, 255),
    initial: 'BACKUP',
    addresses,
    excluded: [],
    plainChecksum: prng.chance(0.3),
    downAdverts: 3,
    announce: { repeat: 5, delay: seconds(5), refresh: seconds(prng.pick([0, 3])), refreshRepeat: 1 },
    lease: prng.pick([seconds(0), defaultLease(interval)]),
    ...(version === 2 && prng.chance(0.3) && { password: 's3cr3t' }),
  } as const;
  const priority = prng.between(1, 254);
  const routers = Array.from({ length: count }, (_, index) => ({
    ...common,
    priority: index === owner ? 255 : equal ? priority : prng.between(1, 254),
    advertInterval: mixed && prng.chance(0.5) ? centiseconds(interval / 2e4 || 1) : interval,
    preempt: !prng.chance(nopreempt),
    quietToLower: prng.chance(0.2),
    track: [{ kind: 'script', name: TRACKED, weight: -prng.between(1, 100), reverse: false }] as const,
  }));
  return { interval, routers };
}
