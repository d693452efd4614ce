import { Reader, Writer } from '../core/bytes.ts';

/**
 * Ancillary data of sendmsg(2) and recvmsg(2) as cmsg(3) lays it out on a 64-bit kernel: an 8-byte length
 * that counts the header, level, type, data, and padding to 8 bytes.
 */
export interface ControlMessage {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
}

const HEADER = 16;
const ALIGNMENT = 8;

export function buildControl(messages: readonly ControlMessage[]): Uint8Array {
  const out = new Writer(64);
  for (const { level, type, data } of messages) {
    out
      .u64host(BigInt(HEADER + data.length))
      .i32host(level)
      .i32host(type)
      .bytes(data)
      .align(ALIGNMENT);
  }
  return out.finish();
}

/**
 * The first message of that level and type: its data as a view of `control`. Only asks for what it needs,
 * because it runs for each packet. A length that points outside ends the search.
 */
export function findControl(control: Uint8Array, level: number, type: number): Uint8Array | undefined {
  const from = new Reader(control);
  while (from.remaining >= HEADER) {
    const length = Number(from.u64host()) - HEADER;
    const isLevel = from.i32host() === level;
    const isType = from.i32host() === type;
    if (length < 0 || length > from.remaining) return undefined;
    const data = from.bytes(length);
    if (isLevel && isType) return data;
    from.skip(Math.min((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT, from.remaining));
  }
  return undefined;
}
