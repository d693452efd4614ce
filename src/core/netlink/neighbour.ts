import { Reader } from '../bytes.ts';
import type { Family, Ip } from '../ip.ts';
import { familyFromNumber, familyNumber, readIp } from './address.ts';
import { formatMac } from './link.ts';
import { Attributes, BodyWriter, type Message, type Request } from './message.ts';

/** The neighbour tables, ARP and NDP (include/uapi/linux/neighbour.h). */

export const NEIGHBOUR_MESSAGE = { new: 28, delete: 29, get: 30 } as const;

export const NEIGHBOUR_STATE = {
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noArp: 0x40,
  permanent: 0x80,
} as const;

const NDA = { dst: 1, mac: 2 } as const;
const HEADER_BYTES = 12;

export interface Neighbour {
  readonly ifindex: number;
  readonly address: Ip;
  /** Absent while unresolved. */
  readonly mac?: string;
  /** NEIGHBOUR_STATE bits. */
  readonly state: number;
}

/** A dump of a family's neighbours. */
export function dumpNeighbours(family: Family): Request {
  const body = new BodyWriter();
  body.fixed.u8(familyNumber(family)).zeros(HEADER_BYTES - 1);
  return { type: NEIGHBOUR_MESSAGE.get, flags: 0, body: body.finish(), asked: 'list neighbours' };
}

/** The neighbour of a NEWNEIGH or DELNEIGH; `undefined` for bridge entries and others without an address. */
export function decodeNeighbour(message: Message): Neighbour | undefined {
  if (message.type !== NEIGHBOUR_MESSAGE.new && message.type !== NEIGHBOUR_MESSAGE.delete) return undefined;
  if (message.body.length < HEADER_BYTES) return undefined;
  const reader = new Reader(message.body);
  const family = familyFromNumber(reader.u8());
  reader.skip(3);
  const ifindex = reader.i32host();
  const state = reader.u16host();
  if (family === undefined) return undefined;
  const attributes = Attributes.of(message.body, HEADER_BYTES);
  const address = readIp(attributes.bytes(NDA.dst), family);
  if (address === undefined) return undefined;
  const mac = attributes.bytes(NDA.mac);
  return { ifindex, address, ...(mac !== undefined && { mac: formatMac(mac) }), state };
}
