import { Reader, Writer } from '../bytes.ts';
import type { SyncedConnection } from './connection.ts';
import {
  ALIGNMENT,
  type ReadRecord,
  type RecordFault,
  readRecord,
  recordBytes,
  writeRecord,
} from './record.ts';
import { readRecord0, record0Bytes, writeRecord0 } from './record0.ts';

/**
 * The datagrams by which the kernel of a master tells the kernels of its backups of connections: UDP payloads of
 * versions 0 and 1 (net/netfilter/ipvs/ip_vs_sync.c). A receiver tells the versions apart by the header.
 */

export interface SyncMessage {
  readonly version: 0 | 1;
  /** 0..255. A backup with id 0 takes all, another only its own. */
  readonly syncId: number;
  readonly connections: readonly SyncedConnection[];
}

/** Where the kernel sends and listens unless told otherwise; the port of the first thread (`sync_ports`). */
export const SYNC_PORT = 8848;
export const SYNC_GROUP = '224.0.0.81';

/** The count is one byte. The kernel sends a wrong one when more fit into a datagram. */
export const MOST_RECORDS = 255;
const HEADER_BYTES = 8;
/** Of version 0, and the least that any datagram has. */
const HEADER0_BYTES = 4;
const VERSION = 1;
const SIZE_AT = 2;
const COUNT_AT = 4;
const MOST_BYTES = 0xffff;

/** Why a receiver drops the whole datagram: no header; a size that is not the datagram's. */
export type MessageFault = 'short' | 'size';

/** A record that a receiver can't read; its place in the datagram, from 0. */
export interface FaultyRecord {
  readonly index: number;
  readonly fault: RecordFault;
}

export type DecodedMessage =
  | {
      readonly ok: true;
      readonly message: SyncMessage;
      /** How many records the header says there are. */
      readonly count: number;
      readonly faulty: readonly FaultyRecord[];
    }
  | { readonly ok: false; readonly fault: MessageFault };

/**
 * What a kernel makes of a datagram. What stands before a fault is taken, as there; bytes after the last record are
 * of no consequence. Never throws, and never reads beyond the datagram.
 */
export function decodeMessage(datagram: Uint8Array): DecodedMessage {
  if (datagram.length < HEADER0_BYTES) return { ok: false, fault: 'short' };
  const reader = new Reader(datagram);
  const first = reader.u8();
  const syncId = reader.u8();
  if (reader.u16be() !== datagram.length) return { ok: false, fault: 'size' };
  const version = first === 0 && isVersion1(datagram) ? 1 : 0;
  const count = version === 1 ? (datagram[COUNT_AT] as number) : first;
  const connections: SyncedConnection[] = [];
  const faulty: FaultyRecord[] = [];
  let at: number | undefined = version === 1 ? HEADER_BYTES : HEADER0_BYTES;
  for (let index = 0; index < count && at !== undefined; index++) {
    const read: ReadRecord = version === 1 ? readRecord(datagram, at) : readRecord0(datagram, at);
    const { connection, fault, next } = read;
    if (connection !== undefined) connections.push(connection);
    if (fault !== undefined) faulty.push({ index, fault });
    at = next;
  }
  return { ok: true, message: { version, syncId, connections }, count, faulty };
}

const isVersion1 = ([, , , , , version, spare1, spare2]: Uint8Array): boolean =>
  version === VERSION && spare1 === 0 && spare2 === 0;

/**
 * The payload of a datagram. Throws RangeError for more than 255 connections, more than 65535 bytes, an id that is no
 * byte, and a connection that no record of the version can say (`writeRecord`, `writeRecord0`).
 */
export function encodeMessage({ version, syncId, connections }: SyncMessage): Uint8Array {
  if (connections.length > MOST_RECORDS)
    throw new RangeError(`${connections.length} records in a sync datagram`);
  if (!Number.isInteger(syncId) || syncId < 0 || syncId > 255) throw new RangeError(`syncid ${syncId}`);
  const out = new Writer(2048);
  out
    .u8(version === 1 ? 0 : connections.length)
    .u8(syncId)
    .u16be(0);
  if (version === 1) out.u8(connections.length).u8(VERSION).u16be(0);
  for (const connection of connections) (version === 1 ? writeRecord : writeRecord0)(out, connection);
  if (out.length > MOST_BYTES) throw new RangeError(`a sync datagram of ${out.length} bytes`);
  out.patchU16be(SIZE_AT, out.length);
  return out.finish();
}

/**
 * Messages that carry the connections in their order, none longer than `maxlen` bytes (the kernel's master: 1472 for
 * IPv4, 1452 for IPv6), unless one record alone is. Throws as `encodeMessage` does.
 */
export function* packMessages(
  connections: Iterable<SyncedConnection>,
  { version, syncId, maxlen }: { readonly version: 0 | 1; readonly syncId: number; readonly maxlen: number },
): Generator<SyncMessage> {
  const empty = version === 1 ? HEADER_BYTES : HEADER0_BYTES;
  let packed: SyncedConnection[] = [];
  let length = empty;
  for (const connection of connections) {
    const size = version === 1 ? recordBytes(connection) : record0Bytes(connection);
    const begin = Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    if (packed.length > 0 && (begin + size > maxlen || packed.length === MOST_RECORDS)) {
      yield { version, syncId, connections: packed };
      packed = [];
      length = empty + size;
    } else length = begin + size;
    packed.push(connection);
  }
  if (packed.length > 0) yield { version, syncId, connections: packed };
}
