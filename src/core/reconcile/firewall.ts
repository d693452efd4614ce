import { type Family, familyOf, isLinkLocal } from '../ip.ts';
import type { Link } from '../netlink/link.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { deviceOf, wantedLinks } from './vmac-wants.ts';

/** How the rules are written: `nftables` and what follows it in `global_defs`. */
export interface FirewallSettings {
  /** `nftables`: the name of the tables, one for each family. */
  readonly table: string;
  /** `nftables_priority`: of the chains; -1 is before the filters, and before IPVS. */
  readonly priority: number;
  /** `nftables_ifindex`: interfaces are matched by number. */
  readonly byIndex: boolean;
  /** `nftables_counters`. */
  readonly counters: boolean;
}

/**
 * A chain of this priority or more on the input hook comes after IPVS, which takes the packets of its services
 * (NF_IP_PRI_NAT_SRC less 1).
 */
export const AFTER_IPVS = 100;

interface Element {
  readonly address: string;
  /** For link-local ones: they are others on another interface. */
  readonly device?: string;
}

/** The script that removes our tables, whether they are there or not. */
export const removal = (table: string): string =>
  [4, 6]
    .map(
      (family) =>
        `table ${nameOf(family as Family)} ${table} {}\ndelete ${tableName(family as Family, table)}\n`,
    )
    .join('');

const nameOf = (family: Family): string => (family === 4 ? 'ip' : 'ip6');
const tableName = (family: Family, table: string): string => `table ${nameOf(family)} ${table}`;

/**
 * What nft(8) is to read so that our tables are exactly right, in one transaction; `undefined` when no rule is needed.
 * `links` are the interfaces there are now, for what needs their numbers.
 *
 * - `no_accept`: what is sent to the addresses is dropped, and from them, all but neighbour discovery; as keepalived
 *   has it, but also while backup, where nothing should come.
 * - A VMAC does not tell switches where it is by its reports of memberships: a backup would take the traffic. The
 *   interface below reports the group of the adverts itself; reports of IPv6 addresses are sent from there instead.
 */
export function ruleset(
  instances: readonly VrrpSettings[],
  settings: FirewallSettings,
  links: readonly Link[],
): string | undefined {
  const tables = ([4, 6] as const).map((family) => tableOf(family, instances, settings, links));
  if (tables.every((lines) => lines.length === 0)) return undefined;
  return `${removal(settings.table)}${tables.flat().join('\n')}\n`;
}

function tableOf(
  family: Family,
  instances: readonly VrrpSettings[],
  settings: FirewallSettings,
  links: readonly Link[],
): string[] {
  const dropped = family === 4 ? elements(4, instances) : elements(6, instances);
  const names = new Interfaces(settings, links);
  const { input, output, sets } = dropRules(family, dropped, names, settings);
  const quiet = reportRules(family, instances, names, settings);
  if (input.length === 0 && quiet.length === 0) return [];
  const chain = (name: string, hook: string, rules: readonly string[]): string[] => [
    `  chain ${name} {`,
    `    type filter hook ${hook} priority ${settings.priority}; policy accept;`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ];
  return [
    `${tableName(family, settings.table)} {`,
    ...sets,
    ...chain('in', 'input', input),
    ...chain('out', 'output', [...quiet, ...output]),
    '}',
  ];
}

/** The addresses of a family whose traffic is dropped. */
function elements(family: Family, instances: readonly VrrpSettings[]): Element[] {
  const found = new Map<string, Element>();
  for (const settings of instances) {
    if (settings.noAccept !== true) continue;
    for (const virtual of [...settings.addresses, ...settings.excluded]) {
      const { ip } = virtual.address;
      if (familyOf(ip) !== family) continue;
      const local = family === 6 && isLinkLocal(ip);
      const element = { address: ip, ...(local && { device: deviceOf(virtual, settings) }) };
      found.set(`${ip} ${element.device ?? ''}`, element);
    }
  }
  return [...found.values()];
}

interface Drops {
  readonly input: string[];
  readonly output: string[];
  readonly sets: string[];
}

function dropRules(
  family: Family,
  dropped: readonly Element[],
  names: Interfaces,
  { counters }: FirewallSettings,
): Drops {
  const ip = nameOf(family);
  const end = counters ? 'counter drop' : 'drop';
  const drops: Drops = { input: [], output: [], sets: [] };
  if (dropped.length === 0) return drops;
  if (family === 6) {
    const discovery = `icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ${counters ? 'counter ' : ''}accept`;
    drops.input.push(discovery);
    drops.output.push(discovery);
  }
  const everywhere = dropped.filter(({ device }) => device === undefined).map(({ address }) => address);
  if (everywhere.length > 0) {
    drops.sets.push(...setOf('vips', `ipv${family}_addr`, everywhere));
    drops.input.push(`${ip} daddr @vips ${end}`);
    drops.output.push(`${ip} saddr @vips ${end}`);
  }
  const local = dropped.flatMap(({ address, device }) => {
    const there = device === undefined ? undefined : names.value(device);
    return there === undefined ? [] : [`${address} . ${there}`];
  });
  if (local.length > 0) {
    drops.sets.push(...setOf('vips_link_local', `ipv6_addr . ${names.type}`, local));
    drops.input.push(`ip6 daddr . ${names.match('i')} @vips_link_local ${end}`);
    drops.output.push(`ip6 saddr . ${names.match('o')} @vips_link_local ${end}`);
  }
  return drops;
}

/** The reports that VMACs are not to send, on their interfaces. */
function reportRules(
  family: Family,
  instances: readonly VrrpSettings[],
  names: Interfaces,
  { counters }: FirewallSettings,
): string[] {
  const vmacs = wantedLinks(instances).filter(
    ({ sort, ipv4, ipv6 }) => sort.kind === 'macvlan' && (family === 4 ? ipv4 : ipv6),
  );
  const there = vmacs.flatMap(({ name }) => names.value(name) ?? []);
  if (there.length === 0) return [];
  const end = counters ? 'counter drop' : 'drop';
  const on = `${names.match('o')} { ${there.join(', ')} }`;
  if (family === 4) return [`ip protocol igmp ${on} ${end}`];
  const reports = 'icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report }';
  const resent = vmacs.flatMap(({ name, base }) => {
    const [vmac, below] = [names.value(name), names.number(base)];
    if (vmac === undefined || below === undefined) return [];
    return [`${reports} ${names.match('o')} ${vmac} dup to ip6 daddr device ${below} ${end}`];
  });
  return [...resent, `${reports} ${on} ${end}`, `icmpv6 type nd-router-solicit ${on} ${end}`];
}

const setOf = (name: string, type: string, values: readonly string[]): string[] => [
  `  set ${name} {`,
  `    type ${type}`,
  `    elements = { ${values.join(', ')} }`,
  '  }',
];

/** How interfaces are matched: by name, or by the number that they have now. */
class Interfaces {
  readonly #byIndex: boolean;
  readonly #numbers: ReadonlyMap<string, number>;

  constructor({ byIndex }: FirewallSettings, links: readonly Link[]) {
    this.#byIndex = byIndex;
    this.#numbers = new Map(links.map(({ name, ifindex }) => [name, ifindex]));
  }

  get type(): string {
    return this.#byIndex ? 'iface_index' : 'ifname';
  }

  match(direction: 'i' | 'o'): string {
    return `${direction}if${this.#byIndex ? '' : 'name'}`;
  }

  /** `undefined` for one that is not there, where its number is needed. */
  value(name: string): string | undefined {
    return this.#byIndex ? this.number(name) : `"${name}"`;
  }

  number(name: string): string | undefined {
    return this.#numbers.get(name)?.toString();
  }
}
