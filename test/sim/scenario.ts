import { defaultLease } from '../../src/core/fence/lease.ts';
import { ip } from '../../src/core/ip.ts';
import type { Prng } from '../../src/core/prng.ts';
import { centiseconds, type Duration, seconds } from '../../src/core/time.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import type { FaultKind } from './faults.ts';
import { FAULT_KINDS, TRACKED } from './faults.ts';
import type { Temper } from './host.ts';

/** Everything about a simulation that its seed decides before it begins. */
export interface Scenario {
  readonly routers: readonly { readonly settings: VrrpSettings; readonly temper: Temper }[];
  /** Swarm testing: each kind of fault may be off, so that others get room to do harm. */
  readonly faults: readonly FaultKind[];
  readonly faultCount: number;
  /** The longest advert interval on the segment: the unit of all durations. */
  readonly unit: Duration;
  /** Ordinary delay of packets, microseconds. */
  readonly delayMost: number;
}

export function drawScenario(prng: Prng): Scenario {
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
    settings: {
      ...common,
      priority: index === owner ? 255 : equal ? priority : prng.between(1, 254),
      advertInterval: mixed && prng.chance(0.5) ? centiseconds(interval / 2e4 || 1) : interval,
      preempt: !prng.chance(nopreempt),
      quietToLower: prng.chance(0.2),
      track: [{ kind: 'script', name: TRACKED, weight: -prng.between(1, 100), reverse: false }] as const,
    },
    temper: {
      clockRate: 1 + (prng.unit() - 0.5) / 1000,
      clockOffset: prng.between(1, 1e9) * 1e3,
      early: prng.chance(0.5) ? Math.min(1000, interval / 20) : 0,
    },
  }));
  return {
    routers,
    faults: FAULT_KINDS.filter(() => prng.chance(0.5)),
    faultCount: prng.between(1, 12),
    unit: interval,
    delayMost: Math.min(2000, interval / 20),
  };
}
