import type { Service } from '../../balance/model.ts';
import { serviceName } from '../../balance/model.ts';
import { poolName } from '../../balance/pool.ts';
import type { RealServerSettings, ServicePoint, VirtualServerSettings } from '../../serving/settings.ts';
import type { root } from '../grammar/root.ts';
import type { Token } from '../lex.ts';
import type { Section } from '../tree.ts';
import { type CheckGlobals, checkGlobals } from './checks.ts';
import { type Context, Names, unknownName } from './context.ts';
import { blockForwarding } from './forwarding.ts';
import { type Block, type BuiltServer, buildRealServers, buildSorry } from './realserver.ts';
import { checkHeader, keyOf, type ServiceEntry, serviceOf } from './service.ts';

type Groups = ReadonlyMap<string, readonly ServicePoint[]>;
/** How many blocks have used a group so far: keepalived's notifications number them. */
type Uses = Map<string, number>;

/** A `virtual_server` block, and what it means. */
export interface VirtualServer {
  readonly entry: ServiceEntry;
  readonly settings: VirtualServerSettings;
  readonly servers: readonly BuiltServer[];
}

/** All `virtual_server` blocks; each service once. */
export function buildVirtualServers(file: Section<typeof root>, context: Context): VirtualServer[] {
  const groups = serviceGroups(file, context);
  const uses: Uses = new Map();
  const globals = checkGlobals(file);
  const seen = new Map<string, { readonly keyword: Token; readonly group: string | undefined }>();
  return file.all('virtual_server').flatMap((entry) => {
    const built = buildVirtualServer(entry, groups, uses, globals, context);
    if (built === undefined) return [];
    const { keyword } = entry;
    const group = built.settings.group?.name;
    const { services } = built.settings;
    const twice = services.map(({ key }) => serviceName(key)).find((name) => isTaken(name, group));
    if (twice !== undefined) {
      const related = { what: 'the first is here', span: seen.get(twice)?.keyword ?? keyword };
      context.findings.error(keyword, `virtual_server ${twice} is defined twice`, { related });
      return [];
    }
    for (const { key } of services) seen.set(serviceName(key), { keyword, group });
    return [{ entry, ...built }];
  });

  /** Blocks for other protocols of one group have its marks in common. */
  function isTaken(name: string, group: string | undefined): boolean {
    const first = seen.get(name);
    return (
      first !== undefined && (group === undefined || first.group !== group || !name.startsWith('fwmark'))
    );
  }
}

/** The `virtual_server_group` blocks: what each stands for. */
function serviceGroups(file: Section<typeof root>, { findings }: Context): Groups {
  const names = new Names('virtual_server_group', findings);
  const groups = new Map<string, readonly ServicePoint[]>();
  const damaged = new Set(
    file.statements('virtual_server_group').flatMap((s) => (s.damaged ? [s.keyword] : [])),
  );
  for (const { keyword, values, items } of file.all('virtual_server_group')) {
    const [name] = values;
    if (!names.add(name, keyword)) continue;
    const points = (items ?? []).flatMap(({ value }) => value);
    if (points.length === 0 && !damaged.has(keyword))
      findings.error(keyword, `virtual_server_group ${name} has no address or mark`);
    groups.set(name, points);
  }
  return groups;
}

/** Nothing for a block without real servers, which keepalived drops, and for one whose group there is not. */
function buildVirtualServer(
  entry: ServiceEntry,
  groups: Groups,
  uses: Uses,
  globals: CheckGlobals,
  context: Context,
): Omit<VirtualServer, 'entry'> | undefined {
  const { section, keyword } = entry;
  const { findings } = context;
  const [header] = entry.values;
  const points = header.kind === 'group' ? groups.get(header.name) : [header];
  if (points === undefined && header.kind === 'group') {
    unknownName(findings, entry.words[1] ?? keyword, 'virtual_server_group', header.name, groups.keys());
  }
  if (points === undefined || points.length === 0) return undefined;
  checkHeader(entry, points, findings);
  const services = servicesOf(entry, points, context);
  const group = header.kind === 'group' ? groupOf(header.name, points, uses) : undefined;
  const forwarding = blockForwarding(section, keyword, findings);
  const block = { section, services, grouped: group !== undefined, forwarding, globals };
  const servers = buildRealServers(block, context);
  const realServers = servers.map(({ settings }) => settings);
  const sorry = buildSorry(block, context);
  const named = { services, ...(group === undefined ? {} : { group }) };
  if (!section.has('real_server')) {
    findings.warning(keyword, `virtual_server ${poolName(named)} has no real_server: it is left out`);
    return undefined;
  }
  const settings: VirtualServerSettings = {
    ...named,
    realServers,
    ...(sorry === undefined ? {} : { sorry }),
    ...(sorry !== undefined && section.has('sorry_server_inhibit') ? { sorryInhibit: true } : {}),
    ...quorumOf(entry, realServers, context),
    ...guardOf(entry, sorry !== undefined, context),
    ...(suspends(block, context) ? { haSuspend: true } : {}),
    ...(section.has('omega') ? { omega: true } : {}),
  };
  return { settings, servers };
}

/** The services of a block's points. What is wrong with their settings is said once: they have the same. */
function servicesOf(entry: ServiceEntry, points: readonly ServicePoint[], context: Context): Service[] {
  const names = new Set<string>();
  const services: Service[] = [];
  for (const point of points) {
    const key = keyOf(entry, point, points);
    const name = serviceName(key);
    if (names.has(name)) {
      context.findings.error(entry.words[1] ?? entry.keyword, `the group has ${name} twice`);
      continue;
    }
    names.add(name);
    services.push(serviceOf(entry, key, points, services.length === 0 ? context.findings : undefined));
  }
  return services;
}

function groupOf(
  name: string,
  points: readonly ServicePoint[],
  uses: Uses,
): NonNullable<VirtualServerSettings['group']> {
  const index = uses.get(name) ?? 0;
  uses.set(name, index + 1);
  return { name, index, points };
}

function quorumOf(
  { section, keyword }: ServiceEntry,
  realServers: readonly RealServerSettings[],
  { findings }: Context,
): { quorum: number; hysteresis: number } {
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
  return { quorum, hysteresis: Math.min(margin, quorum - 1) };
}

/** `ha_suspend` needs an address to look for: a mark has none. */
function suspends({ section, services }: Block, { findings }: Context): boolean {
  const at = section.token('ha_suspend');
  if (at === undefined) return false;
  const byMark = services.some(({ key }) => key.kind === 'fwmark');
  if (byMark) findings.warning(at, 'ha_suspend is not for marks: it has no effect, as in keepalived');
  return !byMark;
}

/** A guard and a sorry server want the opposite of each other when all servers are down. */
function guardOf({ section }: ServiceEntry, sorry: boolean, { findings }: Context): { minUp?: number } {
  const minUp = section.value('min_up');
  if (minUp === undefined) return {};
  const at = section.last('min_up')?.words[0];
  if (sorry && at !== undefined) {
    findings.warning(at, 'min_up keeps real servers in service, so the sorry server may never serve', {
      hint: 'a quorum above what min_up keeps lets it',
    });
  }
  return { minUp };
}
