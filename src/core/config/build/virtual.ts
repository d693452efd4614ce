import type { Destination, ForwardingMethod, Service, ServiceKey } from '../../balance/model.ts';
import { serviceName } from '../../balance/model.ts';
import { endpointName, type Family, familyBits, familyOf } from '../../ip.ts';
import { Findings } from '../findings.ts';
import type { root } from '../grammar/root.ts';
import type { ServicePoint } from '../grammar/service.ts';
import type { realServer, virtualServer } from '../grammar/virtual.ts';
import type { Token } from '../lex.ts';
import type { RealServerSettings, VirtualServerSettings } from '../model.ts';
import type { Entry, Section } from '../tree.ts';
import { bfdCheck, inherited, tcpCheck } from './check.ts';
import { Names, unknownName } from './context.ts';

export type ServiceEntry = Entry<(typeof root)['virtual_server']>;
type ServerEntry = Entry<(typeof virtualServer)['real_server']>;
type ServiceSection = Section<typeof virtualServer>;

/** IP_VS_SVC_F_ONEPACKET and IP_VS_SVC_F_SCHED1..3 (linux/ip_vs.h); the hash schedulers name two of them. */
const ONE_PACKET = 4;
const FLAGS = [
  ['flag-1', 8],
  ['flag-2', 16],
  ['flag-3', 32],
  ['sh-fallback', 8],
  ['sh-port', 16],
  ['mh-fallback', 8],
  ['mh-port', 16],
] as const;
const DEFAULT_PERSISTENCE = 360;

/** All `virtual_server` blocks; each service once. */
export function buildVirtualServers(file: Section<typeof root>, findings: Findings): VirtualServerSettings[] {
  const built = new Map<string, { settings: VirtualServerSettings; keyword: Token }>();
  const groups = serviceGroups(file, findings);
  for (const [entry, settings] of file
    .all('virtual_server')
    .flatMap((entry) => servicesOf(entry, groups, findings).map((settings) => [entry, settings] as const))) {
    const name = serviceName(settings.service.key);
    const first = built.get(name);
    if (first === undefined) {
      built.set(name, { settings, keyword: entry.keyword });
      continue;
    }
    const related = { what: 'the first is here', span: first.keyword };
    findings.error(entry.keyword, `virtual_server ${name} is defined twice`, { related });
  }
  return Array.from(built.values(), ({ settings }) => settings);
}

/** The `virtual_server_group` blocks: what each stands for. */
export function serviceGroups(
  file: Section<typeof root>,
  findings: Findings,
): Map<string, readonly ServicePoint[]> {
  const names = new Names('virtual_server_group', findings);
  const groups = new Map<string, readonly ServicePoint[]>();
  for (const { keyword, values, items } of file.all('virtual_server_group')) {
    if (names.add(values[0], keyword))
      groups.set(
        values[0],
        (items ?? []).flatMap(({ value }) => value),
      );
  }
  return groups;
}

/**
 * The services of one block: one, or one for each address and mark of its group. Those have the same real
 * servers, so what is wrong with them is said for the first only, or for the first that has it.
 */
export function servicesOf(
  entry: ServiceEntry,
  groups: ReadonlyMap<string, readonly ServicePoint[]>,
  findings: Findings,
): VirtualServerSettings[] {
  const [header] = entry.values;
  if (header.kind !== 'group') return buildVirtualServer(entry, header, findings);
  const at = entry.words[1] ?? entry.keyword;
  const points = groups.get(header.name);
  if (points === undefined) {
    unknownName(findings, at, 'virtual_server_group', header.name, groups.keys());
    return [];
  }
  if (points.length > 1) {
    findings.warning(at, `each of the ${points.length} addresses and marks of ${header.name} is a service`, {
      hint: 'each checks the real servers and has a quorum for itself',
    });
  }
  return points.flatMap((point, i) => {
    const scratch = new Findings();
    const built = buildVirtualServer(entry, point, i === 0 ? findings : scratch);
    if (scratch.errors > 0) {
      const [first] = scratch.all().filter(({ severity }) => severity === 'error');
      findings.error(at, `${first?.message}: for ${pointName(point)} of ${header.name}`);
    }
    return built;
  });
}

const pointName = (point: ServicePoint): string =>
  point.kind === 'fwmark' ? `fwmark ${point.mark}` : endpointName(point.address, point.port);

/** None for a service without real servers, which keepalived drops in silence. */
function buildVirtualServer(
  entry: ServiceEntry,
  point: ServicePoint,
  findings: Findings,
): VirtualServerSettings[] {
  const { section, keyword } = entry;
  const key = keyOf(entry, point, findings);
  const service = serviceOf(entry, key, findings);
  const method = methodOf(section, keyword, findings);
  const realServers = realServersOf(section, key, method, findings);
  const sorry = sorryOf(section, key, method, findings);
  if (!section.has('real_server')) {
    findings.warning(keyword, `virtual_server ${serviceName(key)} has no real_server: it is left out`);
    return [];
  }
  const total = realServers.reduce((sum, server) => sum + server.destination.weight, 0);
  const wanted = section.value('quorum') ?? 1;
  const quorum = wanted > total && total > 0 && section.has('quorum') ? total : wanted;
  if (quorum !== wanted) {
    const at = section.last('quorum')?.words[0] ?? keyword;
    findings.warning(at, `quorum is more than the weight of all servers: ${total} is used`);
  }
  const margin = section.value('hysteresis') ?? 0;
  if (margin >= quorum && margin > 0) {
    const at = section.last('hysteresis')?.words[0] ?? keyword;
    findings.warning(at, `hysteresis must be below the quorum: ${quorum - 1} is used`);
  }
  const rest = sorry === undefined ? {} : { sorry };
  return [{ service, realServers, ...rest, quorum, hysteresis: Math.min(margin, quorum - 1) }];
}

function keyOf({ section, keyword }: ServiceEntry, header: ServicePoint, findings: Findings): ServiceKey {
  const protocol = section.value('protocol');
  const byMark = header.kind === 'fwmark';
  const needless = section.token(byMark ? 'protocol' : 'ip_family');
  if (needless !== undefined) {
    const message = `${needless.text} has no effect here: the service is ${byMark ? 'a mark' : 'an address'}`;
    findings.warning(needless, message);
  }
  if (header.kind === 'fwmark') {
    const written = section.value('ip_family');
    const family =
      header.family ?? (written === undefined ? serversFamily(section) : written === 'inet' ? 4 : 6);
    return { kind: 'fwmark', mark: header.mark, family };
  }
  if (!section.has('protocol')) {
    const hint = 'write protocol TCP, UDP or SCTP';
    findings.warning(keyword, 'virtual_server has no protocol: UDP is used, as in keepalived', { hint });
  }
  const transport = ({ TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const)[protocol ?? 'UDP'];
  return { kind: 'address', protocol: transport, address: header.address, port: header.port };
}

const serversFamily = (section: ServiceSection): Family => {
  const first = section.last('real_server')?.values[0];
  return first === undefined ? 4 : familyOf(first);
};
const familyOfKey = (key: ServiceKey): Family => (key.kind === 'fwmark' ? key.family : familyOf(key.address));

function serviceOf({ section, keyword }: ServiceEntry, key: ServiceKey, findings: Findings): Service {
  if (!section.has('lvs_sched')) {
    findings.warning(keyword, 'virtual_server has no lb_algo: wlc is used', { hint: 'write lb_algo wlc' });
  }
  const scheduler = section.value('lvs_sched') ?? 'wlc';
  const engine = section.value('persistence_engine');
  return {
    key,
    scheduler,
    flags: flagsOf(section, scheduler, key, findings),
    ...persistenceOf(section, keyword, key, findings),
    ...(engine === undefined ? {} : { engine }),
  };
}

function flagsOf(section: ServiceSection, scheduler: string, key: ServiceKey, findings: Findings): number {
  let flags = 0;
  for (const [name, bit] of FLAGS) {
    const at = section.token(name);
    if (at === undefined) continue;
    const owner = name.slice(0, 2);
    if (owner !== 'fl' && owner !== scheduler) {
      findings.warning(at, `${name} counts only with lb_algo ${owner}: it is ignored`);
    } else {
      flags |= bit;
    }
  }
  const ops = section.token('ops');
  if (ops === undefined) return flags;
  if (key.kind === 'address' && key.protocol !== 'udp') {
    findings.error(ops, 'ops is for UDP services only');
    return flags;
  }
  return flags | ONE_PACKET;
}

/** A granularity alone, and port 0 alone, turn persistence on, as in keepalived; both are said. */
function persistenceOf(
  section: ServiceSection,
  keyword: Token,
  key: ServiceKey,
  findings: Findings,
): { persistence: number; granularity: number } {
  const family = familyOfKey(key);
  const written = section.value('persistence_granularity');
  const granularity = written?.length ?? familyBits(family);
  const at = section.last('persistence_granularity')?.words[0] ?? keyword;
  if (written !== undefined && (written.family === undefined) === (family === 4)) {
    const want = family === 4 ? 'a netmask such as 255.255.255.0' : 'a prefix length such as 64';
    findings.error(at, `persistence_granularity of an IPv${family} service is ${want}`);
  }
  if (section.has('persistence_timeout')) {
    return { persistence: section.value('persistence_timeout') ?? DEFAULT_PERSISTENCE, granularity };
  }
  if (written !== undefined) {
    findings.warning(at, `persistence_granularity turns on persistence_timeout ${DEFAULT_PERSISTENCE}`);
    return { persistence: DEFAULT_PERSISTENCE, granularity };
  }
  if (key.kind === 'address' && key.port === 0) {
    const hint = 'write the port, or persistence_timeout';
    const message = `a service for all ports must be persistent: ${DEFAULT_PERSISTENCE} seconds are used`;
    findings.warning(keyword, message, { hint });
    return { persistence: DEFAULT_PERSISTENCE, granularity };
  }
  return { persistence: 0, granularity };
}

const METHODS = { NAT: 'nat', DR: 'dr', TUN: 'tun' } as const;

function methodOf(section: ServiceSection, keyword: Token, findings: Findings): ForwardingMethod {
  if (!section.has('lvs_method')) {
    findings.warning(keyword, 'virtual_server has no lb_kind: NAT is used', { hint: 'write lb_kind NAT' });
  }
  return forwarding(section.last('lvs_method'), findings) ?? 'nat';
}

/** A forwarding keyword's method. Tunnels are IPIP: the kernel's other encapsulations are not set up yet. */
function forwarding(
  entry: Entry<(typeof realServer)['lvs_method']> | undefined,
  findings: Findings,
): ForwardingMethod | undefined {
  if (entry === undefined) return undefined;
  const [method, tunnel] = entry.values;
  const at = entry.words[1] ?? entry.keyword;
  if (method !== 'TUN' && Object.keys(tunnel).length > 0)
    findings.error(at, `${method} has no tunnel options`);
  if (tunnel.type !== undefined && tunnel.type !== 'ipip') {
    findings.error(at, `this version does not have ${tunnel.type} tunnels yet`, { hint: 'use type ipip' });
  }
  if (
    method === 'TUN' &&
    (tunnel.type ?? 'ipip') === 'ipip' &&
    Object.keys(tunnel).some((o) => o !== 'type')
  ) {
    findings.error(at, 'port and checksums are options of other tunnels than ipip');
  }
  return METHODS[method];
}

function realServersOf(
  section: ServiceSection,
  key: ServiceKey,
  method: ForwardingMethod,
  findings: Findings,
): RealServerSettings[] {
  const built: RealServerSettings[] = [];
  const seen = new Map<string, Token>();
  for (const entry of section.all('real_server')) {
    const settings = buildRealServer(entry, section, key, method, findings);
    const { address, port } = settings.destination;
    const name = endpointName(address, port);
    const first = seen.get(name);
    if (first !== undefined) {
      const related = { what: 'the first is here', span: first };
      findings.error(entry.keyword, `real_server ${name} is there twice`, { related });
      continue;
    }
    seen.set(name, entry.keyword);
    built.push(settings);
  }
  return built;
}

function buildRealServer(
  entry: ServerEntry,
  service: ServiceSection,
  key: ServiceKey,
  serviceMethod: ForwardingMethod,
  findings: Findings,
): RealServerSettings {
  const { section, keyword, words, values } = entry;
  const [address, written = 0] = values;
  const method = forwarding(section.last('lvs_method'), findings) ?? serviceMethod;
  if (method !== 'tun' && familyOf(address) !== familyOfKey(key)) {
    findings.error(words[0] ?? keyword, `real_server is of another family than its service`, {
      hint: 'only TUN forwards between families',
    });
  }
  const port = portOf(key, method, written, words[1] ?? keyword, findings);
  const from = inherited(section, service);
  const tcp = section.all('TCP_CHECK').flatMap((check) => {
    const probed = written === 0 ? port : written;
    return tcpCheck(check, address, probed, from, findings) ?? [];
  });
  const checks = [...tcp, ...section.all('BFD_CHECK').flatMap((check) => bfdCheck(check) ?? [])];
  const upper = section.value('uthreshold') ?? 0;
  const lower = section.value('lthreshold') ?? 0;
  if (upper > 0 && lower > upper) {
    findings.error(section.token('lthreshold') ?? keyword, 'lthreshold is above uthreshold');
  }
  const weight = section.value('weight') ?? service.value('weight') ?? 1;
  return {
    destination: { address, port, method, weight, upper, lower },
    inhibit: section.value('inhibit_on_failure') ?? service.value('inhibit_on_failure') ?? false,
    checks,
  };
}

/** Only NAT rewrites ports. DR and TUN keep the service's port, a mark has none; keepalived forces both. */
function portOf(
  key: ServiceKey,
  method: ForwardingMethod,
  written: number,
  at: Token,
  findings: Findings,
): number {
  const forced = key.kind === 'fwmark' ? 0 : key.port;
  if (written === 0) return forced;
  if (method === 'nat' && key.kind === 'address') return written;
  if (written !== forced && key.kind === 'address') {
    findings.warning(
      at,
      `${method.toUpperCase()} keeps the port of the service: ${forced} is used, not ${written}`,
    );
  }
  return forced;
}

function sorryOf(
  section: ServiceSection,
  key: ServiceKey,
  serviceMethod: ForwardingMethod,
  findings: Findings,
): Destination | undefined {
  const entry = section.last('sorry_server');
  if (entry === undefined) {
    const alone = section.token('sorry_server_lvs_method');
    if (alone !== undefined)
      findings.warning(alone, 'sorry_server_lvs_method has no effect without sorry_server');
    return undefined;
  }
  const [address, written = 0] = entry.values;
  const method = forwarding(section.last('sorry_server_lvs_method'), findings) ?? serviceMethod;
  const port = portOf(key, method, written, entry.words[1] ?? entry.keyword, findings);
  if (method !== 'tun' && familyOf(address) !== familyOfKey(key)) {
    findings.error(entry.words[0] ?? entry.keyword, 'sorry_server is of another family than its service');
  }
  return { address, port, method, weight: 1, upper: 0, lower: 0 };
}
