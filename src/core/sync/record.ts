import { Reader, type Writer } from '../bytes.ts';
import { familyOf, IPV4_BYTES, IPV6_BYTES, type Ip, ipFromBytes, ipToBytes } from '../ip.ts';
import type { SequenceShift, SyncEndpoint, SyncedConnection } from './connection.ts';

/**
 * One record of a sync datagram of version 1 (net/netfilter/ipvs/ip_vs_sync.c: struct ip_vs_sync_v4, ip_vs_sync_v6),
 * all in network order. Options follow the fixed part without alignment; the next record begins at a multiple of four.
 */

/** The fixed part, and the least that a receiver demands of any record. */
export const RECORD_BYTES = 36;
const RECORD6_BYTES = 72;
/** Records begin at multiples of it. The padding comes before the next one: behind the last there is none. */
export const ALIGNMENT = 4;
const TYPE_IPV4 = 0;
/** A bit; the kernel looks at no other. */
const TYPE_IPV6 = 1;
const SIZE_MASK = 0x0fff;
const VERSION_SHIFT = 12;

const OPTION = { sequence: 1, engineData: 2, engineName: 3 } as const;
/** A receiver that does not know the option may go on without it. It may stand at known ones too. */
const OPTION_PARAMETER = 0x40;
export const SEQUENCE_BYTES = 24;
export const MOST_ENGINE_DATA = 255;
const MOST_ENGINE_NAME = 16;

/**
 * Why a receiver can't read a record. Of the last two only this record is lost; after any other the rest of the
 * datagram too. In the order of the kernel's checks:
 * - `short`: fewer bytes left than the smallest record has;
 * - `size`: it says to be larger than what is left;
 * - `version`: of a record, not 0;
 * - `type`: neither IPv4 nor IPv6;
 * - `fixed`: it says to be smaller than its fixed part;
 * - `option-header`, `option-length`: an option is cut, is empty or goes beyond the record;
 * - `sequence`, `engine-data`, `engine-name`: of the wrong length, or there twice;
 * - `option-unknown`: one that must be understood;
 * - `engine`: data without the name of its engine.
 */
export const RECORD_FAULTS = [
  'short',
  'size',
  'version',
  'type',
  'fixed',
  'option-header',
  'option-length',
  'sequence',
  'engine-data',
  'engine-name',
  'option-unknown',
  'engine',
] as const;
export type RecordFault = (typeof RECORD_FAULTS)[number];

/** A record that was read or has a fault; `next` is where the one after it begins, when it can be found. */
export interface ReadRecord {
  readonly connection?: SyncedConnection;
  readonly fault?: RecordFault;
  readonly next?: number;
}

/** Reads the record that begins at `at`. Never throws. */
export function readRecord(datagram: Uint8Array, at: number): ReadRecord {
  const left = datagram.length - at;
  if (left < RECORD_BYTES) return { fault: 'short' };
  const reader = new Reader(datagram, at);
  const type = reader.u8();
  const protocol = reader.u8();
  const word = reader.u16be();
  const size = word & SIZE_MASK;
  if (size > left) return { fault: 'size' };
  if (word >> VERSION_SHIFT !== 0) return { fault: 'version' };
  const isIpv6 = (type & TYPE_IPV6) !== 0;
  if (!isIpv6 && type !== TYPE_IPV4) return { fault: 'type' };
  const fixed = isIpv6 ? RECORD6_BYTES : RECORD_BYTES;
  if (size < fixed) return { fault: 'fixed' };
  const options = readOptions(datagram.subarray(at + fixed, at + size));
  const next = at + Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  if (typeof options === 'string')
    return isOfOneRecord(options) ? { fault: options, next } : { fault: options };
  return {
    connection: { protocol, ...readFixed(reader, isIpv6 ? IPV6_BYTES : IPV4_BYTES), ...options },
    next,
  };
}

const isOfOneRecord = (fault: RecordFault): boolean => fault === 'option-unknown' || fault === 'engine';

type Fixed = Omit<SyncedConnection, 'protocol' | 'sequence' | 'engine'>;

function readFixed(reader: Reader, addressBytes: number): Fixed {
  const flags = reader.u32be();
  const state = reader.u16be();
  const ports = [reader.u16be(), reader.u16be(), reader.u16be()];
  const fwmark = reader.u32be();
  const timeout = reader.u32be();
  const [client, virtual, destination] = ports.map((port) => ({
    address: ipFromBytes(reader.bytes(addressBytes)),
    port,
  })) as [SyncEndpoint, SyncEndpoint, SyncEndpoint];
  return { flags, state, client, virtual, destination, fwmark, timeout };
}

/** What the options of a record hold, or what is wrong with them. */
function readOptions(bytes: Uint8Array): Pick<SyncedConnection, 'sequence' | 'engine'> | RecordFault {
  const found = new Map<number, Uint8Array>();
  const reader = new Reader(bytes);
  let unknown = false;
  while (reader.remaining > 0 && !unknown) {
    if (reader.remaining < 2) return 'option-header';
    const type = reader.u8();
    const length = reader.u8();
    if (length === 0 || length > reader.remaining) return 'option-length';
    const data = reader.bytes(length);
    const kind = type & ~OPTION_PARAMETER;
    const fault = OPTION_FAULTS[kind];
    if (fault === undefined) unknown = (type & OPTION_PARAMETER) === 0;
    else if (found.has(kind) || !fits(kind, length)) return fault;
    else found.set(kind, data);
  }
  if (unknown) return 'option-unknown';
  const sequence = found.get(OPTION.sequence);
  const data = found.get(OPTION.engineData);
  const name = nameOf(found.get(OPTION.engineName));
  if (data !== undefined && name === '') return 'engine';
  return {
    ...(sequence !== undefined && { sequence: readSequence(new Reader(sequence)) }),
    ...(data !== undefined && { engine: { name, data } }),
  };
}

const OPTION_FAULTS: Readonly<Record<number, RecordFault>> = {
  [OPTION.sequence]: 'sequence',
  [OPTION.engineData]: 'engine-data',
  [OPTION.engineName]: 'engine-name',
};

function fits(kind: number, length: number): boolean {
  if (kind === OPTION.sequence) return length === SEQUENCE_BYTES;
  return length <= (kind === OPTION.engineData ? MOST_ENGINE_DATA : MOST_ENGINE_NAME);
}

/** Up to a zero byte, where the kernel's string ends. */
function nameOf(bytes: Uint8Array = new Uint8Array()): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}

function readSequence(reader: Reader): { in: SequenceShift; out: SequenceShift } {
  const shift = (): SequenceShift => ({
    from: reader.u32be(),
    delta: reader.u32be(),
    previous: reader.u32be(),
  });
  return { in: shift(), out: shift() };
}

/** The bytes that `writeRecord` writes, without padding before it. Throws RangeError as `writeRecord` does. */
export function recordBytes({ client, sequence, engine }: SyncedConnection): number {
  const fixed = familyOf(client.address) === 4 ? RECORD_BYTES : RECORD6_BYTES;
  const options =
    (sequence === undefined ? 0 : 2 + SEQUENCE_BYTES) + (engine === undefined ? 0 : engineBytes(engine));
  return fixed + options;
}

function engineBytes({ name, data }: NonNullable<SyncedConnection['engine']>): number {
  const isOneByteEach = Array.from(name).every((character) => character > '\0' && character <= '\xff');
  if (name.length < 1 || name.length > MOST_ENGINE_NAME || !isOneByteEach)
    throw new RangeError(`the name of a persistence engine in a sync record: ${JSON.stringify(name)}`);
  if (data.length < 1 || data.length > MOST_ENGINE_DATA)
    throw new RangeError(`data of a persistence engine in a sync record: ${data.length} bytes`);
  return 2 + data.length + 2 + name.length;
}

/**
 * Appends a record, with the zeros that bring it to a multiple of four. Options in the kernel's order. Throws
 * RangeError where the addresses are of two families, or an engine's name or data does not fit.
 */
export function writeRecord(out: Writer, connection: SyncedConnection): void {
  const { protocol, flags, state, client, virtual, destination, fwmark, timeout, sequence, engine } =
    connection;
  const size = recordBytes(connection);
  out.align(ALIGNMENT).u8(familyOf(client.address) === 4 ? TYPE_IPV4 : TYPE_IPV6);
  out.u8(protocol).u16be(size).u32be(flags).u16be(state);
  for (const { port } of [client, virtual, destination]) out.u16be(port);
  out.u32be(fwmark).u32be(timeout);
  for (const address of addressesOf(connection)) out.bytes(ipToBytes(address));
  if (sequence !== undefined) {
    out.u8(OPTION.sequence).u8(SEQUENCE_BYTES);
    for (const { from, delta, previous } of [sequence.in, sequence.out])
      out.u32be(from).u32be(delta).u32be(previous);
  }
  if (engine === undefined) return;
  out.u8(OPTION.engineData).u8(engine.data.length).bytes(engine.data);
  out.u8(OPTION.engineName).u8(engine.name.length);
  out.bytes(Uint8Array.from(engine.name, (character) => character.charCodeAt(0)));
}

/** Client, virtual server, real server. Throws RangeError where they are of two families: no record can say that. */
export function addressesOf({ client, virtual, destination }: SyncedConnection): readonly Ip[] {
  const addresses = [client.address, virtual.address, destination.address];
  if (new Set(addresses.map(familyOf)).size > 1)
    throw new RangeError(`addresses of two families in a sync record: ${addresses.join(' ')}`);
  return addresses;
}
