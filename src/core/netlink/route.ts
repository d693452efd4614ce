import { Reader } from '../bytes.ts';
import {
  type Family,
  familyBits,
  familyOf,
  formatPrefix,
  type Ip,
  ip,
  ipToBytes,
  type Prefix,
} from '../ip.ts';
import { familyFromNumber, familyNumber, readIp } from './address.ts';
import { decodeHops, encodeHops, HOP_FLAG, type Hop, readHop, writeHop } from './hop.ts';
import { Attributes, BodyWriter, FLAG, type Message, type Request } from './message.ts';
import { type RouteMetrics, readMetrics, writeMetrics } from './metrics.ts';

/** Routes of rtnetlink (include/uapi/linux/rtnetlink.h). */

export const ROUTE_MESSAGE = { new: 24, delete: 25, get: 26 } as const;

/** The origin that keepalived's routes carry (RTPROT_KEEPALIVED): ours too, so that both clean up alike. */
export const PROTOCOL_KEEPALIVED = 18;
export const TABLE = { default: 253, main: 254, local: 255 } as const;
export const SCOPE = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
export const ROUTE_TYPE = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
  xresolve: 11,
} as const;

const RTA = {
  dst: 1,
  src: 2,
  oif: 4,
  priority: 6,
  prefSrc: 7,
  metrics: 8,
  multipath: 9,
  table: 15,
  preference: 20,
  expires: 23,
  ttlPropagate: 26,
} as const;
/** In the table byte: the number does not fit, see RTA_TABLE. */
const TABLE_ELSEWHERE = 252;
const HEADER_BYTES = 12;

/** A route. Its own hop fields are those of a plain route; one with `hops` has none. */
export interface Route extends Omit<Hop, 'weight'> {
  /** Length 0 is the default route of the address's family. */
  readonly destination: Prefix;
  /** IPv6: for packets from there only. */
  readonly from?: Prefix;
  /** IPv4: for packets with this type of service only. */
  readonly tos?: number;
  /** `src`: what packets that leave by it have as their source. */
  readonly source?: Ip;
  readonly metric?: number;
  readonly table: number;
  readonly protocol: number;
  /** SCOPE; the kernel refuses a gateway in a scope narrower than `universe`. */
  readonly scope: number;
  /** ROUTE_TYPE. */
  readonly type: number;
  readonly hops?: readonly Hop[];
  readonly metrics?: RouteMetrics;
  /** IPv6: seconds until the kernel removes it. */
  readonly expires?: number;
  /** IPv6 router preference: 0 medium, 1 high, 3 low. */
  readonly preference?: number;
  readonly ttlPropagate?: boolean;
}

/** The route as people name it: `default via 10.0.0.1 table 100`. */
export const describeRoute = (route: Pick<Route, 'destination' | 'via' | 'table'>): string =>
  `route ${route.destination.length === 0 ? 'default' : formatPrefix(route.destination)}` +
  `${route.via === undefined ? '' : ` via ${route.via}`} table ${route.table}`;

function routeBody(route: Route, scope: number): Uint8Array {
  const body = new BodyWriter();
  const { ip: address, length } = route.destination;
  const family = familyOf(address);
  const { from, table } = route;
  body.fixed
    .u8(familyNumber(family))
    .u8(length)
    .u8(from?.length ?? 0);
  body.fixed
    .u8(route.tos ?? 0)
    .u8(table < 256 ? table : TABLE_ELSEWHERE)
    .u8(route.protocol);
  body.fixed
    .u8(scope)
    .u8(route.type)
    .u32host(route.onLink === true ? HOP_FLAG.onLink : 0);
  if (length > 0) body.bytes(RTA.dst, ipToBytes(address));
  if (from !== undefined && from.length > 0) body.bytes(RTA.src, ipToBytes(from.ip));
  writeHop(body, route, family);
  if (route.ifindex !== undefined) body.u32(RTA.oif, route.ifindex);
  if (route.source !== undefined) body.bytes(RTA.prefSrc, ipToBytes(route.source));
  if (route.metric !== undefined) body.u32(RTA.priority, route.metric);
  if (table >= 256) body.u32(RTA.table, table);
  if (route.metrics !== undefined) writeMetrics(body, RTA.metrics, route.metrics);
  if (route.hops !== undefined) body.bytes(RTA.multipath, encodeHops(route.hops, family));
  if (route.preference !== undefined) body.u8(RTA.preference, route.preference);
  if (route.expires !== undefined) body.u32(RTA.expires, route.expires);
  if (route.ttlPropagate !== undefined) body.u8(RTA.ttlPropagate, route.ttlPropagate ? 1 : 0);
  return body.finish();
}

/**
 * What to do when there is a route for the same destination, type of service and metric: `exclusive` fails
 * with errno 17 (EEXIST), `replace` takes its place, `prepend` and `append` go beside it, unless it is the very
 * same (EEXIST).
 */
export type RouteInsertion = 'exclusive' | 'replace' | 'prepend' | 'append';

const INSERTION: { readonly [I in RouteInsertion]: number } = {
  exclusive: FLAG.exclusive,
  replace: FLAG.replace,
  prepend: 0,
  append: FLAG.append,
};

export function addRoute(route: Route, insertion: RouteInsertion = 'exclusive'): Request {
  const flags = FLAG.create | INSERTION[insertion];
  const body = routeBody(route, route.scope);
  const verb = insertion === 'replace' ? 'replace' : 'add';
  return { type: ROUTE_MESSAGE.new, flags, body, asked: `${verb} ${describeRoute(route)}` };
}

/** Removes the route; errno 3 (ESRCH) when there is none like it. Scope `nowhere` matches any. */
export function deleteRoute(route: Route): Request {
  const body = routeBody(route, SCOPE.nowhere);
  return { type: ROUTE_MESSAGE.delete, flags: 0, body, asked: `remove ${describeRoute(route)}` };
}

/** A dump of all routes of all tables and both families. */
export function dumpRoutes(): Request {
  const body = new BodyWriter();
  body.fixed.zeros(HEADER_BYTES);
  return { type: ROUTE_MESSAGE.get, flags: 0, body: body.finish(), asked: 'list routes' };
}

/**
 * A dump of the routes of one family and origin. Only a socket with NETLINK_GET_STRICT_CHK has the kernel sort
 * out the others.
 */
export function dumpRoutesOf(family: Family, protocol: number): Request {
  const body = new BodyWriter();
  body.fixed.u8(familyNumber(family)).zeros(4).u8(protocol).zeros(6);
  return {
    type: ROUTE_MESSAGE.get,
    flags: 0,
    body: body.finish(),
    asked: `list routes of origin ${protocol}`,
  };
}

/** The route of a NEWROUTE or DELROUTE. */
export function decodeRoute(message: Message): Route | undefined {
  if (message.type !== ROUTE_MESSAGE.new && message.type !== ROUTE_MESSAGE.delete) return undefined;
  if (message.body.length < HEADER_BYTES) return undefined;
  const reader = new Reader(message.body);
  const family = familyFromNumber(reader.u8());
  const length = reader.u8();
  const fromLength = reader.u8();
  const tos = reader.u8();
  const table = reader.u8();
  const protocol = reader.u8();
  const scope = reader.u8();
  const type = reader.u8();
  const onLink = (reader.u32host() & HOP_FLAG.onLink) !== 0;
  if (family === undefined || Math.max(length, fromLength) > familyBits(family)) return undefined;
  const attributes = Attributes.of(message.body, HEADER_BYTES);
  const address = readIp(attributes.bytes(RTA.dst), family);
  const origin = readIp(attributes.bytes(RTA.src), family);
  if ((address === undefined && length > 0) || (origin === undefined && fromLength > 0)) return undefined;
  return {
    destination: { ip: address ?? ip(family === 4 ? '0.0.0.0' : '::'), length },
    ...(origin !== undefined && { from: { ip: origin, length: fromLength } }),
    ...(tos !== 0 && { tos }),
    ...readHop(attributes, family),
    ...readRest(attributes, family),
    table: attributes.u32(RTA.table) ?? table,
    protocol,
    scope,
    type,
    ...(onLink && { onLink }),
  };
}

function readRest(attributes: Attributes, family: Family): Partial<Route> {
  const source = readIp(attributes.bytes(RTA.prefSrc), family);
  const ifindex = attributes.u32(RTA.oif);
  const metric = attributes.u32(RTA.priority);
  const metrics = readMetrics(attributes.nest(RTA.metrics));
  const multipath = attributes.bytes(RTA.multipath);
  const preference = attributes.u8(RTA.preference);
  const expires = attributes.u32(RTA.expires);
  const propagate = attributes.u8(RTA.ttlPropagate);
  return {
    ...(ifindex !== undefined && { ifindex }),
    ...(source !== undefined && { source }),
    ...(metric !== undefined && { metric }),
    ...(metrics !== undefined && { metrics }),
    ...(multipath !== undefined && { hops: decodeHops(multipath, family) }),
    ...(preference !== undefined && { preference }),
    ...(expires !== undefined && { expires }),
    ...(propagate !== undefined && { ttlPropagate: propagate !== 0 }),
  };
}
