import type { Seal } from '../../sealed.ts';

/** Cryptography for the relay, from the shell: the core has no key in its hands. */

/** One direction between two directors, for one life of each. */
export interface Session {
  /** Tells sessions apart, and gives nothing of the key away. `SESSION_NAME_BYTES` long. */
  readonly name: Uint8Array;
  /**
   * The payload, encrypted, and its tag. `header` is authenticated with it. `number` is the nonce: the same one twice
   * in a session would give the key away.
   */
  seal(number: number, header: Uint8Array, payload: Uint8Array): Uint8Array;
  /** The payload again; `undefined` when anything is not as it was sealed. */
  open(number: number, header: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

export interface RelayKeys extends Seal {
  /** The sessions of a context, by each valid key: first by the one that seals. */
  sessions(context: Uint8Array): readonly Session[];
  /** `NONCE_BYTES` that nobody can guess and that never come again. */
  nonce(): Uint8Array;
}
