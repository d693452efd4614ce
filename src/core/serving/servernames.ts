import { serviceName } from '../balance/model.ts';
import { poolName } from '../balance/pool.ts';
import { nearest } from '../config/spelling.ts';
import { endpointName, parseEndpoint, parseIp } from '../ip.ts';
import type { VirtualServerSettings } from './settings.ts';

/** How people name real and virtual servers to the operator's program. */

/** One real server of one virtual server. */
export interface Place {
  readonly service: string;
  readonly server: string;
}

/** A name for a real server of a virtual server. */
export const keyOf = ({ service, server }: Place): string => `${service} ${server}`;

/** `10.0.0.2` of `10.0.0.2:80`, `2001:db8::2` of `[2001:db8::2]:80`. */
const addressOf = (endpoint: string): string => endpoint.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

/** Whether `name` means the real server `server`: its address and port, or its address alone. */
export function namesServer(name: string, server: string): boolean {
  const address = parseIp(name.replace(/^\[(.*)\]$/, '$1'));
  if (address !== undefined) return addressOf(server) === address;
  const [, host, port] = /^(.*):(\d+)$/.exec(name) ?? [];
  const found = host === undefined ? undefined : parseIp(host.replace(/^\[(.*)\]$/, '$1'));
  return name === server || (found !== undefined && endpointName(found, Number(port)) === server);
}

/**
 * Whether `name` means the virtual server whose pool has that name, with these services in the kernel's table:
 * `tcp 10.0.0.1:80`, `10.0.0.1:80`, `10.0.0.1`, `fwmark 7`, `group web tcp`, `group web` or `web`.
 */
export function namesPool(name: string, pool: string, endpoints: readonly string[]): boolean {
  if (name === pool || /^group (\S+) \S+$/.exec(pool)?.[1] === name.replace(/^group /, '')) return true;
  return endpoints.some((endpoint) => {
    if (name === endpoint) return true;
    const bare = endpoint.startsWith('fwmark ') ? undefined : endpoint.replace(/^\w+ /, '');
    return bare === undefined ? name === endpoint.replace(/ inet6?$/, '') : namesServer(name, bare);
  });
}

const namesService = (name: string, settings: VirtualServerSettings): boolean =>
  namesPool(
    name,
    poolName(settings),
    settings.services.map(({ key }) => serviceName(key)),
  );

/** The real servers of that name, in all virtual servers or in those of the name `service`. */
export function placesOf(
  all: readonly VirtualServerSettings[],
  name: string,
  service: string | undefined,
): Place[] {
  return all.flatMap((settings) => {
    if (service !== undefined && !namesService(service, settings)) return [];
    const servers = serversOf(settings).filter((server) => namesServer(name, server));
    return servers.map((server) => ({ service: poolName(settings), server }));
  });
}

export const serversOf = ({ realServers }: VirtualServerSettings): string[] =>
  realServers.map(({ destination: { address, port } }) => endpointName(address, port));

/** Why nothing has those names, with the nearest that there is. */
export function whyNone(
  all: readonly VirtualServerSettings[],
  name: string,
  service: string | undefined,
): string {
  if (service !== undefined && !all.some((settings) => namesService(service, settings))) {
    const names = all.flatMap((settings) => [
      poolName(settings),
      ...settings.services.flatMap(({ key }) => serviceName(key).replace(/^\w+ /, '')),
    ]);
    return `there is no virtual server ${service}${meant(service, names)}`;
  }
  const servers = all
    .filter((settings) => service === undefined || namesService(service, settings))
    .flatMap(serversOf);
  const names = parseEndpoint(name) === undefined ? [...servers, ...servers.map(addressOf)] : servers;
  const where = service === undefined ? '' : ` in ${service}`;
  return `there is no real server ${name}${where}${meant(name, names)}`;
}

/** What to say of a name that nothing has: the nearest of those that there are, if one is near. */
export function meant(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near === undefined ? '; vipkeeper status lists them' : `: did you mean ${near}?`;
}
