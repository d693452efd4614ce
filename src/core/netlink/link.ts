import { Reader } from '../bytes.ts';
import { Attributes, BodyWriter, type Message, type Request } from './message.ts';

/** Network interfaces of rtnetlink (include/uapi/linux/if_link.h). */

export const LINK_MESSAGE = { new: 16, delete: 17, get: 18 } as const;

export const LINK_FLAG = {
  up: 0x1,
  broadcast: 0x2,
  loopback: 0x8,
  running: 0x40,
  noArp: 0x80,
  multicast: 0x1000,
  lowerUp: 0x10000,
} as const;

/** RFC 2863 states as the kernel numbers them (IFLA_OPERSTATE). */
export const OPER_STATE = { unknown: 0, down: 2, lowerLayerDown: 3, dormant: 5, up: 6 } as const;

const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  operState: 16,
  linkInfo: 18,
  afSpec: 26,
  extMask: 29,
  carrier: 33,
} as const;
const AF_INET = 2;
const INET_CONF = 1;
const LINKINFO = { kind: 1, data: 2 } as const;
const VRF_TABLE = 1;
/** RTEXT_FILTER_SKIP_STATS: a dump without counters is half the size. */
const SKIP_STATISTICS = 8;
const HEADER_BYTES = 16;

/** Numbers of IPv4's settings of an interface (include/uapi/linux/ip.h, IPV4_DEVCONF_*). */
export const IPV4_CONF = {
  rp_filter: 8,
  arp_filter: 13,
  arp_announce: 18,
  arp_ignore: 19,
  promote_secondaries: 20,
  accept_local: 23,
} as const;
/** Some of `net.ipv4.conf.DEV`. */
export type Ipv4Conf = { readonly [K in keyof typeof IPV4_CONF]?: number };

/** An interface as the kernel shows it. */
export interface Link {
  readonly ifindex: number;
  readonly name: string;
  /** ARPHRD number: 1 Ethernet, 772 loopback. */
  readonly type: number;
  /** LINK_FLAG bits. */
  readonly flags: number;
  /** Hardware address, `02:00:5e:00:01:07`; absent on interfaces that have none. */
  readonly mac?: string;
  readonly mtu: number;
  /** OPER_STATE. */
  readonly operState: number;
  /** `undefined` when the driver does not say. */
  readonly carrier?: boolean;
  /** The ifindex of what this interface is built on (macvlan, vlan), if any. */
  readonly lower?: number;
  /** The ifindex of its bridge, bond or VRF, if any. */
  readonly master?: number;
  /** `veth`, `macvlan`, `bridge` ...; absent on plain hardware. */
  readonly kind?: string;
  /** Absent on interfaces that do no IPv4. A change of a setting alone is no event: it is as old as the last one. */
  readonly ipv4?: Ipv4Conf;
  /** Of a VRF: the number of its routing table. */
  readonly vrfTable?: number;
}

/** What keepalived calls up: administratively up and running (carrier, not dormant). */
export const isUp = (link: Link): boolean =>
  (link.flags & LINK_FLAG.up) !== 0 && (link.flags & LINK_FLAG.running) !== 0;

/** A dump of all interfaces, without their counters. */
export function dumpLinks(): Request {
  const body = new BodyWriter();
  body.fixed.zeros(HEADER_BYTES);
  body.u32(IFLA.extMask, SKIP_STATISTICS);
  return { type: LINK_MESSAGE.get, flags: 0, body: body.finish(), asked: 'list interfaces' };
}

/** The interface of a NEWLINK or DELLINK; `undefined` when the message is something else or has no name. */
export function decodeLink(message: Message): Link | undefined {
  if (message.type !== LINK_MESSAGE.new && message.type !== LINK_MESSAGE.delete) return undefined;
  if (message.body.length < HEADER_BYTES) return undefined;
  const reader = new Reader(message.body);
  // AF_BRIDGE messages describe a port of a bridge and not the link: their DELLINK is "left the bridge".
  if (reader.u8() !== 0) return undefined;
  reader.skip(1);
  const type = reader.u16host();
  const ifindex = reader.i32host();
  const flags = reader.u32host();
  const attributes = Attributes.of(message.body, HEADER_BYTES);
  const name = attributes.text(IFLA.name);
  if (name === undefined) return undefined;
  const mac = attributes.bytes(IFLA.address);
  const carrier = attributes.u8(IFLA.carrier);
  const lower = attributes.u32(IFLA.link);
  const master = attributes.u32(IFLA.master);
  const info = attributes.nest(IFLA.linkInfo);
  const kind = info.text(LINKINFO.kind);
  const vrfTable = kind === 'vrf' ? info.nest(LINKINFO.data).u32(VRF_TABLE) : undefined;
  const ipv4 = decodeIpv4(attributes.nest(IFLA.afSpec).nest(AF_INET).bytes(INET_CONF));
  return {
    ifindex,
    name,
    type,
    flags,
    ...(mac !== undefined && mac.length > 0 && { mac: formatMac(mac) }),
    mtu: attributes.u32(IFLA.mtu) ?? 0,
    operState: attributes.u8(IFLA.operState) ?? OPER_STATE.unknown,
    ...(carrier !== undefined && { carrier: carrier !== 0 }),
    ...(lower !== undefined && { lower }),
    ...(master !== undefined && { master }),
    ...(kind !== undefined && { kind }),
    ...(ipv4 !== undefined && { ipv4 }),
    ...(vrfTable !== undefined && { vrfTable }),
  };
}

/** The kernel shows all of them, one 32-bit number each, in the order of their numbers from 1. */
function decodeIpv4(bytes: Uint8Array | undefined): Ipv4Conf | undefined {
  if (bytes === undefined) return undefined;
  const known = Object.entries(IPV4_CONF).filter(([, number]) => bytes.length >= number * 4);
  return Object.fromEntries(
    known.map(([name, number]) => [name, new Reader(bytes, (number - 1) * 4).i32host()]),
  );
}

/** Two lower-case digits a byte, colons between. */
export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
