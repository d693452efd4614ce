import { createHmac } from 'node:crypto';
import type { Digest } from '../core/vrrp/auth-digest.ts';

/** Node's OpenSSL as the core's digest. Throws where the machine's policy (FIPS) forbids MD5. */
export const digest: Digest = {
  hmac: (algorithm, key, data) => createHmac(algorithm, key).update(data).digest(),
};
