import type { Configuration } from '../../core/config/model.ts';
import { hasStatics, NO_STATICS } from '../../core/kernel/settings.ts';
import type { SyncDaemonSettings } from '../../core/sync/settings.ts';
import type { CheckConfiguration, Role, VrrpConfiguration } from '../messages.ts';
import type { DaemonOptions } from '../options.ts';

export type Assignment = VrrpConfiguration | CheckConfiguration | SyncDaemonSettings;

/** What a process of each role has to do; undefined: it is not needed. */
export function assignment(
  role: Role,
  configuration: Configuration,
  options: DaemonOptions,
): Assignment | undefined {
  if (role === 'vrrp') return ofVrrp(configuration, options);
  if (options.vrrp) return undefined;
  if (role === 'sync') return configuration.syncDaemon;
  const { virtualServers, global } = configuration;
  if (virtualServers.length === 0) return undefined;
  const { dontReleaseIpvs, stateDir } = options;
  return { virtualServers, global, release: !dontReleaseIpvs, ledger: `${stateDir}/services` };
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
    placement: placements.vrrp,
    quietIgmp,
    logUnknownVrids,
    release: !options.dontReleaseVrrp,
  };
}
