import type { Ip } from '../ip.ts';
import type { Notice, RejectReason } from './packet.ts';

/**
 * What the two ways to sign adverts have in common: `AuthHeader` (IPsec AH, version 2) and `AuthTrailer`
 * (HMAC-SHA-256, both versions).
 */

/** Keyed hashing (RFC 2104), from the shell: the core imports nothing of node. Pure and synchronous. */
export interface Digest {
  /** The whole digest: 16 bytes of MD5, 32 of SHA-256. */
  hmac(algorithm: 'md5' | 'sha256', key: Uint8Array, data: Uint8Array): Uint8Array;
}

/** A signed advert. */
export interface Sealed {
  /** What follows the IP header, or `header`. Not to be written to. */
  readonly payload: Uint8Array;
  /** The IP header and the authentication header, where the signature covers them. */
  readonly header?: Uint8Array;
}

export interface Addressing {
  readonly source: Ip;
  readonly destination: Ip;
  /** TTL or hop limit, 255 when absent. */
  readonly ttl?: number;
}

/** What a signature says about an advert that is in order otherwise. */
export type Verdict =
  | { readonly ok: true; readonly notice?: Notice }
  | { readonly ok: false; readonly reason: RejectReason };

export const genuine: Verdict = { ok: true };
export const refused = (reason: RejectReason): Verdict => ({ ok: false, reason });

/** Whether they are equal, in a time that does not tell where they differ. */
export function equalSecretly(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** One after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
