import { fromHex, Reader, ShortInput, toHex, Writer } from '../../../src/core/bytes.ts';
import { internetChecksum } from '../../../src/core/checksum.ts';
import { familyOf, type Ip, ip, ipFromBytes, ipToBytes } from '../../../src/core/ip.ts';

/** Questions that only who has an address answers, as Ethernet frames, and what frames answer them. */

export const KINDS = ['arp', 'nd', 'ping', 'tcp'] as const;
export type Kind = (typeof KINDS)[number];

/** A frame that was heard: an answer in the name of an address, or a VRRP advert of its source. */
export interface Answer {
  readonly kind: Kind | 'advert';
  /** The hardware address of who sent it, as `aa:bb:...`. */
  readonly mac: string;
  readonly address: Ip;
  /** Of an advert. */
  readonly priority?: number;
}

/** Who asks, and what for. */
export interface Question {
  readonly mac: string;
  readonly own: Ip;
  readonly target: Ip;
}

const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
const PROTOCOL = { icmp: 1, tcp: 6, icmp6: 58, vrrp: 112 } as const;
const ARP = { request: 1, reply: 2 } as const;
const ECHO = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const SOLICITED = 0x40;
const PORTS = { own: 40_000, target: 80 } as const;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const MAC_BYTES = 6;

const macBytes = (mac: string): Uint8Array => fromHex(mac.replaceAll(':', ''));
const macText = (bytes: Uint8Array): string => toHex(bytes).replace(/(..)(?!$)/g, '$1:');

const ethernet = (to: string, from: string, type: number): Writer =>
  new Writer(90).bytes(macBytes(to)).bytes(macBytes(from)).u16be(type);

/** All that is asked of everybody, and of the hosts with these hardware addresses one by one. */
export function questions(question: Question, macs: readonly string[]): Uint8Array[] {
  const everybody = familyOf(question.target) === 4 ? arpRequest(question) : solicitation(question);
  return [everybody, ...macs.flatMap((mac) => [echo(question, mac), synchronise(question, mac)])];
}

function arpRequest({ mac, own, target }: Question): Uint8Array {
  const frame = ethernet(BROADCAST, mac, ETHERTYPE.arp);
  frame.u16be(1).u16be(ETHERTYPE.ipv4).u8(MAC_BYTES).u8(4).u16be(ARP.request);
  return frame.bytes(macBytes(mac)).bytes(ipToBytes(own)).zeros(MAC_BYTES).bytes(ipToBytes(target)).finish();
}

/** To the group of the target (RFC 4861, 7.2.2). */
function solicitation(question: Question): Uint8Array {
  const last = ipToBytes(question.target).subarray(13);
  const group = ipToBytes(ip('ff02::1:ff00:0'));
  group.set(last, 13);
  const message = new Writer(32).u8(SOLICITATION).u8(0).zeros(6).bytes(ipToBytes(question.target));
  message.u8(1).u8(1).bytes(macBytes(question.mac));
  const to = macText(Uint8Array.of(0x33, 0x33, 0xff, ...last));
  return packet(question, to, group, PROTOCOL.icmp6, message.finish(), 2);
}

function echo(question: Question, mac: string): Uint8Array {
  const family = familyOf(question.target);
  const message = new Writer(8).u8(ECHO[family].request).u8(0).u16be(0).u16be(77).u16be(1).finish();
  const protocol = family === 4 ? PROTOCOL.icmp : PROTOCOL.icmp6;
  return packet(question, mac, ipToBytes(question.target), protocol, message, 2);
}

/** The first packet of a TCP connection. */
function synchronise(question: Question, mac: string): Uint8Array {
  const header = new Writer(20).u16be(PORTS.own).u16be(PORTS.target).u32be(1).u32be(0);
  header.u8(0x50).u8(0x02).u16be(1024).u16be(0).u16be(0);
  return packet(question, mac, ipToBytes(question.target), PROTOCOL.tcp, header.finish(), 16);
}

/** With the checksums that it needs; that of `body` is at `checksumAt`. */
function packet(
  { mac, own }: Question,
  to: string,
  target: Uint8Array,
  protocol: number,
  body: Uint8Array,
  checksumAt: number,
): Uint8Array {
  const source = ipToBytes(own);
  const pseudo = new Writer(40).bytes(source).bytes(target);
  if (target.length === 4) pseudo.u8(0).u8(protocol).u16be(body.length);
  else pseudo.u32be(body.length).u32be(protocol);
  const sum = internetChecksum(protocol === PROTOCOL.icmp ? new Uint8Array(0) : pseudo.finish(), body);
  const sealed = new Writer(body.length).bytes(body);
  sealed.patchU16be(checksumAt, sum);
  if (target.length === 16) {
    const frame = ethernet(to, mac, ETHERTYPE.ipv6)
      .u32be(0x6000_0000)
      .u16be(body.length)
      .u8(protocol)
      .u8(255);
    return frame.bytes(source).bytes(target).bytes(sealed.finish()).finish();
  }
  const header = new Writer(20)
    .u8(0x45)
    .u8(0)
    .u16be(20 + body.length)
    .u32be(0)
    .u8(64)
    .u8(protocol)
    .u16be(0);
  header.bytes(source).bytes(target);
  header.patchU16be(10, internetChecksum(header.finish()));
  return ethernet(to, mac, ETHERTYPE.ipv4).bytes(header.finish()).bytes(sealed.finish()).finish();
}

/** What a frame answers; `undefined` for all others. */
export function answerOf(frame: Uint8Array): Answer | undefined {
  try {
    const reader = new Reader(frame, MAC_BYTES);
    const mac = macText(reader.bytes(MAC_BYTES));
    const type = reader.u16be();
    const said =
      type === ETHERTYPE.arp ? arpReply(reader) : type === ETHERTYPE.ipv4 ? ipv4(reader) : ipv6(type, reader);
    return said && { mac, ...said };
  } catch (error) {
    if (error instanceof ShortInput) return undefined;
    throw error;
  }
}

type Said = Omit<Answer, 'mac'> | undefined;

function arpReply(reader: Reader): Said {
  reader.skip(6);
  if (reader.u16be() !== ARP.reply) return undefined;
  reader.skip(MAC_BYTES);
  return { kind: 'arp', address: ipFromBytes(reader.bytes(4)) };
}

function ipv4(reader: Reader): Said {
  const start = reader.offset;
  const length = (reader.u8() & 15) * 4;
  reader.skip(8);
  const protocol = reader.u8();
  reader.skip(2);
  const address = ipFromBytes(reader.bytes(4));
  reader.offset = start + length;
  return payload(4, protocol, address, reader);
}

function ipv6(type: number, reader: Reader): Said {
  if (type !== ETHERTYPE.ipv6) return undefined;
  reader.skip(6);
  const protocol = reader.u8();
  reader.skip(1);
  const address = ipFromBytes(reader.bytes(16));
  reader.skip(16);
  return payload(6, protocol, address, reader);
}

function payload(family: 4 | 6, protocol: number, address: Ip, reader: Reader): Said {
  if (protocol === PROTOCOL.vrrp) {
    reader.skip(2);
    return { kind: 'advert', address, priority: reader.u8() };
  }
  if (protocol === PROTOCOL.tcp) {
    const [from, to] = [reader.u16be(), reader.u16be()];
    return from === PORTS.target && to === PORTS.own ? { kind: 'tcp', address } : undefined;
  }
  if (protocol !== PROTOCOL.icmp && protocol !== PROTOCOL.icmp6) return undefined;
  const type = reader.u8();
  if (type === ECHO[family].reply) return { kind: 'ping', address };
  if (family === 4 || type !== ADVERTISEMENT) return undefined;
  reader.skip(3);
  const solicited = (reader.u8() & SOLICITED) !== 0;
  reader.skip(3);
  return solicited ? { kind: 'nd', address: ipFromBytes(reader.bytes(16)) } : undefined;
}
