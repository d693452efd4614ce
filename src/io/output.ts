import { writeSync } from 'node:fs';

const PAUSE_MILLISECONDS = 5;

/**
 * Writes all of `text` before it returns, also to a pipe or terminal that is full and does not block. For
 * programs that print and end: `process.stdout` would cost their start and may lose the end of a text. Throws
 * the system's error; `EPIPE` when nobody reads any more.
 */
export function writeAll(descriptor: number, text: string): void {
  let bytes: Uint8Array = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MILLISECONDS);
    }
  }
}
