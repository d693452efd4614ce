import { createHash } from 'node:crypto';

/** A prime, so that streams of different connections do not fall into step. */
const TABLE_SIZE = 65_521;
const STEP = 7919;

const TABLE = ((): Buffer => {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 64 < TABLE_SIZE; i++) blocks.push(createHash('sha512').update(`block ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, TABLE_SIZE);
})();

/** Bytes `offset` to `offset + length` of the endless stream that belongs to a connection's number. */
export function streamBytes(connection: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let at = (connection * STEP + offset) % TABLE_SIZE;
  for (let done = 0; done < length; ) {
    const copied = TABLE.copy(bytes, done, at);
    done += copied;
    at = (at + copied) % TABLE_SIZE;
  }
  return bytes;
}
