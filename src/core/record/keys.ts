import { passwordBytes } from '../vrrp/packet.ts';
import { changedAdvert, isAdvert, textOf } from './advert.ts';
import type { Change } from './plain.ts';

/**
 * Keys do not leave their process. In their place stand others, the same for the same, so that passwords that agree
 * still agree; digests were recorded, and nothing is computed from a key.
 */

/** Properties of settings that hold a password; and hexadecimal digits of a secret, of which the number is kept. */
const PASSWORDS: readonly string[] = ['password', 'ah'];
const SECRETS: readonly string[] = ['secret'];

/** Gives what is to be written in place of each value. */
export function withoutKeys(): Change {
  const standIns = new Map<string, string>();
  const password = (key: string): string => {
    const known = standIns.get(key) ?? `key${standIns.size + 1}`;
    standIns.set(key, known);
    return known;
  };
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    if (isAdvert(value)) return changedAdvert(value, { address: (same) => same, password });
    const fields = value as Readonly<Record<string, unknown>>;
    const blank: Record<string, string> = {};
    for (const name of PASSWORDS) {
      const key = fields[name];
      // Only 8 bytes of it count: those that agree in them agree.
      if (typeof key === 'string') blank[name] = password(textOf(passwordBytes(key)));
    }
    for (const name of SECRETS) {
      const key = fields[name];
      if (typeof key === 'string') blank[name] = '0'.repeat(key.length);
    }
    return Object.keys(blank).length === 0 ? value : { ...value, ...blank };
  };
}
