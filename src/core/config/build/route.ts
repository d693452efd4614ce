import { type Family, familyOf, ip } from '../../ip.ts';
import type { Encapsulation } from '../../netlink/encap.ts';
import type { Metric, RouteMetrics } from '../../netlink/metrics.ts';
import { PROTOCOL_KEEPALIVED, ROUTE_TYPE, SCOPE, TABLE } from '../../netlink/route.ts';
import type { HopSettings, Keeping, RouteSettings } from '../../reconcile/settings.ts';
import type { EncapsulationLine } from '../grammar/encap.ts';
import type { Lockable, RouteHop, RouteLine } from '../grammar/route.ts';
import type { Token } from '../lex.ts';
import type { Item } from '../tree.ts';
import type { Context } from './context.ts';
import type { Numbers } from './numbers.ts';

/** What the lines of a block share. */
export interface Lines {
  readonly context: Context;
  readonly numbers: Numbers;
  /** Names of the `track_group` blocks; absent where a line may have none. */
  readonly groups?: readonly string[];
}

/** RTAX_FEATURE_ECN. */
const ECN = 1;
const PREFERENCE = { low: 3, medium: 0, high: 1 } as const;
/** Scopes that the kernel demands of these types; keepalived leaves them to the user, who then gets EINVAL. */
const SCOPE_OF: { readonly [type: string]: number } = {
  local: SCOPE.host,
  nat: SCOPE.host,
  broadcast: SCOPE.link,
  multicast: SCOPE.link,
  anycast: SCOPE.link,
};

/** A route line as it is kept; `undefined`, reported, when it makes no sense. */
export function routeSettings(item: Item<RouteLine>, lines: Lines): RouteSettings | undefined {
  const { value, at } = item;
  const { family, type = 'unicast', options, hops } = value;
  const { numbers } = lines;
  if (!familiesAgree(value, at, lines.context)) return undefined;
  const keeping = keepingOf(options, at, lines);
  const tos = options.tos ?? options.dsfield;
  const scope = options.scope === undefined ? SCOPE_OF[type] : numbers.number('scope', options.scope, at);
  const metric = options.metric ?? options.priority ?? options.preference;
  const table = options.table === undefined ? TABLE.main : numbers.number('table', options.table, at);
  if (options.as !== undefined) {
    lines.context.findings.warning(at, 'as is for MPLS routes only: it is left out');
  }
  return {
    destination: value.destination ?? anywhere(family),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...given('tos', tos === undefined ? undefined : numbers.number('dsfield', tos, at)),
    ...hopOf(options, at, lines),
    ...given('source', options.src),
    ...given('metric', metric),
    table: table ?? TABLE.main,
    ...given('vrf', options.vrf),
    protocol: originOf(options.protocol, keeping.tracked, at, lines) ?? PROTOCOL_KEEPALIVED,
    scope: scope ?? SCOPE.universe,
    type: ROUTE_TYPE[type as keyof typeof ROUTE_TYPE],
    ...(hops.length === 0 ? {} : { hops: hops.map((hop) => hopOf(hop, at, lines)) }),
    ...given('metrics', metricsOf(options)),
    ...ipv6Of(value, at, lines.context),
    ...given('insertion', options.add ? ('exclusive' as const) : options.append && ('append' as const)),
    ...keeping,
  };
}

const anywhere = (family: Family) => ({ ip: ip(family === 4 ? '0.0.0.0' : '::'), length: 0 });

/** An option that may be absent, as a part of an object. */
export function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

/** All addresses of a route are of its family; only a gateway may be of the other (RTA_VIA). */
function familiesAgree(
  { family, destination, options, hops }: RouteLine,
  at: Token,
  { findings }: Context,
): boolean {
  const addresses = [destination?.ip, options.src, options.from?.ip].filter((found) => found !== undefined);
  if (addresses.some((address) => familyOf(address) !== family)) {
    findings.error(at, 'the addresses of a route are of one family');
    return false;
  }
  if (options.from !== undefined && family === 4) {
    findings.error(at, 'from is for IPv6 routes only');
    return false;
  }
  const own = [options.via, options.gw, options.dev, options.oif].some((found) => found !== undefined);
  if (hops.length > 0 && own) {
    findings.error(at, 'a route has one hop of its own, or nexthop ones', {
      hint: 'write the first as nexthop too',
    });
    return false;
  }
  return true;
}

function hopOf(hop: RouteHop, at: Token, { numbers }: Lines): HopSettings {
  const { weight = 1 } = hop as { weight?: number };
  const encap = hop.encap && encapsulationOf(hop.encap, at, numbers);
  return {
    ...given('via', hop.via ?? hop.gw),
    ...given('dev', hop.dev ?? hop.oif),
    ...given('onLink', hop.onlink),
    ...(weight === 1 ? {} : { weight }),
    ...given('realms', hop.realms === undefined ? undefined : numbers.realms(hop.realms, at)),
    ...given('encapsulation', encap),
  };
}

function encapsulationOf(line: EncapsulationLine, at: Token, numbers: Numbers): Encapsulation {
  if (line.kind === 'mpls' || line.kind === 'ila') return line;
  const { tos, ...rest } = line;
  return { ...rest, ...given('tos', tos === undefined ? undefined : numbers.number('dsfield', tos, at)) };
}

/** What the kernel calls the metrics, and how many of its units a millisecond has. */
const NUMBERS = {
  mtu: 'mtu',
  window: 'window',
  ssthresh: 'ssthresh',
  cwnd: 'cwnd',
  advmss: 'advmss',
  reordering: 'reordering',
} as const;
const TIMES = { rtt: ['rtt', 8], rttvar: ['rttvar', 4], rto_min: ['rtoMin', 1] } as const;
const PLAIN = {
  hoplimit: 'hoplimit',
  initcwnd: 'initcwnd',
  initrwnd: 'initrwnd',
  quickack: 'quickack',
  fastopen_no_cookie: 'fastopenNoCookie',
} as const;
/** Milliseconds: what TCP can work with; keepalived cuts values to it, too. */
const [SHORTEST, LONGEST] = [200, 120_000];

function metricsOf(options: RouteLine['options']): RouteMetrics | undefined {
  const found: { -readonly [K in keyof RouteMetrics]: RouteMetrics[K] } = {};
  const locked: (Metric | 'congestion')[] = [];
  const lockable = (name: Metric, line: Lockable<number> | undefined): void => {
    if (line === undefined) return;
    found[name] = line.value;
    if (line.locked) locked.push(name);
  };
  for (const [word, name] of entries(NUMBERS)) lockable(name, options[word]);
  for (const [word, [name, units]] of entries(TIMES)) {
    const line = options[word];
    lockable(name, line && { ...line, value: timeOf(line.value, units) });
  }
  for (const [word, name] of entries(PLAIN)) {
    const value = options[word];
    if (value !== undefined) found[name] = value;
  }
  if (options.features !== undefined) found.features = ECN;
  if (options.congctl !== undefined) {
    found.congestion = options.congctl.value;
    if (options.congctl.locked) locked.push('congestion');
  }
  if (locked.length > 0) found.locked = locked;
  return Object.keys(found).length === 0 ? undefined : found;
}

const entries = <T extends object>(table: T) =>
  Object.entries(table) as { [K in keyof T]: [K, T[K]] }[keyof T][];

/** `2s`, `200ms`, or a number in the kernel's `units` a millisecond. */
function timeOf(text: string, units: number): number {
  const number = Number.parseFloat(text);
  const scale = text.endsWith('ms') ? units : text.endsWith('s') ? 1000 * units : 1;
  return Math.min(LONGEST * units, Math.max(SHORTEST * units, Math.round(number * scale)));
}

/** What only one of the families has. */
function ipv6Of({ family, options }: RouteLine, at: Token, { findings }: Context): Partial<RouteSettings> {
  const { expires, pref } = options;
  const [only, words] =
    family === 4
      ? ['IPv6', { expires, pref }]
      : ['IPv4', { realms: options.realms, tos: options.tos ?? options.dsfield }];
  for (const [word, value] of Object.entries(words)) {
    if (value !== undefined) findings.error(at, `${word} is for ${only} routes only`);
  }
  const propagate = options['ttl-propagate'];
  return {
    ...given('expires', expires),
    ...given('preference', typeof pref === 'string' ? PREFERENCE[pref] : pref),
    ...given('ttlPropagate', propagate === undefined ? undefined : propagate === 'enabled'),
  };
}

/** What a line says about how it is kept. */
interface KeepingWords {
  readonly no_track?: true;
  readonly track_group?: string;
}

/** Of a line of a route, a rule or a static address. */
export function keepingOf(words: KeepingWords, at: Token, { context, groups }: Lines): Keeping {
  const { no_track: untracked, track_group: group } = words;
  const { findings } = context;
  const tracked = untracked === undefined;
  if (group === undefined) return { tracked };
  if (groups === undefined) {
    findings.error(at, 'track_group is for static lines only');
  } else if (!groups.includes(group)) {
    findings.error(at, `there is no track_group ${group}`);
  } else if (!tracked) {
    findings.warning(at, 'track_group has no effect with no_track');
  } else {
    return { tracked, group };
  }
  return { tracked };
}

/** What is tracked is told apart by its origin, as in keepalived: it is keepalived's always. */
export function originOf(
  written: string | undefined,
  tracked: boolean,
  at: Token,
  { numbers, context }: Lines,
): number | undefined {
  const origin = written === undefined ? undefined : numbers.number('protocol', written, at);
  if (!tracked) return origin;
  if (origin !== undefined && origin !== PROTOCOL_KEEPALIVED) {
    context.findings.warning(at, 'protocol has no effect for what is tracked: it is keepalived', {
      hint: 'write no_track too',
    });
  }
  return PROTOCOL_KEEPALIVED;
}
