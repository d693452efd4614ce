import type { DrainStanding } from '../balance/member.ts';
import type { BfdStatus } from '../bfd/events.ts';
import type { CheckStatus } from '../check/checker.ts';
import type { BalancerStatus, ServerStatus, ServiceStatus } from '../serving/balancer.ts';
import type { Duration, Instant } from '../time.ts';
import { micros, since, toSeconds } from '../time.ts';
import type { VrrpState, VrrpStatus } from '../vrrp/events.ts';
import type { VrrpStatistics } from '../vrrp/statistics.ts';
import { type EvidenceReport, evidenceReport } from './evidence.ts';
import type {
  AddressSetup,
  ChildReport,
  DaemonStatus,
  FencingFacts,
  RouterSetup,
  VrrpFacts,
} from './facts.ts';
import { type SyncReport, syncReport } from './sync.ts';
import { type VotesReport, votesReport } from './votes.ts';

/**
 * What `vipkeeper status --json` prints. Times are ISO 8601 in UTC, durations seconds, and what is not known is null.
 * Members may be added; when one is removed or means something else, `schema` is another number. The manual page
 * vipkeeper(8) describes it.
 */
export interface StatusReport {
  readonly schema: typeof SCHEMA;
  /** When this was so. */
  readonly time: string;
  /** False: nobody answers for the daemon, and what its processes do is seen from outside. */
  readonly running: boolean;
  readonly version: string;
  readonly pid: number | null;
  readonly since: string | null;
  readonly uptime: number | null;
  readonly configuration: string | null;
  readonly maintenance: boolean | null;
  /** What the daemon itself cannot do at this time, for people. */
  readonly troubles: readonly string[];
  readonly processes: readonly ProcessReport[];
  /** Requests of operators that were of the wrong shape. */
  readonly refusedRequests: number;
  readonly vrrp: VrrpReport | null;
  readonly check: CheckReport | null;
  readonly sync: SyncReport | null;
  /** Null without fence devices. */
  readonly fencing: FencingReport | null;
}

export interface FencingReport {
  readonly devices: readonly {
    readonly name: string;
    /** The director that it switches off. */
    readonly target: string;
    /** Null: it was not looked at yet. */
    readonly works: boolean | null;
    readonly seen: string | null;
    readonly said: string;
  }[];
  readonly shots: readonly { readonly target: string; readonly phase: string }[];
  /** What came of the last shot at each director, over restarts too. */
  readonly history: readonly {
    readonly target: string;
    /** `off`, `failed`, `confirmed` (by the operator). */
    readonly what: string;
    readonly by: readonly string[];
    readonly why: string;
    readonly at: string;
    /** When it was heard again; null: not since. */
    readonly heard: string | null;
  }[];
}

export const SCHEMA = 1;

export interface ProcessReport {
  readonly role: string;
  /** Null while it waits for a restart. */
  readonly pid: number | null;
  readonly restarts: number;
  /** For so long it has said nothing, where that is longer than it should be. */
  readonly silent: number | null;
  /** Stopped by a signal or a debugger; null when nobody may know. */
  readonly stopped: boolean | null;
  /** Messages between it and the supervisor that were not read, and those that were of the wrong shape. */
  readonly dropped: number;
  readonly refused: number;
}

export interface VrrpReport
  extends Omit<VrrpFacts, 'instances' | 'bfd' | 'bfdDiscarded' | 'votes' | 'watchdog'> {
  readonly instances: readonly RouterReport[];
  readonly bfd: readonly BfdReport[];
  readonly bfdDiscarded: Readonly<Record<string, number>>;
  /** Null where no votes are needed. */
  readonly votes: VotesReport | null;
  /** Null where none is configured. `timeout`: seconds without food after which it resets this host. */
  readonly watchdog: {
    readonly device: string;
    readonly state: 'closed' | 'fed' | 'starving';
    readonly timeout: number;
    readonly why: string;
  } | null;
}

export interface RouterReport extends Omit<RouterSetup, 'interval' | 'group' | 'addresses' | 'priority'> {
  /** Null: nobody says. */
  readonly state: VrrpState | null;
  readonly since: string | null;
  readonly cause: string;
  readonly faults: readonly string[];
  /** The effective one, and the configured one. */
  readonly priority: number;
  readonly configuredPriority: number;
  readonly advertInterval: number;
  readonly group: string | null;
  readonly source: string | null;
  /** The master that is followed; ourselves as master. */
  readonly master: MasterReport | null;
  /** Whoever was heard last, in any state; priority 0: it gave up being master with that. */
  readonly peer: Omit<MasterReport, 'interval'> | null;
  /** Others that claim the virtual router too, and that no election settles. */
  readonly otherMasters: readonly OtherMasterReport[];
  /** Null without a `takeover_policy` other than `silence`. */
  readonly takeover: EvidenceReport | null;
  readonly addresses: readonly AddressReport[];
  readonly statistics: VrrpStatistics | null;
}

export interface MasterReport {
  readonly address: string;
  readonly priority: number;
  readonly interval: number;
  readonly heard: string;
}

export interface OtherMasterReport {
  readonly address: string;
  /** For people: `password differs`. */
  readonly why: string;
  readonly since: string;
  readonly heard: string;
}

export interface AddressReport extends AddressSetup {
  /** Whether the kernel has it on the interface now; null when we may not look. */
  readonly present: boolean | null;
}

export interface BfdReport
  extends Omit<
    BfdStatus,
    'since' | 'neighborState' | 'neighborDiagnostic' | 'transmitInterval' | 'detectionTime'
  > {
  readonly since: string;
  readonly neighborState: BfdStatus['neighborState'] | null;
  readonly neighborDiagnostic: BfdStatus['neighborDiagnostic'] | null;
  readonly transmitInterval: number;
  readonly detectionTime: number;
}

export interface CheckReport extends Omit<BalancerStatus, 'services' | 'detailed'> {
  readonly services: readonly ServiceReport[];
}

export interface ServiceReport extends Omit<ServiceStatus, 'servers'> {
  readonly servers: readonly ServerReport[];
}

export interface ServerReport extends Omit<ServerStatus, 'drain' | 'ramp' | 'since' | 'checks'> {
  readonly drain?: Omit<DrainStanding, 'until'> & { readonly until?: string };
  readonly ramp?: { readonly full: number; readonly end: string };
  readonly since?: string;
  readonly checks?: readonly CheckSeen[];
}

export interface CheckSeen extends Omit<CheckStatus, 'since' | 'latency' | 'results' | 'latencies'> {
  readonly since: string;
  readonly latency: number | null;
  readonly results: readonly {
    readonly verdict: string;
    readonly reason: string;
    readonly count: number;
    readonly first: string;
    readonly last: string;
  }[];
  readonly latencies: readonly { readonly upTo: number | null; readonly count: number }[];
}

/** What was seen beside what the daemon says: who asks has looked. */
export interface Seen {
  /** The monotonic clock, and how it is written as a time of day. */
  readonly now: Instant;
  readonly iso: (at: Instant) => string;
  /** The addresses that the kernel has, as `eth0 10.0.0.100`; absent when we may not look. */
  readonly present?: ReadonlySet<string> | undefined;
  /** Whether a process is stopped. */
  readonly stopped?: (pid: number) => boolean | null;
}

/** The VRRP process speaks each second, the others at least every four. */
const SILENT: Readonly<Record<string, Duration>> = { vrrp: micros(3e6) };
const SILENT_OTHERS: Duration = micros(6e6);

/** The report for people and programs of what the daemon answered. */
export function statusReport(status: DaemonStatus, seen: Seen): StatusReport {
  const { version, pid, uptime, configuration, maintenance, processes, vrrp, check, sync } = status;
  const { now, iso } = seen;
  const begun = (now - uptime * 1e6) as Instant;
  return {
    ...{ schema: SCHEMA, time: iso(now), running: true, version, pid, since: iso(begun), uptime },
    ...{ troubles: status.troubles, refusedRequests: status.refusedRequests ?? 0 },
    ...{ configuration, maintenance, processes: processes.map((each) => processReport(each, seen)) },
    vrrp: vrrp && vrrpReport(vrrp, status.routers, seen),
    check: check && {
      services: check.services.map((service) => serviceReport(service, iso)),
      settled: check.settled,
      problems: check.problems,
      foreign: check.foreign,
      foreignCount: check.foreignCount,
    },
    sync: sync && syncReport(sync, now),
    fencing: status.fencing === undefined ? null : fencingReport(status.fencing, iso),
  };
}

const fencingReport = ({ devices, shots, history }: FencingFacts, iso: Seen['iso']): FencingReport => ({
  devices: devices.map(({ name, target, works, since: seen, said }) => ({
    ...{ name, target, works: works ?? null, said },
    seen: seen === undefined ? null : iso(seen),
  })),
  shots,
  history: history.map(({ at, heard, ...record }) => ({
    ...record,
    at: iso(at),
    heard: heard === undefined ? null : iso(heard),
  })),
});

function processReport(
  { role, pid, restarts, heard, dropped = 0, refused = 0 }: ChildReport,
  { now, stopped }: Seen,
): ProcessReport {
  const quiet = heard === undefined || pid === undefined ? undefined : since(now, heard);
  const silent = quiet !== undefined && quiet > (SILENT[role] ?? SILENT_OTHERS) ? toSeconds(quiet) : null;
  return {
    role,
    pid: pid ?? null,
    restarts,
    silent,
    stopped: pid === undefined ? null : (stopped?.(pid) ?? null),
    dropped,
    refused,
  };
}

function vrrpReport(facts: VrrpFacts, setups: readonly RouterSetup[], seen: Seen): VrrpReport {
  const byName = new Map(setups.map((setup) => [setup.name, setup]));
  const { instances, bfd, groups, bfdDiscarded, malformed, unknownVrids, votes, watchdog } = facts;
  return {
    instances: instances.flatMap((status) => {
      // A reload took it away, and the process has not said so yet.
      const setup = byName.get(status.name);
      return setup === undefined ? [] : [routerReport(setup, status, seen)];
    }),
    bfd: bfd.map((session) => bfdReport(session, seen.iso)),
    ...{ groups, bfdDiscarded, malformed, unknownVrids },
    votes: votes === undefined ? null : votesReport(votes),
    watchdog: watchdog === undefined ? null : { ...watchdog, timeout: toSeconds(watchdog.timeout) },
  };
}

/** Without a `status` nobody says how it does, and all that is known is what the kernel has. */
export function routerReport(setup: RouterSetup, status: VrrpStatus | undefined, seen: Seen): RouterReport {
  const { interval, group = null, priority, addresses, ...identity } = setup;
  const { iso, present } = seen;
  return {
    ...identity,
    state: status?.state ?? null,
    since: status === undefined ? null : iso(status.since),
    cause: status?.cause ?? 'nobody says',
    faults: status?.faults ?? [],
    priority: status?.priority ?? priority,
    configuredPriority: priority,
    advertInterval: toSeconds(interval),
    group,
    source: status?.source ?? null,
    master: masterReport(status?.master, iso),
    peer: status?.peer === undefined ? null : { ...status.peer, heard: iso(status.peer.heard) },
    otherMasters: (status?.otherMasters ?? []).map((other) => ({
      ...other,
      since: iso(other.since),
      heard: iso(other.heard),
    })),
    takeover: status?.takeover === undefined ? null : evidenceReport(status.takeover, iso),
    addresses: addresses.map((each) => ({
      ...each,
      present:
        present === undefined ? null : present.has(`${each.interface} ${each.address.replace(/\/\d+$/, '')}`),
    })),
    statistics: status?.statistics ?? null,
  };
}

function masterReport(master: VrrpStatus['master'], iso: Seen['iso']): MasterReport | null {
  if (master === undefined) return null;
  const { address, priority, interval, heard } = master;
  return { address, priority, interval: toSeconds(interval), heard: iso(heard) };
}

const bfdReport = (session: BfdStatus, iso: Seen['iso']): BfdReport => ({
  ...session,
  since: iso(session.since),
  neighborState: session.neighborState ?? null,
  neighborDiagnostic: session.neighborDiagnostic ?? null,
  transmitInterval: toSeconds(session.transmitInterval),
  detectionTime: toSeconds(session.detectionTime),
});

const serviceReport = ({ servers, ...service }: ServiceStatus, iso: Seen['iso']): ServiceReport => ({
  ...service,
  servers: servers.map((server) => serverReport(server, iso)),
});

export function serverReport(status: ServerStatus, iso: Seen['iso']): ServerReport {
  const { drain, ramp, since: begun, checks, ...server } = status;
  return {
    ...server,
    ...(drain && { drain: drainReport(drain, iso) }),
    ...(ramp && { ramp: { full: ramp.full, end: iso(ramp.end) } }),
    ...(begun !== undefined && { since: iso(begun) }),
    ...(checks && { checks: checks.map((check) => checkSeen(check, iso)) }),
  };
}

export const drainReport = <D extends { readonly until?: Instant }>(
  { until, ...drain }: D,
  iso: Seen['iso'],
): Omit<D, 'until'> & { readonly until?: string } => ({
  ...drain,
  ...(until !== undefined && { until: iso(until) }),
});

const checkSeen = ({ results, latencies, latency, ...check }: CheckStatus, iso: Seen['iso']): CheckSeen => ({
  ...check,
  since: iso(check.since),
  latency: latency === null ? null : latency / 1e6,
  results: results.map((run) => ({ ...run, first: iso(run.first), last: iso(run.last) })),
  latencies: latencies.map(({ upTo, count }) => ({ upTo: upTo === null ? null : upTo / 1e6, count })),
});
