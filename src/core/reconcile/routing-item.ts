import { familyOf } from '../ip.ts';
import type { Encapsulation } from '../netlink/encap.ts';
import type { Hop } from '../netlink/hop.ts';
import type { Link } from '../netlink/link.ts';
import { describeRoute, type Route } from '../netlink/route.ts';
import { describeRule, type Rule } from '../netlink/rule.ts';
import type { HopSettings, RouteSettings, RuleSettings } from './settings.ts';

/** A route or a rule that somebody holds: what tells it apart, and what the kernel makes of it. */
export type Item =
  | { readonly kind: 'route'; readonly settings: RouteSettings }
  | { readonly kind: 'rule'; readonly settings: RuleSettings };

/** What IPv6 gives to a route without one. */
const IPV6_METRIC = 1024;

/** The interfaces by name, as resolving needs them. */
export type Links = ReadonlyMap<string, Pick<Link, 'ifindex' | 'vrfTable'>>;

/** As text, for comparing: keys in order, nothing that is undefined. */
const canonical = (value: object): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** A rule is the same whatever its origin, and so says the kernel; a mark of 0 is none. */
function ruleKey({ protocol, fwmark, ...rest }: Rule): string {
  return `rule ${canonical({ ...rest, ...(fwmark !== undefined && fwmark !== 0 && { fwmark }) })}`;
}

/** What tells items apart: all that the kernel gets to know, but not how it is kept. */
export function keyOf(item: Item): string {
  if (item.kind === 'rule') return ruleKey(item.settings.rule);
  const { tracked, group, insertion, ...route } = item.settings;
  return `route ${canonical(route)}`;
}

export const keyOfRule = ruleKey;

/** For people: `route 192.0.2.0/24 via 10.0.0.1 table 254`. */
export const nameOf = (item: Item): string =>
  item.kind === 'rule' ? describeRule(item.settings.rule) : describeRoute(item.settings);

/** Routes with the same place are beside each other, or in the place of each other. */
export function placeOf(route: Pick<Route, 'destination' | 'from' | 'tos' | 'metric' | 'table'>): string {
  const { destination, from, tos = 0, metric = 0, table } = route;
  const priority = familyOf(destination.ip) === 6 && metric === 0 ? IPV6_METRIC : metric;
  return canonical({ destination, from, tos, priority, table });
}

/** The route with its interfaces as numbers; a text that says what it waits for when there is none yet. */
export function resolve(settings: RouteSettings, links: Links): Route | string {
  const { tracked, group, insertion, dev, vrf, hops, ...route } = settings;
  const devices = [dev, vrf, ...(hops ?? []).map((hop) => hop.dev)];
  const missing = devices.find((name) => name !== undefined && !links.has(name));
  if (missing !== undefined) return `waiting for interface ${missing}`;
  const table = vrf === undefined ? route.table : links.get(vrf)?.vrfTable;
  if (table === undefined) return `${vrf} is no VRF`;
  return {
    ...route,
    table,
    ...numbered(dev, links),
    ...(hops !== undefined && { hops: hops.map((hop) => resolveHop(hop, links)) }),
  };
}

const resolveHop = ({ dev, ...hop }: HopSettings, links: Links): Hop => ({ ...hop, ...numbered(dev, links) });

function numbered(dev: string | undefined, links: Links): { readonly ifindex?: number } {
  const ifindex = dev === undefined ? undefined : links.get(dev)?.ifindex;
  return ifindex === undefined ? {} : { ifindex };
}

/** Whether what the kernel shows is `wanted`: what that leaves open, the kernel has decided. */
export function isShown(wanted: Route, shown: Route): boolean {
  return (
    placeOf(wanted) === placeOf(shown) &&
    canonical(essence(wanted, wanted)) === canonical(essence(shown, wanted))
  );
}

function essence(route: Route, wanted: Route): object {
  const { source, protocol, scope, type, metrics, preference = 0, hops } = route;
  const isIpv6 = familyOf(route.destination.ip) === 6;
  return {
    ...essenceOfHop(route, wanted),
    source,
    protocol,
    scope: isIpv6 ? 0 : scope,
    type,
    metrics: { ...metrics, locked: [...(metrics?.locked ?? [])].sort() },
    preference,
    hops: hops?.map((hop, i) => essenceOfHop(hop, wanted.hops?.[i] ?? {})),
  };
}

function essenceOfHop({ via, ifindex, onLink, weight, realms, encapsulation }: Hop, wanted: Hop): object {
  return {
    via,
    ...(wanted.ifindex !== undefined && { ifindex }),
    onLink: onLink === true,
    weight: weight ?? 1,
    realms,
    encapsulation: encapsulation && spelledOut(encapsulation),
  };
}

/** The kernel shows all that a tunnel has, zeros too. */
const spelledOut = (encapsulation: Encapsulation): object =>
  Object.fromEntries(
    Object.entries(encapsulation).filter(([, value]) => !ZEROS.includes(value as (typeof ZEROS)[number])),
  );
const ZEROS = [0, '0.0.0.0', '::', '0'.repeat(16)] as const;
