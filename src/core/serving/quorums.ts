import { poolName } from '../balance/pool.ts';
import { headerName } from '../balance/titles.ts';
import type { TrackSettings } from '../vrrp/settings.ts';
import type { TrackEvent } from '../vrrp/track.ts';
import type { ServiceStatus } from './balancer.ts';
import type { VirtualServerSettings } from './settings.ts';

/** A virtual router or a sync group, as far as it tracks something. */
interface Tracking {
  readonly track?: readonly TrackSettings[];
}

/**
 * News for `track_quorum`: of each virtual server that virtual routers or groups track, whether the checks leave it its
 * quorum. `services`: what the check process said last; without it nothing is known. `checked`: there is such a
 * process.
 */
export function quorumNews(
  routers: readonly Tracking[],
  virtualServers: readonly VirtualServerSettings[],
  services: readonly ServiceStatus[] | undefined,
  checked: boolean,
): TrackEvent[] {
  const lines = routers.flatMap(({ track = [] }) => track);
  const names = new Set(lines.flatMap(({ kind, name }) => (kind === 'quorum' ? [name] : [])));
  const standing = new Map(services?.map((service) => [service.name, service]));
  return Array.from(names).flatMap((name): TrackEvent[] => {
    if (!checked)
      return [{ type: 'track', kind: 'quorum', name, good: true, why: 'nothing is checked here' }];
    const blocks = virtualServers.filter((settings) => headerName(settings) === name);
    const known = blocks.flatMap((settings) => standing.get(poolName(settings)) ?? []);
    if (blocks.length === 0 || known.length < blocks.length) return [];
    const bad = known.find(({ sound }) => !sound);
    const why = bad === undefined ? 'the quorum holds' : whyOf(bad, blocks);
    return [{ type: 'track', kind: 'quorum', name, good: bad === undefined, why }];
  });
}

function whyOf({ name, servers }: ServiceStatus, blocks: readonly VirtualServerSettings[]): string {
  const up = servers.filter((server) => server.up).length;
  const quorum = blocks.find((settings) => poolName(settings) === name)?.quorum;
  return `${name} has ${up} of ${servers.length} real servers up, and a quorum of ${quorum}`;
}
