import type { DaemonStatus, RouterSetup } from '../../../src/core/status/facts.ts';
import type { Seen } from '../../../src/core/status/report.ts';
import { type Instant, instant, seconds, toMillis } from '../../../src/core/time.ts';
import type { VrrpStatus } from '../../../src/core/vrrp/events.ts';
import { newStatistics } from '../../../src/core/vrrp/statistics.ts';

/** What a daemon answers that has been up for an hour, for tests of what is made of it. */

/** The monotonic clock began with the year 2026. */
const ORIGIN = Date.UTC(2026, 0, 1);
export const isoOf = (at: Instant): string => new Date(ORIGIN + toMillis((at - 0) as never)).toISOString();
export const NOW = instant(3600e6);
export const SEEN: Seen = { now: NOW, iso: isoOf };

export const daemonStatus = (part: Partial<DaemonStatus> = {}): DaemonStatus => ({
  ...{ version: '9.9', pid: 100, uptime: 3600, epoch: ORIGIN, configuration: '/etc/vk.conf' },
  ...{ maintenance: false, troubles: [], processes: [], routers: [], vrrp: null, check: null, sync: null },
  ...part,
});

/** A virtual router of eth0, and how it does. */
export const routerSetup = (part: Partial<RouterSetup> = {}): RouterSetup => ({
  ...{ name: 'VI_1', interface: 'eth0', vrid: 51, version: 2, family: 4, priority: 100 },
  ...{ interval: seconds(1), peers: [] },
  addresses: [{ address: '10.0.0.100/24', interface: 'eth0', advertised: true }],
  ...part,
});

export const routerStatus = (part: Partial<VrrpStatus> = {}): VrrpStatus => ({
  ...{ name: 'VI_1', state: 'MASTER', since: instant(3590e6), cause: 'nobody was heard', priority: 100 },
  ...{
    faults: [],
    source: undefined,
    master: undefined,
    peer: undefined,
    otherMasters: [],
    deadline: undefined,
    statistics: newStatistics(),
  },
  ...part,
});

export const vrrpFacts = (...instances: VrrpStatus[]): NonNullable<DaemonStatus['vrrp']> => ({
  ...{ instances, groups: [], bfd: [], bfdDiscarded: {} as never, malformed: 0, unknownVrids: 0 },
});
