import {
  BPF,
  demand,
  ETHERTYPE_AT,
  filterOf,
  type Instruction,
  load,
  PACKET_TYPE_AT,
  refuse,
} from '../bpf.ts';
import { Reader } from '../bytes.ts';
import { type Family, familyOf, IPV4_BYTES, IPV6_BYTES, type Ip, ipFromBytes, ipToBytes } from '../ip.ts';

/**
 * Sync datagrams as a packet socket has them, from the IP header on. A UDP socket would not do: the kernel's own
 * datagrams are not looped back to the host that sends them.
 */

/** Where sync datagrams go; several ports with `sync_ports`. */
export interface SyncTarget {
  readonly group: Ip;
  readonly port: number;
  readonly ports: number;
}

const UDP = 17;
const UDP_BYTES = 8;
const ETHERTYPE: Readonly<Record<Family, number>> = { 4: 0x0800, 6: 0x86dd };
const FRAGMENT_OFFSET = 0x1fff;
const IPV6_BYTES_OF_HEADER = 40;
/** Of a packet that this host sends (linux/if_packet.h). */
const PACKET_OUTGOING = 4;

/** Which of the datagrams: those that this host sends or not, and with this syncid or another one. */
export interface TapChoice {
  readonly outgoing: boolean;
  readonly syncId: number;
  /** Those of all other syncids. */
  readonly others?: boolean;
}

/**
 * The program, as `Socket.attachFilter` takes it, that lets UDP to the target through, whoever sends it, or those of a
 * choice.
 */
export function tapFilter(target: SyncTarget, choice?: TapChoice): Uint8Array {
  const chosen = choice === undefined ? [] : choose(familyOf(target.group), choice);
  return filterOf([...toTarget(target), ...chosen]);
}

/** After `toTarget`, where X is the length of the IPv4 header. The syncid is the second byte of both versions. */
function choose(family: Family, { outgoing, syncId, others = false }: TapChoice): Instruction[] {
  const at = UDP_BYTES + 1;
  return [
    load(BPF.loadWord, PACKET_TYPE_AT),
    (outgoing ? demand : refuse)(BPF.jumpEqual, PACKET_OUTGOING),
    family === 4 ? load(BPF.loadByteAtX, at) : load(BPF.loadByte, IPV6_BYTES_OF_HEADER + at),
    (others ? refuse : demand)(BPF.jumpEqual, syncId),
  ];
}

function toTarget({ group, port, ports }: SyncTarget): Instruction[] {
  const family = familyOf(group);
  const destination = new Reader(ipToBytes(group));
  const [protocolAt, destinationAt, words] = family === 4 ? [9, 16, 1] : [6, 24, 4];
  return [
    load(BPF.loadWord, ETHERTYPE_AT),
    demand(BPF.jumpEqual, ETHERTYPE[family]),
    load(BPF.loadByte, protocolAt),
    demand(BPF.jumpEqual, UDP),
    ...Array.from({ length: words }, (_, word) => [
      load(BPF.loadWord, destinationAt + 4 * word),
      demand(BPF.jumpEqual, destination.u32be()),
    ]).flat(),
    ...(family === 4
      ? [
          load(BPF.loadHalf, 6),
          refuse(BPF.jumpAnySet, FRAGMENT_OFFSET),
          load(BPF.headerLengthToX, 0),
          load(BPF.loadHalfAtX, 2),
        ]
      : [load(BPF.loadHalf, IPV6_BYTES_OF_HEADER + 2)]),
    demand(BPF.jumpGreaterOrEqual, port),
    refuse(BPF.jumpGreater, port + ports - 1),
  ];
}

/** A datagram, its payload a view. */
export interface TappedDatagram {
  readonly source: Ip;
  /** Of the destination. */
  readonly port: number;
  readonly payload: Uint8Array;
  /** It came in fragments, of which this is the first. */
  readonly isFragment: boolean;
}

/** Reads a packet that `tapFilter` let through; `undefined` when it is cut or none of UDP. */
export function readTapped(packet: Uint8Array): TappedDatagram | undefined {
  const family = (packet[0] ?? 0) >> 4;
  const header = family === 4 ? ((packet[0] ?? 0) & 0xf) * 4 : IPV6_BYTES_OF_HEADER;
  if ((family !== 4 && family !== 6) || header < 20 || packet.length < header + UDP_BYTES) return undefined;
  if (packet[family === 4 ? 9 : 6] !== UDP) return undefined;
  const [sourceAt, addressBytes] = family === 4 ? [12, IPV4_BYTES] : [8, IPV6_BYTES];
  const source = ipFromBytes(new Reader(packet, sourceAt).bytes(addressBytes));
  const udp = new Reader(packet, header + 2);
  const port = udp.u16be();
  const length = udp.u16be() - UDP_BYTES;
  udp.skip(2);
  const isFragment = family === 4 && (new Reader(packet, 6).u16be() & 0x3fff) !== 0;
  if (length < 0 || (length > udp.remaining && !isFragment)) return undefined;
  return { source, port, payload: udp.bytes(Math.min(length, udp.remaining)), isFragment };
}
