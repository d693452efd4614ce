import { Writable } from 'node:stream';
import { rawio } from './rawio.ts';

const STANDARD_ERROR = 2;
const EAGAIN = 11;
/** From one attempt to the next where nobody reads. */
const PAUSE_MS = 20;

/**
 * Standard error that never waits. `process.stderr` does: libuv lets the descriptor of its children wait, and it is the
 * parent's too, so that a pipe that nobody reads stops the process for ever. What a reader that is gone does not take
 * is lost.
 */
export function standardError(): Writable {
  return new Writable({
    decodeStrings: true,
    write(bytes: Uint8Array, _encoding, done) {
      const write = (rest: Uint8Array): void => {
        const left = writeSome(rest);
        if (left === undefined) done();
        else setTimeout(() => write(left), PAUSE_MS);
      };
      write(bytes);
    },
  });
}

/** Says it at once as far as that goes: for a process that ends, or is alone. */
export function sayNow(text: string): void {
  writeSome(new TextEncoder().encode(text));
}

/** What was not taken yet; `undefined` when nothing is left, or nobody is there to take it. */
function writeSome(bytes: Uint8Array): Uint8Array | undefined {
  for (let rest = bytes; rest.length > 0; ) {
    const count = rawio.writeNow(STANDARD_ERROR, rest);
    if (count === -EAGAIN) return rest;
    if (count <= 0) return undefined;
    rest = rest.subarray(count);
  }
  return undefined;
}
