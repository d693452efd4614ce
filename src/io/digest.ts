import { createHash, createHmac } from 'node:crypto';
import type { Hash } from '../core/check/http.ts';
import type { Digest } from '../core/vrrp/auth-digest.ts';

/** Node's OpenSSL as the core's digest. Throws where the machine's policy (FIPS) forbids MD5. */
export const digest: Digest = {
  hmac: (algorithm, key, data) => createHmac(algorithm, key).update(data).digest(),
};

/** MD5 of a body that comes in parts. Throws where the machine's policy forbids MD5. */
export function md5(): Hash {
  const hash = createHash('md5');
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
}
