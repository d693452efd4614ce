import { Reader } from '../bytes.ts';
import { familyBits, familyOf, formatPrefix, type Ip, ip, ipToBytes, type Prefix } from '../ip.ts';
import { familyFromNumber, familyNumber, readIp } from './address.ts';
import { Attributes, BodyWriter, FLAG, type Message, type Request } from './message.ts';

/** Routes of rtnetlink (include/uapi/linux/rtnetlink.h). */

export const ROUTE_MESSAGE = { new: 24, delete: 25, get: 26 } as const;

/** The origin that keepalived's routes carry (RTPROT_KEEPALIVED): ours too, so that both clean up alike. */
export const PROTOCOL_KEEPALIVED = 18;
export const TABLE = { main: 254, local: 255 } as const;
export const SCOPE = { universe: 0, link: 253, host: 254, nowhere: 255 } as const;
export const ROUTE_TYPE = { unicast: 1, local: 2, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

const RTA = { dst: 1, oif: 4, gateway: 5, priority: 6, prefSrc: 7, table: 15 } as const;
/** In the table byte: the number does not fit, see RTA_TABLE. */
const TABLE_ELSEWHERE = 252;
const ON_LINK = 4;
const HEADER_BYTES = 12;

export interface Route {
  /** Length 0 is the default route of the address's family. */
  readonly destination: Prefix;
  readonly via?: Ip;
  readonly ifindex?: number;
  readonly source?: Ip;
  readonly metric?: number;
  readonly table: number;
  readonly protocol: number;
  /** SCOPE; the kernel refuses a gateway in a scope narrower than `universe`. */
  readonly scope: number;
  /** ROUTE_TYPE. */
  readonly type: number;
  /** The gateway is reachable on the link although no prefix says so. */
  readonly onLink?: boolean;
}

const describe = (route: Route): string =>
  `route ${route.destination.length === 0 ? 'default' : formatPrefix(route.destination)}` +
  `${route.via === undefined ? '' : ` via ${route.via}`} table ${route.table}`;

function routeBody(route: Route, scope: number): Uint8Array {
  const body = new BodyWriter();
  const { fixed } = body;
  const { ip: address, length } = route.destination;
  fixed
    .u8(familyNumber(familyOf(address)))
    .u8(length)
    .u8(0)
    .u8(0);
  fixed
    .u8(route.table < 256 ? route.table : TABLE_ELSEWHERE)
    .u8(route.protocol)
    .u8(scope)
    .u8(route.type);
  fixed.u32host(route.onLink === true ? ON_LINK : 0);
  if (length > 0) body.bytes(RTA.dst, ipToBytes(address));
  if (route.via !== undefined) body.bytes(RTA.gateway, ipToBytes(route.via));
  if (route.ifindex !== undefined) body.u32(RTA.oif, route.ifindex);
  if (route.source !== undefined) body.bytes(RTA.prefSrc, ipToBytes(route.source));
  if (route.metric !== undefined) body.u32(RTA.priority, route.metric);
  if (route.table >= 256) body.u32(RTA.table, route.table);
  return body.finish();
}

/** Adds a route, errno 17 (EEXIST) for its like; with `replace` puts it in the place of its like. */
export function addRoute(route: Route, replace = false): Request {
  const flags = FLAG.create | (replace ? FLAG.replace : FLAG.exclusive);
  const body = routeBody(route, route.scope);
  return { type: ROUTE_MESSAGE.new, flags, body, asked: `${replace ? 'replace' : 'add'} ${describe(route)}` };
}

/** Removes the route; errno 3 (ESRCH) when there is none like it. Scope `nowhere` matches any. */
export function deleteRoute(route: Route): Request {
  const body = routeBody(route, SCOPE.nowhere);
  return { type: ROUTE_MESSAGE.delete, flags: 0, body, asked: `remove ${describe(route)}` };
}

/** A dump of all routes of all tables and both families. */
export function dumpRoutes(): Request {
  const body = new BodyWriter();
  body.fixed.zeros(HEADER_BYTES);
  return { type: ROUTE_MESSAGE.get, flags: 0, body: body.finish(), asked: 'list routes' };
}

/** The route of a NEWROUTE or DELROUTE; of a multipath route only what all its next hops share. */
export function decodeRoute(message: Message): Route | undefined {
  if (message.type !== ROUTE_MESSAGE.new && message.type !== ROUTE_MESSAGE.delete) return undefined;
  if (message.body.length < HEADER_BYTES) return undefined;
  const reader = new Reader(message.body);
  const family = familyFromNumber(reader.u8());
  const length = reader.u8();
  reader.skip(2);
  const table = reader.u8();
  const protocol = reader.u8();
  const scope = reader.u8();
  const type = reader.u8();
  const onLink = (reader.u32host() & ON_LINK) !== 0;
  if (family === undefined || length > familyBits(family)) return undefined;
  const attributes = Attributes.of(message.body, HEADER_BYTES);
  const address = readIp(attributes.bytes(RTA.dst), family);
  if (address === undefined && length > 0) return undefined;
  const via = readIp(attributes.bytes(RTA.gateway), family);
  const source = readIp(attributes.bytes(RTA.prefSrc), family);
  const ifindex = attributes.u32(RTA.oif);
  const metric = attributes.u32(RTA.priority);
  return {
    destination: { ip: address ?? ip(family === 4 ? '0.0.0.0' : '::'), length },
    ...(via !== undefined && { via }),
    ...(ifindex !== undefined && { ifindex }),
    ...(source !== undefined && { source }),
    ...(metric !== undefined && { metric }),
    table: attributes.u32(RTA.table) ?? table,
    protocol,
    scope,
    type,
    ...(onLink && { onLink }),
  };
}
