import { Reader, type Writer } from '../bytes.ts';
import { familyOf, IPV4_BYTES, ipFromBytes, ipToBytes } from '../ip.ts';
import { type SequenceShift, SYNC_FLAG, type SyncEndpoint, type SyncedConnection } from './connection.ts';
import { addressesOf, type ReadRecord, SEQUENCE_BYTES } from './record.ts';

/**
 * One record of a sync datagram of version 0 (struct ip_vs_sync_conn_v0): IPv4 alone, in network order, but for
 * the sequence numbers, which have the order of the sender's CPU. It has no mark, timeout or persistence engine.
 */

export const RECORD0_BYTES = 24;
const MOST_FLAGS = 0xffff;

/** The bytes of a record with these flags. */
export const record0Bytes = ({ flags }: Pick<SyncedConnection, 'flags'>): number =>
  RECORD0_BYTES + ((flags & SYNC_FLAG.sequences) === 0 ? 0 : SEQUENCE_BYTES);

/** Reads the record that begins at `at`; the sequence numbers in this CPU's order. Never throws. */
export function readRecord0(datagram: Uint8Array, at: number): ReadRecord {
  const left = datagram.length - at;
  if (left < RECORD0_BYTES) return { fault: 'short' };
  const reader = new Reader(datagram, at + 1);
  const protocol = reader.u8();
  const ports = [reader.u16be(), reader.u16be(), reader.u16be()];
  const [client, virtual, destination] = ports.map((port) => ({
    address: ipFromBytes(reader.bytes(IPV4_BYTES)),
    port,
  })) as [SyncEndpoint, SyncEndpoint, SyncEndpoint];
  const flags = reader.u16be();
  const state = reader.u16be();
  const size = record0Bytes({ flags });
  if (size > left) return { fault: 'size' };
  const connection = { protocol, flags, state, client, virtual, destination, fwmark: 0, timeout: 0 };
  if (size === RECORD0_BYTES) return { connection, next: at + size };
  const shift = (): SequenceShift => ({
    from: reader.u32host(),
    delta: reader.u32host(),
    previous: reader.u32host(),
  });
  return { connection: { ...connection, sequence: { in: shift(), out: shift() } }, next: at + size };
}

/** Whether version 0 can say all that the connection is. */
export const fitsRecord0 = ({
  client,
  flags,
  fwmark,
  timeout,
  sequence,
  engine,
}: SyncedConnection): boolean =>
  familyOf(client.address) === 4 &&
  flags <= MOST_FLAGS &&
  fwmark === 0 &&
  timeout === 0 &&
  engine === undefined &&
  (sequence !== undefined) === ((flags & SYNC_FLAG.sequences) !== 0);

/** Appends a record. Throws RangeError for what `fitsRecord0` is not true of. */
export function writeRecord0(out: Writer, connection: SyncedConnection): void {
  if (!fitsRecord0(connection)) throw new RangeError('no sync record of version 0 can say this connection');
  const { protocol, flags, state, client, virtual, destination, sequence } = connection;
  out.u8(0).u8(protocol);
  for (const { port } of [client, virtual, destination]) out.u16be(port);
  for (const address of addressesOf(connection)) out.bytes(ipToBytes(address));
  out.u16be(flags).u16be(state);
  if (sequence === undefined) return;
  for (const { from, delta, previous } of [sequence.in, sequence.out])
    out.u32host(from).u32host(delta).u32host(previous);
}
