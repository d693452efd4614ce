import type { Configuration } from './config/model.ts';
import type { NotifySettings } from './notify/settings.ts';
import { type Instant, toSeconds } from './time.ts';
import type { ProcessBlockStatus } from './track/processes.ts';
import type { VrrpStatus } from './vrrp/events.ts';
import type { RejectReason } from './vrrp/packet.ts';
import type { VrrpSettings } from './vrrp/settings.ts';
import type { VrrpStatistics } from './vrrp/statistics.ts';

/**
 * The files that signals have written, for programs that read keepalived's: the same members of the JSON (its
 * vrrp/vrrp_json.c), the same lines of the statistics (vrrp_print.c). What has no counterpart here is left out.
 */

/** keepalived's numbers of states. */
const STATES = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3 } as const;
const PASSWORD = '********';

/** keepalived's counters of adverts that were dropped, by our reasons. */
function errorsOf({ rejected, noticed }: VrrpStatistics) {
  const sum = (...reasons: readonly RejectReason[]): number =>
    reasons.reduce((total, reason) => total + rejected[reason], 0);
  return {
    packet_len_err: sum('short', 'length'),
    advert_interval_err: sum('interval'),
    ip_ttl_err: sum('ttl'),
    invalid_type_rcvd: sum('type'),
    addr_list_err: sum('count') + noticed.addresses,
    invalid_authtype: sum('auth-unknown'),
    authtype_mismatch: sum('auth-mismatch'),
    auth_failure: sum('auth-failure'),
    auth_ext_missing: sum('auth-missing'),
    auth_ext_malformed: sum('auth-malformed'),
    auth_ext_unknown_key: sum('auth-key'),
    auth_ext_invalid_hmac: sum('auth-invalid'),
    auth_ext_stale: sum('auth-stale'),
    auth_ext_replay: sum('auth-replay'),
  };
}

/** The counters since others were written down: each may only have grown, or it began anew. */
export function sinceThen(now: VrrpStatistics, then: VrrpStatistics | undefined): VrrpStatistics {
  if (then === undefined || now.advertsSent < then.advertsSent || now.advertsReceived < then.advertsReceived)
    return now;
  const minus = <T extends object>(a: T, b: T): T =>
    Object.fromEntries(
      Object.entries(a).map(([key, value]) => {
        const before = b[key as keyof T];
        return [key, typeof value === 'number' ? value - Number(before) : minus(value, before as object)];
      }),
    ) as T;
  return minus(now, then);
}

/** `keepalived.stats`. */
export const statisticsText = (
  instances: readonly { readonly name: string; readonly statistics: VrrpStatistics }[],
): string =>
  instances.map(({ name, statistics }) => `${statisticsLines(name, statistics).join('\n')}\n`).join('');

function statisticsLines(name: string, statistics: VrrpStatistics): string[] {
  const errors = errorsOf(statistics);
  return [
    `VRRP Instance: ${name}`,
    '  Advertisements:',
    `    Received: ${statistics.advertsReceived}`,
    `    Sent: ${statistics.advertsSent}`,
    `  Became master: ${statistics.becameMaster}`,
    `  Released master: ${statistics.releasedMaster}`,
    '  Packet Errors:',
    `    Length: ${errors.packet_len_err}`,
    `    TTL: ${errors.ip_ttl_err}`,
    `    Invalid Type: ${errors.invalid_type_rcvd}`,
    `    Advertisement Interval: ${errors.advert_interval_err}`,
    `    Address List: ${errors.addr_list_err}`,
    '  Authentication Errors:',
    `    Invalid Type: ${errors.invalid_authtype}`,
    `    Type Mismatch: ${errors.authtype_mismatch}`,
    `    Failure: ${errors.auth_failure}`,
    '  Authentication Extension Errors:',
    `    Missing: ${errors.auth_ext_missing}`,
    `    Malformed: ${errors.auth_ext_malformed}`,
    `    Unknown Key: ${errors.auth_ext_unknown_key}`,
    `    Invalid HMAC: ${errors.auth_ext_invalid_hmac}`,
    `    Stale: ${errors.auth_ext_stale}`,
    `    Replay: ${errors.auth_ext_replay}`,
    '  Priority Zero:',
    `    Received: ${statistics.priorityZeroReceived}`,
    `    Sent: ${statistics.priorityZeroSent}`,
  ];
}

export interface DumpedState {
  readonly instances: readonly VrrpStatus[];
  readonly processes: readonly ProcessBlockStatus[];
  /** Seconds since 1970 of an instant. */
  readonly wall: (instant: Instant) => number;
}

/** `keepalived.json`, in the layout of `json_version`. */
export function jsonText(configuration: Configuration, state: DumpedState, version: 1 | 2): string {
  const routers = state.instances.flatMap((status) => {
    const settings = configuration.instances.find(({ name }) => name === status.name);
    if (settings === undefined) return [];
    const told = configuration.notify.subjects.find((s) => s.of === 'instance' && s.name === status.name);
    return [{ data: dataOf(settings, status, state.wall, told), stats: countersOf(status.statistics) }];
  });
  if (version === 1) return JSON.stringify(routers);
  return JSON.stringify({ vrrp: routers, track_process: state.processes.map(processOf) });
}

const countersOf = (statistics: VrrpStatistics) => ({
  advert_rcvd: statistics.advertsReceived,
  advert_sent: statistics.advertsSent,
  become_master: statistics.becameMaster,
  release_master: statistics.releasedMaster,
  ...errorsOf(statistics),
  pri_zero_rcvd: statistics.priorityZeroReceived,
  pri_zero_sent: statistics.priorityZeroSent,
});

function dataOf(
  settings: VrrpSettings,
  status: VrrpStatus,
  wall: (instant: Instant) => number,
  told: NotifySettings | undefined,
) {
  const { announce, advertInterval, addresses, excluded, track = [] } = settings;
  const state = STATES[status.state];
  const master = status.state === 'BACKUP' ? status.master : undefined;
  const listed = (list: typeof addresses): string[] =>
    list.map(({ address: { ip, length }, dev = settings.interface }) => {
      return `${ip}/${length} dev ${dev}${status.state === 'MASTER' ? ' set' : ''}`;
    });
  const tracked = (kind: string): string[] =>
    track.filter((line) => line.kind === kind).map(({ name }) => name);
  const nonEmpty = (name: string, list: readonly string[]) => (list.length > 0 ? { [name]: list } : {});
  return {
    iname: settings.name,
    dont_track_primary: settings.trackPrimary === false ? 1 : 0,
    ifp_ifname: settings.interface,
    master_priority: master?.priority ?? 0,
    last_transition: wall(status.since),
    garp_delay: toSeconds(announce.delay),
    garp_refresh: toSeconds(announce.refresh),
    garp_rep: announce.repeat,
    garp_refresh_rep: announce.refreshRepeat,
    garp_lower_prio_delay: toSeconds(announce.lowerDelay ?? announce.delay),
    garp_lower_prio_rep: announce.lowerRepeat ?? announce.repeat,
    lower_prio_no_advert: settings.quietToLower ? 1 : 0,
    higher_prio_send_advert: settings.answerHigher === false ? 0 : 1,
    vrid: settings.vrid,
    base_priority: settings.priority,
    effective_priority: status.priority,
    vipset: status.state === 'MASTER',
    adver_int: toSeconds(advertInterval),
    master_adver_int: toSeconds(master?.interval ?? advertInterval),
    nopreempt: !settings.preempt,
    preempt_delay: toSeconds(settings.preemptDelay ?? (0 as never)),
    state,
    wantstate: state,
    version: settings.version,
    smtp_alert: told?.mail ?? false,
    notify_deleted: told?.scripts.deleted !== undefined,
    ...scriptsOf(told),
    ...nonEmpty('vips', listed(addresses)),
    ...nonEmpty('evips', listed(excluded)),
    ...nonEmpty('track_ifp', tracked('interface')),
    ...nonEmpty('track_script', tracked('script')),
    ...nonEmpty('track_process', tracked('process')),
    auth_type: settings.password !== undefined ? 1 : settings.ah !== undefined ? 2 : 0,
    ...(settings.password !== undefined && { auth_data: PASSWORD }),
  };
}

function scriptsOf(told: NotifySettings | undefined): Record<string, string> {
  const names = { master: 'master', backup: 'backup', fault: 'fault', stop: 'stop', any: '' } as const;
  const found = Object.entries(names).flatMap(([event, suffix]) => {
    const script = told?.scripts[event as keyof typeof names];
    const member = suffix === '' ? 'script' : `script_${suffix}`;
    return script === undefined ? [] : [[member, script.command.map((word) => `'${word}'`).join(' ')]];
  });
  return Object.fromEntries(found);
}

const processOf = ({ settings, count, good }: ProcessBlockStatus) => ({
  process: settings.command,
  ...(settings.parameters !== undefined && { parameters: settings.parameters.join(' ') }),
  param_match: settings.parameters === undefined ? 'none' : settings.match,
  min_processes: settings.quorum,
  ...(settings.quorumMax !== undefined && { max_processes: settings.quorumMax }),
  current_processes: count,
  have_quorum: good === true,
  terminate_delay: toSeconds(settings.terminateDelay),
  fork_delay: toSeconds(settings.forkDelay),
  full_command: settings.fullCommand,
});
