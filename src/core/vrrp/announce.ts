import { fromHex, Writer } from '../bytes.ts';
import { internetChecksum } from '../checksum.ts';
import { familyOf, type Ip, ip, ipToBytes } from '../ip.ts';

/**
 * The frames that tell a link who has an address now: gratuitous ARP (RFC 5227, 3; RFC 9568, 8.1.2) and
 * unsolicited neighbour advertisement (RFC 4861, 4.4 and 7.2.6). Whole Ethernet frames, for a packet socket.
 */

export const MAC_BYTES = 6;
const BROADCAST = new Uint8Array(MAC_BYTES).fill(0xff);
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
const ARP_REQUEST = 1;
const ALL_NODES = ip('ff02::1');
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
export const ICMPV6 = 58;
export const NEIGHBOUR_ADVERTISEMENT = 136;
const FLAG_ROUTER = 0x80;
const FLAG_OVERRIDE = 0x20;
const TARGET_LINK_LAYER_ADDRESS = 2;
/** Of a solicitation or an advertisement: header, target and one option of eight bytes. */
export const NEIGHBOUR_BYTES = 32;
const CHECKSUM_AT = 2;

/**
 * The frame that announces `address` at `mac` (`02:00:00:00:00:01`): a gratuitous ARP of 42 bytes for IPv4, an
 * unsolicited neighbour advertisement of 86 bytes for IPv6. `router` sets the advertisement's router flag:
 * whether the interface forwards IPv6. Throws RangeError when `mac` is not one.
 */
export function announcement(address: Ip, mac: string, router: boolean): Uint8Array {
  const bytes = macBytes(mac);
  if (familyOf(address) === 4) return gratuitousArp(address, bytes);
  return neighbourAdvertisement(address, bytes, router);
}

/** Throws RangeError when it is not one. */
export function macBytes(mac: string): Uint8Array {
  const bytes = fromHex(mac.replaceAll(':', ''));
  if (bytes.length !== MAC_BYTES) throw new RangeError(`not a MAC address: ${mac}`);
  return bytes;
}

/** In the form of a request, with a target hardware address of all ones, as keepalived sends it. */
function gratuitousArp(address: Ip, mac: Uint8Array): Uint8Array {
  const protocol = ipToBytes(address);
  return arpRequest(mac, protocol, BROADCAST, protocol);
}

/** The frame of 42 bytes, to all: who asks, and whom. */
export function arpRequest(
  mac: Uint8Array,
  from: Uint8Array,
  targetMac: Uint8Array,
  target: Uint8Array,
): Uint8Array {
  const frame = new Writer(42).bytes(BROADCAST).bytes(mac).u16be(ETHERTYPE_ARP);
  frame.u16be(1).u16be(0x0800).u8(MAC_BYTES).u8(target.length).u16be(ARP_REQUEST);
  return frame.bytes(mac).bytes(from).bytes(targetMac).bytes(target).finish();
}

/** From the address itself to all nodes, overriding what they remember. */
function neighbourAdvertisement(address: Ip, mac: Uint8Array, router: boolean): Uint8Array {
  const from = ipToBytes(address);
  const message = new Writer(NEIGHBOUR_BYTES).u8(NEIGHBOUR_ADVERTISEMENT).u8(0).u16be(0);
  message.u8(FLAG_OVERRIDE | (router ? FLAG_ROUTER : 0)).zeros(3);
  message.bytes(from).u8(TARGET_LINK_LAYER_ADDRESS).u8(1).bytes(mac);
  return neighbourFrame(message, { mac, from, to: ipToBytes(ALL_NODES), toMac: ALL_NODES_MAC });
}

/** The frame of a message of neighbour discovery of `NEIGHBOUR_BYTES`, whose checksum is filled in. */
export function neighbourFrame(
  message: Writer,
  { mac, from, to, toMac }: Readonly<Record<'mac' | 'from' | 'to' | 'toMac', Uint8Array>>,
): Uint8Array {
  const pseudo = new Writer(40).bytes(from).bytes(to).u32be(NEIGHBOUR_BYTES).u32be(ICMPV6);
  message.patchU16be(CHECKSUM_AT, internetChecksum(pseudo.finish(), message.finish()));
  const frame = new Writer(86).bytes(toMac).bytes(mac).u16be(ETHERTYPE_IPV6);
  frame.u32be(0x6000_0000).u16be(NEIGHBOUR_BYTES).u8(ICMPV6).u8(255);
  return frame.bytes(from).bytes(to).bytes(message.finish()).finish();
}
