import type { Service, ServiceKey } from '../../balance/model.ts';
import { type Family, familyBits, familyOf } from '../../ip.ts';
import type { ServicePoint } from '../../serving/settings.ts';
import { Findings } from '../findings.ts';
import type { root } from '../grammar/root.ts';
import type { virtualServer } from '../grammar/virtual.ts';
import type { Entry, Section } from '../tree.ts';

export type ServiceEntry = Entry<(typeof root)['virtual_server']>;
export type ServiceSection = Section<typeof virtualServer>;

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

const PROTOCOLS = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const;

/** What the kernel knows the service by: an address or mark of the block, or of its group, which has `points`. */
export function keyOf(
  { section }: ServiceEntry,
  point: ServicePoint,
  points: readonly ServicePoint[],
): ServiceKey {
  if (point.kind === 'fwmark') {
    return { kind: 'fwmark', mark: point.mark, family: point.family ?? familyOfMarks(section, points) };
  }
  const protocol = PROTOCOLS[section.value('protocol') ?? 'UDP'];
  return { kind: 'address', protocol, address: point.address, port: point.port };
}

/** Says which of protocol and family are missing, and which have no effect. */
export function checkHeader(
  { section, keyword }: ServiceEntry,
  points: readonly ServicePoint[],
  findings: Findings,
): void {
  const byAddress = points.some(({ kind }) => kind === 'address');
  const protocol = section.token('protocol');
  if (byAddress && protocol === undefined) {
    const hint = 'write protocol TCP, UDP or SCTP';
    findings.warning(keyword, 'virtual_server has no protocol: UDP is used, as in keepalived', { hint });
  }
  if (!byAddress && protocol !== undefined) {
    findings.warning(protocol, 'protocol has no effect here: the service is a mark');
  }
  const family = section.token('ip_family');
  const undecided = points.some((point) => point.kind === 'fwmark' && point.family === undefined);
  if (family !== undefined && !undecided) {
    const what = byAddress ? 'an address' : 'a mark that says its family';
    findings.warning(family, `ip_family has no effect here: the service is ${what}`);
  }
}

/** The family of marks that say none: `ip_family`, that of the group's addresses, that of the servers, IPv4. */
function familyOfMarks(section: ServiceSection, points: readonly ServicePoint[]): Family {
  const written = section.value('ip_family');
  if (written !== undefined) return written === 'inet' ? 4 : 6;
  const addresses = points.flatMap((point) => (point.kind === 'address' ? [point.address] : []));
  const servers = [...section.all('real_server'), ...section.all('sorry_server')].map(
    ({ values }) => values[0],
  );
  const families = new Set((addresses.length > 0 ? addresses : servers).map(familyOf));
  return families.size === 1 && families.has(6) ? 6 : 4;
}

export const familyOfKey = (key: ServiceKey): Family =>
  key.kind === 'fwmark' ? key.family : familyOf(key.address);

/** The service's settings in the kernel. Without `findings` nothing is said: it has been, for another of its group. */
export function serviceOf(
  entry: ServiceEntry,
  key: ServiceKey,
  points: readonly ServicePoint[],
  findings: Findings = new Findings(),
): Service {
  const { section, keyword } = entry;
  if (!section.has('lvs_sched')) {
    findings.warning(keyword, 'virtual_server has no lb_algo: wlc is used', { hint: 'write lb_algo wlc' });
  }
  const scheduler = section.value('lvs_sched') ?? 'wlc';
  const persistence = persistenceOf(entry, key, points, findings);
  const engine = section.value('persistence_engine');
  const alone = engine !== undefined && persistence.persistence === 0;
  if (alone) {
    const at = section.token('persistence_engine') ?? keyword;
    findings.warning(at, 'persistence_engine has no effect without persistence_timeout');
  }
  return {
    key,
    scheduler,
    flags: flagsOf(section, scheduler, key, findings),
    ...persistence,
    ...(engine === undefined || alone ? {} : { engine }),
  };
}

function flagsOf(section: ServiceSection, scheduler: string, key: ServiceKey, findings: Findings): number {
  let flags = 0;
  for (const [name, bit] of FLAGS) {
    const at = section.token(name);
    if (at === undefined) continue;
    const owner = name.slice(0, 2);
    if (owner !== 'fl' && owner !== scheduler) {
      findings.warning(at, `${name} counts only with lb_algo ${owner}: it has no effect`);
    } else {
      flags |= bit;
    }
  }
  const ops = section.token('ops');
  if (ops === undefined) return flags;
  if (key.kind === 'address' && key.protocol !== 'udp') {
    findings.warning(ops, 'ops is for UDP services only: it has no effect, as in keepalived');
    return flags;
  }
  return flags | ONE_PACKET;
}

/** A granularity alone, and port 0 alone, turn persistence on, as in keepalived; both are said. */
function persistenceOf(
  { section, keyword }: ServiceEntry,
  key: ServiceKey,
  points: readonly ServicePoint[],
  findings: Findings,
): { persistence: number; granularity: number } {
  const granularity = granularityOf(section, key, points, findings);
  if (section.has('persistence_timeout')) {
    return { persistence: section.value('persistence_timeout') ?? DEFAULT_PERSISTENCE, granularity };
  }
  if (section.has('persistence_granularity')) {
    const at = section.last('persistence_granularity')?.words[0] ?? keyword;
    findings.warning(at, `persistence_granularity turns on persistence_timeout ${DEFAULT_PERSISTENCE}`);
    return { persistence: DEFAULT_PERSISTENCE, granularity };
  }
  if (points.some((point) => point.kind === 'address' && point.port === 0)) {
    const hint = 'write the port, or persistence_timeout';
    const message = `a service for all ports must be persistent: ${DEFAULT_PERSISTENCE} seconds are used`;
    findings.warning(keyword, message, { hint });
    return { persistence: DEFAULT_PERSISTENCE, granularity };
  }
  return { persistence: 0, granularity };
}

/** In bits; each client for itself where the written one is for the other family. */
function granularityOf(
  section: ServiceSection,
  key: ServiceKey,
  points: readonly ServicePoint[],
  findings: Findings,
): number {
  const family = familyOfKey(key);
  const entry = section.last('persistence_granularity');
  const written = entry?.values[0];
  if (entry === undefined || written === undefined) return familyBits(family);
  if ((written.family === undefined) === (family === 6)) return written.length;
  const at = entry.words[0] ?? entry.keyword;
  const want = family === 4 ? 'a netmask such as 255.255.255.0' : 'a prefix length such as 64';
  if (points.length === 1) {
    const message = `persistence_granularity of an IPv${family} service is ${want}: each client is for itself`;
    const hint = 'keepalived reports it, or takes the number for an address';
    findings.warning(at, message, { hint });
  }
  return familyBits(family);
}
