import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Seal } from '../core/sealed.ts';

/** Shorter ones can be guessed. */
const KEY_BYTES_LEAST = 16;
const OTHERS = 0o007;

/** A key file that cannot be used; the message says why and what to do. */
export class BadKey extends Error {
  override name = 'BadKey';
}

/**
 * Reads the key of a cluster's heartbeats. The file has a line with the key; while it is being replaced, a second with
 * the one that others still sign with. Throws BadKey.
 */
export function readKey(file: string): Seal {
  const keys = keysOf(file);
  const mac = (key: string, data: Uint8Array): Buffer => createHmac('sha256', key).update(data).digest();
  const [first = ''] = keys;
  return {
    sign: (data) => mac(first, data),
    isGenuine: (data, given) =>
      keys.some((key) => given.length === 32 && timingSafeEqual(mac(key, data), given)),
  };
}

/** The keys in a file, a line each, none of them empty. Throws BadKey. */
export function keysOf(file: string): string[] {
  let text: string;
  try {
    if ((statSync(file).mode & OTHERS) !== 0)
      throw new BadKey(`every user can read ${file}, which is a key: chmod o= ${file}`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof BadKey) throw error;
    throw new BadKey(`cannot read the key: ${(error as Error).message}`);
  }
  const keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw new BadKey(`${file} has no key: openssl rand -hex 32 > ${file}`);
  if (keys.some((key) => Buffer.byteLength(key) < KEY_BYTES_LEAST))
    throw new BadKey(
      `the key in ${file} is shorter than ${KEY_BYTES_LEAST} bytes: openssl rand -hex 32 > ${file}`,
    );
  return keys;
}
