import { Reader, Writer } from '../bytes.ts';
import {
  type Family,
  familyBits,
  familyOf,
  formatPrefix,
  type Ip,
  ipFromBytes,
  ipToBytes,
  type Prefix,
} from '../ip.ts';
import { Attributes, BodyWriter, FLAG, type Message, type Request } from './message.ts';

/** Interface addresses of rtnetlink (rtnetlink(7); include/uapi/linux/if_addr.h). */

export const ADDRESS_MESSAGE = { new: 20, delete: 21, get: 22 } as const;

export const ADDRESS_FLAG = {
  /** IPv4: another address of the subnet came first and owns its route. */
  secondary: 0x01,
  noDad: 0x02,
  dadFailed: 0x08,
  /** IPv6: of Mobile IPv6, where the host is at home. */
  home: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  /** IPv6: the kernel makes temporary addresses from it. */
  managesTemporary: 0x100,
  noPrefixRoute: 0x200,
  autoJoin: 0x400,
} as const;

/** A lifetime that never ends. */
export const FOREVER = 0xffffffff;
/** rtnetlink's numbers of the families. */
export const AF_INET = 2;
export const AF_INET6 = 10;

const IFA = { address: 1, local: 2, label: 3, broadcast: 4, cacheInfo: 6, flags: 8, protocol: 11 } as const;
const HEADER_BYTES = 8;

/** An address of an interface. */
export interface InterfaceAddress {
  readonly ifindex: number;
  /** With a peer, the length is that of the peer's prefix. */
  readonly address: Prefix;
  /** Who is at the other end of a point-to-point link. */
  readonly peer?: Ip;
  /** rtnetlink scope number: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** ADDRESS_FLAG bits. */
  readonly flags: number;
  /** IPv4 only; the kernel gives the interface's name to an address that has none. */
  readonly label?: string;
  /** IPv4 only. */
  readonly broadcast?: Ip;
  /** Who made it, by the numbers of routes (IFA_PROTO, since Linux 5.18); absent when nobody said. */
  readonly protocol?: number;
  /** Seconds left until the kernel removes it, `FOREVER` for never. */
  readonly valid: number;
  /** Seconds left until it is deprecated: still answered, no longer chosen as a source. 0: it is already. */
  readonly preferred: number;
}

export const familyNumber = (family: Family): number => (family === 4 ? AF_INET : AF_INET6);

/** `undefined` when the number is neither of the two. */
export function familyFromNumber(number: number): Family | undefined {
  if (number === AF_INET) return 4;
  return number === AF_INET6 ? 6 : undefined;
}

/** The address in an attribute, `undefined` unless it has the family's length. */
export function readIp(bytes: Uint8Array | undefined, family: Family): Ip | undefined {
  return bytes !== undefined && bytes.length === familyBits(family) / 8 ? ipFromBytes(bytes) : undefined;
}

function addressBody(address: InterfaceAddress): BodyWriter {
  const body = new BodyWriter();
  body.fixed.u8(familyNumber(familyOf(address.address.ip))).u8(address.address.length);
  body.fixed
    .u8(address.flags & 0xff)
    .u8(address.scope)
    .u32host(address.ifindex);
  return body;
}

/**
 * Adds `address`, errno 17 (EEXIST) when the interface has it; with `replace` sets the lifetimes and flags
 * of the one that is there, or adds it. Lifetimes that never end are not sent. The kernel takes no valid one
 * of 0 and no preferred one above the valid one (EINVAL).
 */
export function addAddress(address: InterfaceAddress, replace = false): Request {
  const body = addressBody(address);
  if (address.valid !== FOREVER || address.preferred !== FOREVER) {
    const lifetimes = new Writer(16);
    lifetimes.u32host(address.preferred).u32host(address.valid).u32host(0).u32host(0);
    body.bytes(IFA.cacheInfo, lifetimes.finish());
  }
  body.bytes(IFA.local, ipToBytes(address.address.ip));
  if (address.peer !== undefined) body.bytes(IFA.address, ipToBytes(address.peer));
  if (address.broadcast !== undefined) body.bytes(IFA.broadcast, ipToBytes(address.broadcast));
  if (address.label !== undefined) body.text(IFA.label, address.label);
  if (address.flags !== 0) body.u32(IFA.flags, address.flags);
  if (address.protocol !== undefined) body.bytes(IFA.protocol, Uint8Array.of(address.protocol));
  const verb = replace ? 'renew' : 'add';
  return {
    type: ADDRESS_MESSAGE.new,
    flags: replace ? FLAG.replace : 0,
    body: body.finish(),
    asked: `${verb} address ${formatPrefix(address.address)} on interface ${address.ifindex}`,
  };
}

/** Removes an address; errno 99 (EADDRNOTAVAIL) when it is missing, 19 (ENODEV) when the interface is. */
export function deleteAddress(ifindex: number, address: Prefix, peer = address.ip): Request {
  const body = new BodyWriter();
  const family = familyOf(address.ip);
  body.fixed.u8(familyNumber(family)).u8(address.length).u8(0).u8(0).u32host(ifindex);
  body.bytes(IFA.local, ipToBytes(address.ip));
  // Without it the kernel removes the first address that matches LOCAL, whatever its prefix length.
  if (family === 4) body.bytes(IFA.address, ipToBytes(peer));
  const asked = `remove address ${formatPrefix(address)} from interface ${ifindex}`;
  return { type: ADDRESS_MESSAGE.delete, flags: 0, body: body.finish(), asked };
}

/** A dump of all addresses of both families, or of one. */
export function dumpAddresses(family?: Family): Request {
  const body = new BodyWriter();
  body.fixed.u8(family === undefined ? 0 : familyNumber(family)).zeros(HEADER_BYTES - 1);
  return { type: ADDRESS_MESSAGE.get, flags: 0, body: body.finish(), asked: 'list addresses' };
}

/** The address of a NEWADDR or DELADDR; `undefined` when it is none of IPv4 or IPv6. */
export function decodeAddress(message: Message): InterfaceAddress | undefined {
  if (message.type !== ADDRESS_MESSAGE.new && message.type !== ADDRESS_MESSAGE.delete) return undefined;
  if (message.body.length < HEADER_BYTES) return undefined;
  const reader = new Reader(message.body);
  const family = familyFromNumber(reader.u8());
  const length = reader.u8();
  const lowFlags = reader.u8();
  const scope = reader.u8();
  const ifindex = reader.u32host();
  if (family === undefined || length > familyBits(family)) return undefined;
  const attributes = Attributes.of(message.body, HEADER_BYTES);
  // On a point-to-point link ADDRESS is the peer's and LOCAL ours; IPv6 sends LOCAL only in that case.
  const ip = readIp(attributes.bytes(IFA.local) ?? attributes.bytes(IFA.address), family);
  if (ip === undefined) return undefined;
  const other = readIp(attributes.bytes(IFA.address), family);
  const label = attributes.text(IFA.label);
  const broadcast = readIp(attributes.bytes(IFA.broadcast), family);
  const lifetimes = attributes.bytes(IFA.cacheInfo);
  const limited = lifetimes !== undefined && lifetimes.length >= 8 ? new Reader(lifetimes) : undefined;
  const preferred = limited?.u32host() ?? FOREVER;
  const valid = limited?.u32host() ?? FOREVER;
  const flags = attributes.u32(IFA.flags) ?? lowFlags;
  const protocol = attributes.bytes(IFA.protocol)?.[0];
  return {
    ifindex,
    address: { ip, length },
    ...(other !== undefined && other !== ip && { peer: other }),
    scope,
    flags,
    ...(label !== undefined && { label }),
    ...(broadcast !== undefined && { broadcast }),
    ...(protocol !== undefined && { protocol }),
    valid,
    preferred,
  };
}
