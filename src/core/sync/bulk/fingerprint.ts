import type { SyncEndpoint } from '../connection.ts';

/** What tells a connection from all others, and the real server that it goes to. */
export interface Identity {
  /** The number of the IP protocol; 0 for the template of a firewall mark. */
  readonly protocol: number;
  readonly client: SyncEndpoint;
  readonly virtual: SyncEndpoint;
  readonly destination: SyncEndpoint;
}

/**
 * 32 bits of an identity, by which two directors compare their tables (FNV-1a over the text, its bits mixed at the end
 * as MurmurHash3 does). Other connections collide with another salt.
 */
export function fingerprint({ protocol, client, virtual, destination }: Identity, salt: number): number {
  let hash = (0x811c9dc5 ^ salt) >>> 0;
  for (const { address, port } of [client, virtual, destination]) {
    for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (port & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (port >> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ protocol, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The salt of two nonces. */
export const saltOf = (recipient: string, donor: string): number =>
  [recipient, donor].reduce((salt, nonce) => (salt ^ Number.parseInt(nonce.slice(-8), 16)) >>> 0, 0);

/** Likewise, and another one for each pair of nonces that two counters give. */
export const mixedSaltOf = (recipient: string, donor: string): number =>
  [recipient, donor].reduce(
    (salt, nonce) => Math.imul(salt ^ Number.parseInt(nonce.slice(-8), 16), 0x85ebca6b) >>> 0,
    0x811c9dc5,
  );
