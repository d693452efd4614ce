import { fromHex, Reader, toHex } from '../bytes.ts';
import { type Ip, ipToBytes } from '../ip.ts';
import { readIp } from './address.ts';
import { type Attributes, BodyWriter } from './message.ts';

/** Lightweight tunnels of routes (include/uapi/linux/lwtunnel.h, mpls_iptunnel.h, ila.h). */

/** What a route wraps its packets in. */
export type Encapsulation =
  /** An outer IPv4 or IPv6 header: `tos` is the traffic class and `ttl` the hop limit of IPv6. */
  | {
      readonly kind: 'ip' | 'ip6';
      /** The tunnel's id: 16 hexadecimal digits. */
      readonly id?: string;
      readonly destination?: Ip;
      readonly source?: Ip;
      readonly tos?: number;
      readonly ttl?: number;
      /** TUNNEL_* bits. */
      readonly flags?: number;
    }
  /** Labels of 20 bits, the outermost first, at least one. */
  | { readonly kind: 'mpls'; readonly labels: readonly number[]; readonly ttl?: number }
  /** The identifier locator: 16 hexadecimal digits. */
  | { readonly kind: 'ila'; readonly locator: string };

const NUMBERS = { mpls: 1, ip: 2, ila: 3, ip6: 4 } as const;
const RTA = { encapType: 21, encap: 22 } as const;
const MPLS = { labels: 1, ttl: 2 } as const;
const ILA_LOCATOR = 1;
/** Of both IP tunnels. */
const TUNNEL = { id: 1, destination: 2, source: 3, ttl: 4, tos: 5, flags: 6 } as const;
/** In a label's four bytes: label, traffic class, bottom of the stack, TTL. */
const LABEL_SHIFT = 12;
const BOTTOM = 0x100;
const MOST_LABELS = 30;

/** Appends `encapsulation` to the attributes of a route or of one of its hops. */
export function writeEncapsulation(body: BodyWriter, encapsulation: Encapsulation): void {
  body.u16(RTA.encapType, NUMBERS[encapsulation.kind]);
  body.nest(RTA.encap, (nest) => {
    if (encapsulation.kind === 'mpls') writeLabels(nest, encapsulation);
    else if (encapsulation.kind === 'ila') nest.bytes(ILA_LOCATOR, fromHex(encapsulation.locator));
    else writeTunnel(nest, encapsulation);
  });
}

function writeTunnel(nest: BodyWriter, tunnel: Extract<Encapsulation, { kind: 'ip' | 'ip6' }>): void {
  if (tunnel.id !== undefined) nest.bytes(TUNNEL.id, fromHex(tunnel.id));
  if (tunnel.destination !== undefined) nest.bytes(TUNNEL.destination, ipToBytes(tunnel.destination));
  if (tunnel.source !== undefined) nest.bytes(TUNNEL.source, ipToBytes(tunnel.source));
  if (tunnel.tos !== undefined) nest.u8(TUNNEL.tos, tunnel.tos);
  if (tunnel.ttl !== undefined) nest.u8(TUNNEL.ttl, tunnel.ttl);
  if (tunnel.flags !== undefined) nest.u16be(TUNNEL.flags, tunnel.flags);
}

function writeLabels(nest: BodyWriter, { labels, ttl }: Extract<Encapsulation, { kind: 'mpls' }>): void {
  const stack = new BodyWriter().fixed;
  labels.forEach((label, i) => {
    stack.u32be(label * 2 ** LABEL_SHIFT + (i === labels.length - 1 ? BOTTOM : 0));
  });
  nest.bytes(MPLS.labels, stack.finish());
  if (ttl !== undefined) nest.u8(MPLS.ttl, ttl);
}

/** The encapsulation among the attributes of a route or a hop; `undefined` for none, and for other kinds. */
export function readEncapsulation(attributes: Attributes): Encapsulation | undefined {
  const number = attributes.u16(RTA.encapType);
  const nest = attributes.nest(RTA.encap);
  switch (number) {
    case NUMBERS.ip:
      return readTunnel(nest, 'ip');
    case NUMBERS.ip6:
      return readTunnel(nest, 'ip6');
    case NUMBERS.mpls:
      return readLabels(nest);
    case NUMBERS.ila: {
      const locator = nest.bytes(ILA_LOCATOR);
      return locator?.length === 8 ? { kind: 'ila', locator: toHex(locator) } : undefined;
    }
    default:
      return undefined;
  }
}

function readTunnel(nest: Attributes, kind: 'ip' | 'ip6'): Encapsulation {
  const family = kind === 'ip' ? 4 : 6;
  const id = nest.bytes(TUNNEL.id);
  const destination = readIp(nest.bytes(TUNNEL.destination), family);
  const source = readIp(nest.bytes(TUNNEL.source), family);
  const tos = nest.u8(TUNNEL.tos);
  const ttl = nest.u8(TUNNEL.ttl);
  const flags = nest.u16be(TUNNEL.flags);
  return {
    kind,
    ...(id?.length === 8 && { id: toHex(id) }),
    ...(destination !== undefined && { destination }),
    ...(source !== undefined && { source }),
    ...(tos !== undefined && { tos }),
    ...(ttl !== undefined && { ttl }),
    ...(flags !== undefined && { flags }),
  };
}

function readLabels(nest: Attributes): Encapsulation | undefined {
  const stack = new Reader(nest.bytes(MPLS.labels) ?? new Uint8Array());
  const labels: number[] = [];
  while (stack.remaining >= 4 && labels.length < MOST_LABELS) {
    const entry = stack.u32be();
    labels.push(Math.floor(entry / 2 ** LABEL_SHIFT));
    if ((entry & BOTTOM) !== 0) break;
  }
  const ttl = nest.u8(MPLS.ttl);
  return labels.length === 0 ? undefined : { kind: 'mpls', labels, ...(ttl !== undefined && { ttl }) };
}
