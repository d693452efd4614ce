import { Reader, Writer } from '../bytes.ts';
import { internetChecksum } from '../checksum.ts';
import type { Family } from '../ip.ts';

/** ICMP types of an echo and its reply (RFC 792; RFC 4443, 4.1). */
const TYPES = { 4: { echo: 8, reply: 0 }, 6: { echo: 128, reply: 129 } } as const;
const HEADER = 8;
const IPV4_HEADER_MIN = 20;

/** What distinguishes one echo from all others: its reply carries it back. */
export interface Echo {
  readonly family: Family;
  readonly id: number;
  readonly sequence: number;
  /** Eight bytes that nobody guesses. */
  readonly token: Uint8Array;
}

/**
 * An echo request (network order). The checksum is IPv4's; for IPv6 the kernel fills it in, and on a ping socket
 * the id too.
 */
export function echoRequest({ family, id, sequence, token }: Echo): Uint8Array {
  const packet = new Writer(HEADER + token.length).u8(TYPES[family].echo).u8(0).u16be(0);
  const bytes = packet.u16be(id).u16be(sequence).bytes(token).finish();
  if (family === 4) {
    const sum = internetChecksum(bytes);
    bytes[2] = sum >> 8;
    bytes[3] = sum & 255;
  }
  return bytes;
}

/** Whether a packet answers the echo. What a raw IPv4 socket gives begins with the IP header (`raw`). */
export function isReply(echo: Echo, packet: Uint8Array, raw: boolean): boolean {
  const skip = raw && echo.family === 4 ? ((packet[0] ?? 0) & 15) * 4 : 0;
  if (raw && echo.family === 4 && skip < IPV4_HEADER_MIN) return false;
  if (packet.length < skip + HEADER + echo.token.length) return false;
  const reader = new Reader(packet, skip);
  if (reader.u8() !== TYPES[echo.family].reply || reader.u8() !== 0) return false;
  reader.skip(2);
  const id = reader.u16be();
  if ((raw && id !== echo.id) || reader.u16be() !== echo.sequence) return false;
  return reader.bytes(echo.token.length).every((byte, i) => byte === echo.token[i]);
}
