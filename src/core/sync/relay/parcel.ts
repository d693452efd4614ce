import { equalBytes, Reader, Writer } from '../../bytes.ts';

/**
 * A datagram of the kernel's connection sync on its way to another director's kernel: the mark, the number of the
 * kernel's thread (a byte) and three of 0, the session's name (8 bytes), the datagram's number (8 bytes, network
 * order), the sealed payload, and its tag (16 bytes). What stands before the payload is authenticated with it.
 */

export const SESSION_NAME_BYTES = 8;
/** Of AES-GCM. */
export const TAG_BYTES = 16;
/** The kernel has at most so many threads, and ports (`sync_ports`). */
export const THREADS = 64;
const MARK = new TextEncoder().encode('VKP1');
const SPARE_BYTES = 3;
const HEADER_BYTES = MARK.length + 1 + SPARE_BYTES + SESSION_NAME_BYTES + 8;
/** What a datagram grows by, the headers of UDP and IP not counted. */
export const PARCEL_BYTES = HEADER_BYTES + TAG_BYTES;

export interface ParcelHeader {
  /** Which of the kernel's threads sent it, and is to have it: 0 to 63. */
  readonly thread: number;
  readonly session: Uint8Array;
  /** 1 or more, and exact. */
  readonly number: number;
}

/** As it came; the arrays are views. */
export interface Parcel extends ParcelHeader {
  readonly header: Uint8Array;
  readonly sealed: Uint8Array;
}

export const isParcel = (datagram: Uint8Array): boolean =>
  equalBytes(datagram.subarray(0, MARK.length), MARK);

/** What stands before the sealed payload. */
export function writeParcelHeader({ thread, session, number }: ParcelHeader): Uint8Array {
  const out = new Writer(HEADER_BYTES).bytes(MARK).u8(thread).zeros(SPARE_BYTES).bytes(session);
  return out.u64be(number).finish();
}

/** Reads what `isParcel`; `undefined` when it is cut where that can be seen, or wrong. Never throws. */
export function readParcel(datagram: Uint8Array): Parcel | undefined {
  if (datagram.length < PARCEL_BYTES) return undefined;
  const reader = new Reader(datagram, MARK.length);
  const thread = reader.u8();
  const spare = reader.bytes(SPARE_BYTES);
  const session = reader.bytes(SESSION_NAME_BYTES);
  const number = reader.u64be();
  if (thread >= THREADS || spare.some((byte) => byte !== 0)) return undefined;
  if (number === 0 || !Number.isSafeInteger(number)) return undefined;
  const [header, sealed] = [datagram.subarray(0, HEADER_BYTES), datagram.subarray(HEADER_BYTES)];
  return { thread, session, number, header, sealed };
}
