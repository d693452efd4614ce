import type { Configuration } from '../../core/config/model.ts';
import { claimed } from '../../core/director/claimed.ts';
import type { FencingSettings, FencingTargets } from '../../core/fence/settings.ts';
import {
  PRIVILEGES_OF_VRRP,
  type Privileges,
  privilegesOfCheck,
  privilegesOfSync,
} from '../../core/privileges.ts';
import { leaseTableName } from '../../core/reconcile/lease-table.ts';
import { hasStatics, NO_STATICS } from '../../core/reconcile/settings.ts';
import type { SyncRole } from '../../core/reconcile/syncdaemon.ts';
import type {
  CheckConfiguration,
  Role,
  SyncConfiguration,
  SyncState,
  VrrpConfiguration,
  VrrpState,
} from '../messages.ts';
import type { DaemonOptions } from '../options.ts';

export type Assignment = VrrpConfiguration | CheckConfiguration | SyncConfiguration;

/** What a process of each role has to do; undefined: it is not needed. */
export function assignment(
  role: Role,
  configuration: Configuration,
  options: DaemonOptions,
): Assignment | undefined {
  if (role === 'vrrp') return ofVrrp(configuration, options);
  if (options.vrrp) return undefined;
  if (role === 'sync') return ofSync(configuration);
  const { virtualServers, global } = configuration;
  if (virtualServers.length === 0) return undefined;
  const { dontReleaseIpvs, stateDir } = options;
  return { virtualServers, global, release: !dontReleaseIpvs, ledger: `${stateDir}/services` };
}

/** What a process of the role may do at most; `undefined` for all that the daemon may. */
export function privilegesOf(
  role: Role,
  configuration: Configuration,
  { ipvsNamespace }: DaemonOptions,
): Privileges | undefined {
  const elsewhere = ipvsNamespace !== undefined;
  if (role === 'check') return privilegesOfCheck(configuration, elsewhere);
  return role === 'sync' ? privilegesOfSync(configuration, elsewhere) : PRIVILEGES_OF_VRRP;
}

/** Of the sync daemon that follows a virtual router, as that one stands; `undefined` where there is none to follow. */
export function roleOfSync({ syncDaemon }: Configuration, { instances }: VrrpState): SyncRole | undefined {
  const followed = instances.find(({ name }) => name === syncDaemon?.instance);
  if (followed === undefined) return undefined;
  return followed.state === 'MASTER' ? 'master' : 'backup';
}

/**
 * Whether a backup has all connections of the master: no copy is wanted, as the last one was complete. `undefined`
 * where there are no copies.
 */
export const hasWholeTable = ({ role, bulk }: SyncState): boolean | undefined =>
  bulk.trouble === undefined
    ? role !== 'master' && bulk.asking === undefined && bulk.got?.outcome === 'complete'
    : undefined;

function ofSync({ syncDaemon, cluster }: Configuration): SyncConfiguration | undefined {
  return syncDaemon && { daemon: syncDaemon, ...(cluster !== undefined && { cluster }) };
}

function ofVrrp(configuration: Configuration, options: DaemonOptions): VrrpConfiguration | undefined {
  const { instances, groups, routing, statics, pacing, delays, global } = configuration;
  const { check: onlyCheck, bfd: withBfd } = options;
  const sessions = withBfd ? configuration.bfd : [];
  const idle = instances.length === 0 && !hasStatics(statics);
  if (sessions.length === 0 && (onlyCheck || idle)) return undefined;
  const { placements, quietIgmp, logUnknownVrids, start } = global;
  return {
    instances: onlyCheck ? [] : instances,
    groups: onlyCheck ? [] : groups,
    routing: onlyCheck ? [] : routing,
    statics: onlyCheck ? NO_STATICS : statics,
    pacing,
    delays,
    start,
    bfd: sessions,
    ...(configuration.cluster !== undefined && !onlyCheck && { cluster: configuration.cluster }),
    ...(configuration.fencing !== undefined && !onlyCheck && { fencing: targetsOf(configuration.fencing) }),
    ...(configuration.watchdog !== undefined && !onlyCheck && { watchdog: configuration.watchdog }),
    placement: placements.vrrp,
    quietIgmp,
    logUnknownVrids,
    release: !options.dontReleaseVrrp,
    ...(global.leaseTables && !onlyCheck && { leaseTable: leaseTableName(options.runDir) }),
  };
}

/** Whether the process that has to do this has votes, and gives them. */
export const hasVotes = (work: Assignment): boolean => 'instances' in work && claimed(work).protects;

const targetsOf = ({ devices, startup, onFailure }: FencingSettings): FencingTargets => ({
  targets: [...new Set(devices.map(({ target }) => target))],
  startup,
  onFailure,
});
