import type { BfdStatus } from '../bfd/events.ts';
import type { DiscardReason } from '../bfd/packet.ts';
import type { Configuration } from '../config/model.ts';
import type { FenceOutcome } from '../fence/device.ts';
import type { ClusterFacts } from '../fence/facts.ts';
import type { DeviceStatus } from '../fence/health.ts';
import type { WatchdogStatus } from '../fence/watchdog.ts';
import { formatPrefix, type Ip } from '../ip.ts';
import type { SyncDaemonFacts, SyncRole } from '../reconcile/syncdaemon.ts';
import { deviceOf } from '../reconcile/vmac-wants.ts';
import type { BalancerStatus } from '../serving/balancer.ts';
import type { BulkFacts } from '../sync/bulk/facts.ts';
import type { HealthFacts } from '../sync/health/facts.ts';
import type { RelayFacts } from '../sync/relay/relay.ts';
import type { Duration, Instant } from '../time.ts';
import type { VrrpStatus } from '../vrrp/events.ts';
import type { GroupState } from '../vrrp/group.ts';
import type { GroupSettings, VirtualAddress, VrrpSettings } from '../vrrp/settings.ts';

/** What the daemon answers to `status`: what its processes said last, by the monotonic clock. */
export interface DaemonStatus {
  readonly version: string;
  readonly pid: number;
  /** Seconds since the start. */
  readonly uptime: number;
  /** Milliseconds since 1970 of the monotonic clock's origin, as the wall clock is now. */
  readonly epoch: number;
  readonly configuration: string;
  readonly maintenance: boolean;
  /** What the daemon itself cannot do at this time, for people. */
  readonly troubles: readonly string[];
  readonly processes: readonly ChildReport[];
  /** Requests of the wrong shape on the control socket. */
  readonly refusedRequests?: number;
  /** As configured, whether or not the VRRP process has spoken of them yet. */
  readonly routers: readonly RouterSetup[];
  /** A process that does not run, or has not spoken yet, is null. */
  readonly vrrp: VrrpFacts | null;
  readonly check: BalancerStatus | null;
  readonly sync: SyncFacts | null;
  /** Absent without fence devices. */
  readonly fencing?: FencingFacts;
}

/** The devices that switch directors off, and who is being switched off. */
export interface FencingFacts {
  readonly devices: readonly DeviceStatus[];
  readonly shots: readonly { readonly target: string; readonly phase: string }[];
  /** What came of the last shot at each director, and when it was heard again. */
  readonly history: readonly (FenceOutcome & { readonly at: Instant; readonly heard?: Instant })[];
}

/** How one of the daemon's processes does. */
export interface ChildReport {
  readonly role: string;
  /** Undefined while it waits for a restart. */
  readonly pid: number | undefined;
  readonly restarts: number;
  /** When it said something last; absent before its first word. */
  readonly heard?: Instant | undefined;
  /** Messages that were not read, in either direction, and those of the wrong shape. */
  readonly dropped?: number;
  readonly refused?: number;
}

/** What the VRRP process says. */
export interface VrrpFacts {
  readonly instances: readonly VrrpStatus[];
  readonly groups: readonly { readonly name: string; readonly state: GroupState }[];
  readonly bfd: readonly BfdStatus[];
  /** BFD packets that were for no session, or not to be believed. */
  readonly bfdDiscarded: Readonly<Record<DiscardReason, number>>;
  /** Datagrams on the VRRP sockets that were no IP packets of the right form. */
  readonly malformed: number;
  /** Adverts of virtual routers that this director has no part in. */
  readonly unknownVrids: number;
  /** The cluster and its votes; absent where no votes are needed. */
  readonly votes?: ClusterFacts | undefined;
  /** Absent where none is configured. */
  readonly watchdog?: WatchdogStatus | undefined;
}

/** What the sync process says. */
export interface SyncFacts {
  readonly role: SyncRole | undefined;
  /** The kernel's daemons. */
  readonly running: readonly SyncDaemonFacts[];
  readonly bulk: BulkFacts;
  /** Absent where there is no bulk copy either. */
  readonly health?: HealthFacts;
  /** Absent without `sync_relay`. */
  readonly relay?: RelayFacts;
}

/** What people want to know of a virtual router's settings: without its secrets, for others than root may ask. */
export interface RouterSetup {
  readonly name: string;
  readonly interface: string;
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  readonly priority: number;
  readonly interval: Duration;
  /** The sync group. */
  readonly group?: string;
  /** Of unicast. */
  readonly peers: readonly Ip[];
  readonly addresses: readonly AddressSetup[];
}

export interface AddressSetup {
  /** With its prefix length: `10.0.0.100/24`. */
  readonly address: string;
  readonly interface: string;
  /** False: of `virtual_ipaddress_excluded`. */
  readonly advertised: boolean;
}

export const routerSetups = ({
  instances,
  groups,
}: Pick<Configuration, 'instances' | 'groups'>): RouterSetup[] =>
  instances.map((instance) => routerSetup(instance, groups));

function routerSetup(settings: VrrpSettings, groups: readonly GroupSettings[]): RouterSetup {
  const { name, vrid, version, family, priority, advertInterval: interval, peers = [] } = settings;
  const group = groups.find(({ members }) => members.includes(name))?.name;
  const listed = (list: readonly VirtualAddress[], advertised: boolean): AddressSetup[] =>
    list.map((virtual) => ({
      address: formatPrefix(virtual.address),
      interface: deviceOf(virtual, settings),
      advertised,
    }));
  return {
    ...{ name, interface: settings.interface, vrid, version, family, priority, interval },
    ...(group !== undefined && { group }),
    peers: peers.map(({ address }) => address),
    addresses: [...listed(settings.addresses, true), ...listed(settings.excluded, false)],
  };
}
