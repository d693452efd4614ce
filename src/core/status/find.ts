import { nearest } from '../config/spelling.ts';
import { parseIp } from '../ip.ts';
import { namesPool, namesServer } from '../serving/servernames.ts';
import type { RouterReport, ServerReport, ServiceReport, StatusReport } from './report.ts';

/** A real server, with the name of its virtual server. */
export type PlacedServer = ServerReport & { readonly service: string };

/** What an operator means by a word. */
export interface Found {
  readonly routers: readonly RouterReport[];
  readonly services: readonly ServiceReport[];
  /** Of other virtual servers than those. */
  readonly servers: readonly PlacedServer[];
}

/**
 * All that the word names: a virtual router by its name or by one of its addresses, a virtual server as `status` shows
 * it or by its address, with or without its port and protocol, a real server by its address or its address and port.
 */
export function find({ vrrp, check }: StatusReport, word: string): Found {
  const services = check?.services ?? [];
  const named = services.filter(({ name, endpoints }) => namesPool(word, name, endpoints));
  return {
    routers: (vrrp?.instances ?? []).filter((router) => namesRouter(word, router)),
    services: named,
    servers: services
      .filter((service) => !named.includes(service))
      .flatMap(placedServers)
      .filter(({ name }) => namesServer(word, name)),
  };
}

export const placedServers = ({ name: service, servers }: ServiceReport): PlacedServer[] =>
  servers.map((server) => ({ service, ...server }));

export const isNothing = ({ routers, services, servers }: Found): boolean =>
  routers.length + services.length + servers.length === 0;

function namesRouter(word: string, { name, addresses }: RouterReport): boolean {
  if (word === name) return true;
  const ip = parseIp(word.replace(/\/\d+$/, '').replace(/^\[(.*)\]$/, '$1'));
  return ip !== undefined && addresses.some(({ address }) => address.split('/')[0] === ip);
}

/** The report with nothing but what was found. */
export function narrowed(report: StatusReport, { routers, services, servers }: Found): StatusReport {
  const { vrrp, check } = report;
  const whole = new Set(services.map(({ name }) => name));
  const names = new Set(servers.map(({ service, name }) => `${service} ${name}`));
  const kept = (check?.services ?? []).flatMap((service) => {
    if (whole.has(service.name)) return [service];
    const some = service.servers.filter(({ name }) => names.has(`${service.name} ${name}`));
    return some.length === 0 ? [] : [{ ...service, servers: some }];
  });
  return {
    ...report,
    vrrp: vrrp && { ...vrrp, instances: routers, bfd: [], groups: [] },
    check: check && { ...check, services: kept, foreign: [], foreignCount: 0 },
    sync: null,
  };
}

/** That a process has nothing to do here, and what says so. */
export const absence = (role: 'vrrp' | 'check'): string =>
  role === 'vrrp'
    ? 'no VRRP process runs here (-C, or no vrrp_instance)'
    : 'no check process runs here (-P, or no virtual_server)';

/** Why nothing has that name: what is near, and what does not run here at all. */
export function whyNothing({ vrrp, check }: StatusReport, word: string): string {
  const names = [
    ...(vrrp?.instances ?? []).flatMap(({ name, addresses }) => [
      name,
      ...addresses.map(({ address }) => address.replace(/\/\d+$/, '')),
    ]),
    ...(check?.services ?? []).flatMap(({ name, endpoints, servers }) => [
      ...[name, ...endpoints.map((endpoint) => endpoint.replace(/^\w+ /, ''))],
      ...servers.map((server) => server.name),
    ]),
  ];
  const near = nearest(word, names);
  const hint = near === undefined ? '; vipkeeper status lists them' : `: did you mean ${near}?`;
  const missing = [
    ...(vrrp === null ? [absence('vrrp')] : []),
    ...(check === null ? [absence('check')] : []),
  ];
  const why = missing.length === 0 ? '' : `; ${missing.join(', ')}`;
  return `nothing here is called ${word}${hint}${why}`;
}
