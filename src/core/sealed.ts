import { assert } from './assert.ts';

/**
 * Signed datagrams between the nodes of a cluster: a mark that says what they are, the cluster's name with its length
 * before it (a byte), the body, and an HMAC-SHA-256 of all that. What guards against replay is in the body.
 */

/** A cluster's key, from the shell: the core has none in its hands. */
export interface Seal {
  /** HMAC-SHA-256 of `data`: 32 bytes. */
  sign(data: Uint8Array): Uint8Array;
  /** Whether `mac` is the HMAC of `data` by this key, or by one that is being replaced. */
  isGenuine(data: Uint8Array, mac: Uint8Array): boolean;
}

/** What there is of a datagram's body, or why there is none. */
export type Unsealed =
  | { readonly body: Uint8Array }
  /** Other bytes, or of another cluster. */
  | { readonly fault: 'foreign' }
  | { readonly fault: 'wrong key' };

export const MAC_BYTES = 32;
const ENCODER = new TextEncoder();

/** The datagrams of a cluster that begin with a mark of four ASCII letters. */
export class Sealed {
  readonly #head: Uint8Array;
  readonly #seal: Seal;

  constructor(mark: string, cluster: string, seal: Seal) {
    const name = ENCODER.encode(cluster);
    assert(name.length > 0 && name.length < 256, 'a cluster has a name of 1 to 255 bytes');
    this.#head = Uint8Array.of(...ENCODER.encode(mark), name.length, ...name);
    this.#seal = seal;
  }

  /** The datagram with this body. */
  close(body: Uint8Array): Uint8Array {
    const end = this.#head.length + body.length;
    const datagram = new Uint8Array(end + MAC_BYTES);
    datagram.set(this.#head);
    datagram.set(body, this.#head.length);
    datagram.set(this.#seal.sign(datagram.subarray(0, end)), end);
    return datagram;
  }

  /** The body is a view, of one byte at least. Never throws. */
  open(datagram: Uint8Array): Unsealed {
    const [begin, end] = [this.#head.length, datagram.length - MAC_BYTES];
    if (end <= begin || !this.#head.every((byte, i) => datagram[i] === byte)) return { fault: 'foreign' };
    if (!this.#seal.isGenuine(datagram.subarray(0, end), datagram.subarray(end)))
      return { fault: 'wrong key' };
    return { body: datagram.subarray(begin, end) };
  }
}

/**
 * The cluster that a datagram with this mark says to be of, which tells whose key it needs; `undefined` for what is no
 * such datagram.
 */
export function clusterOf(mark: string, datagram: Uint8Array): string | undefined {
  const [at, length] = [mark.length + 1, datagram[mark.length] ?? 0];
  if (length === 0 || datagram.length <= at + length + MAC_BYTES) return undefined;
  if (!ENCODER.encode(mark).every((byte, i) => datagram[i] === byte)) return undefined;
  return new TextDecoder().decode(datagram.subarray(at, at + length));
}
