import { BPF, demand, filterOf, load } from '../bpf.ts';
import { Reader, ShortInput, Writer } from '../bytes.ts';
import { type Family, familyOf, IPV4_BYTES, IPV6_BYTES, type Ip, ip, ipFromBytes, ipToBytes } from '../ip.ts';
import {
  arpRequest,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  ICMPV6,
  MAC_BYTES,
  macBytes,
  NEIGHBOUR_ADVERTISEMENT,
  NEIGHBOUR_BYTES,
  neighbourFrame,
} from './announce.ts';

/** Asking a link who has an address: ARP probe (RFC 5227, 2.1.1) and neighbour solicitation (RFC 4861, 4.3). */

const SOLICITATION = 135;
const SOURCE_LINK_LAYER_ADDRESS = 1;
/** RFC 4291, 2.7.1: with the last three bytes of the address. */
const SOLICITED_NODE = ip('ff02::1:ff00:0');
const ARP_REPLY = 2;
const IPV6_HEADER = 40;
const HOPS = 255;
const ARP_HEADER = 8;

/** The EtherType of the answers. */
export const answerType = (family: Family): number => (family === 4 ? ETHERTYPE_ARP : ETHERTYPE_IPV6);

/**
 * The frame that asks who has `address`, from an interface with that `mac`. An ARP probe has no sender: nobody learns
 * anything of us by it. `source` is our link-local address, for IPv6. Throws RangeError when `mac` is not one.
 */
export function question(address: Ip, mac: string, source: Ip): Uint8Array {
  const own = macBytes(mac);
  const target = ipToBytes(address);
  if (familyOf(address) === 4)
    return arpRequest(own, new Uint8Array(IPV4_BYTES), new Uint8Array(MAC_BYTES), target);
  const last = target.subarray(IPV6_BYTES - 3);
  const to = ipToBytes(SOLICITED_NODE);
  to.set(last, IPV6_BYTES - 3);
  const message = new Writer(NEIGHBOUR_BYTES).u8(SOLICITATION).u8(0).u16be(0).zeros(4);
  message.bytes(target).u8(SOURCE_LINK_LAYER_ADDRESS).u8(1).bytes(own);
  return neighbourFrame(message, {
    mac: own,
    from: ipToBytes(source),
    to,
    toMac: Uint8Array.of(0x33, 0x33, 0xff, ...last),
  });
}

/** What of a packet socket for `answerType` is an answer: a program for `Socket.attachFilter`. */
export const answerFilter = (family: Family): Uint8Array =>
  filterOf(
    family === 4
      ? [load(BPF.loadHalf, ARP_HEADER - 2), demand(BPF.jumpEqual, ARP_REPLY)]
      : [
          load(BPF.loadByte, 6),
          demand(BPF.jumpEqual, ICMPV6),
          load(BPF.loadByte, IPV6_HEADER),
          demand(BPF.jumpEqual, NEIGHBOUR_ADVERTISEMENT),
        ],
  );

/**
 * The address that a packet (without its Ethernet header) that passed the filter answers for; `undefined` when it is
 * cut, or was forwarded by a router.
 */
export function answeredAddress(packet: Uint8Array, family: Family): Ip | undefined {
  try {
    if (family === 4) return ipFromBytes(new Reader(packet, ARP_HEADER + MAC_BYTES).bytes(IPV4_BYTES));
    if (packet[7] !== HOPS) return undefined;
    return ipFromBytes(new Reader(packet, IPV6_HEADER + 8).bytes(IPV6_BYTES));
  } catch (error) {
    if (error instanceof ShortInput) return undefined;
    throw error;
  }
}
