import { Reader, Writer } from '../bytes.ts';
import { type Family, familyOf, type Ip, ipToBytes } from '../ip.ts';
import { familyFromNumber, familyNumber, readIp } from './address.ts';
import { type Encapsulation, readEncapsulation, writeEncapsulation } from './encap.ts';
import { Attributes, BodyWriter } from './message.ts';

/** Where a route leads: the one hop of a plain route, or one of several (struct rtnexthop). */

export const HOP_FLAG = { onLink: 4 } as const;
const RTA = { gateway: 5, flow: 11, via: 18 } as const;
const HOP_BYTES = 8;
const MOST_HOPS = 256;

export interface Hop {
  /** The gateway; of the other family too. */
  readonly via?: Ip;
  readonly ifindex?: number;
  /** The gateway is reachable on the link although no prefix says so. */
  readonly onLink?: boolean;
  /** Of several hops, how much of the traffic: 1..256, 1 when absent. */
  readonly weight?: number;
  /** Source realm in the upper 16 bits, destination realm in the lower. */
  readonly realms?: number;
  readonly encapsulation?: Encapsulation;
}

/** What a hop has besides its interface, flags and weight: `family` is the route's. */
export function writeHop(body: BodyWriter, hop: Hop, family: Family): void {
  const { via, realms, encapsulation } = hop;
  if (via !== undefined && familyOf(via) === family) body.bytes(RTA.gateway, ipToBytes(via));
  else if (via !== undefined) {
    const other = new Writer(18).u16host(familyNumber(familyOf(via)));
    body.bytes(RTA.via, other.bytes(ipToBytes(via)).finish());
  }
  if (realms !== undefined) body.u32(RTA.flow, realms);
  if (encapsulation !== undefined) writeEncapsulation(body, encapsulation);
}

export function readHop(attributes: Attributes, family: Family): Hop {
  const via = readIp(attributes.bytes(RTA.gateway), family) ?? readVia(attributes.bytes(RTA.via));
  const realms = attributes.u32(RTA.flow);
  const encapsulation = readEncapsulation(attributes);
  return {
    ...(via !== undefined && { via }),
    ...(realms !== undefined && { realms }),
    ...(encapsulation !== undefined && { encapsulation }),
  };
}

function readVia(bytes: Uint8Array | undefined): Ip | undefined {
  if (bytes === undefined || bytes.length < 2) return undefined;
  const family = familyFromNumber(new Reader(bytes).u16host());
  return family && readIp(bytes.subarray(2), family);
}

/** The hops of a route with several, as the value of one attribute. */
export function encodeHops(hops: readonly Hop[], family: Family): Uint8Array {
  const body = new BodyWriter();
  for (const hop of hops) {
    const start = body.fixed.length;
    body.fixed.u16host(0).u8(hop.onLink === true ? HOP_FLAG.onLink : 0);
    body.fixed.u8((hop.weight ?? 1) - 1).u32host(hop.ifindex ?? 0);
    writeHop(body, hop, family);
    body.fixed.patchU16host(start, body.fixed.length - start);
  }
  return body.finish();
}

/** Up to the first whose length makes no sense. */
export function decodeHops(bytes: Uint8Array, family: Family): Hop[] {
  const reader = new Reader(bytes);
  const hops: Hop[] = [];
  while (reader.remaining >= HOP_BYTES && hops.length < MOST_HOPS) {
    const length = reader.u16host();
    const flags = reader.u8();
    const weight = reader.u8() + 1;
    const ifindex = reader.u32host();
    if (length < HOP_BYTES || length - HOP_BYTES > reader.remaining) break;
    const rest = readHop(Attributes.of(reader.bytes(length - HOP_BYTES)), family);
    hops.push({
      ...rest,
      ...(ifindex !== 0 && { ifindex }),
      ...((flags & HOP_FLAG.onLink) !== 0 && { onLink: true }),
      ...(weight !== 1 && { weight }),
    });
    reader.skip(Math.min((4 - (length % 4)) % 4, reader.remaining));
  }
  return hops;
}
