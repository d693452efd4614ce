import { poolName } from '../../core/balance/pool.ts';
import { headerName } from '../../core/balance/titles.ts';
import type { Configuration } from '../../core/config/model.ts';
import type { ServiceStatus } from '../../core/serving/balancer.ts';
import type { VirtualServerSettings } from '../../core/serving/settings.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';

/**
 * News for `track_quorum`: of each virtual server that virtual routers track, whether the checks leave it its quorum.
 * `services`: what the check process said last; without it nothing is known. `checked`: there is such a process.
 */
export function quorumNews(
  { instances, groups, virtualServers }: Pick<Configuration, 'instances' | 'groups' | 'virtualServers'>,
  services: readonly ServiceStatus[] | undefined,
  checked: boolean,
): TrackEvent[] {
  const lines = [...instances, ...groups].flatMap(({ track = [] }) => track);
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
