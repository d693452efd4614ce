import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { Writer } from '../core/bytes.ts';
import type { RelayKeys, Session } from '../core/sync/relay/keys.ts';
import { SESSION_NAME_BYTES, TAG_BYTES } from '../core/sync/relay/parcel.ts';
import { NONCE_BYTES } from '../core/sync/relay/peer.ts';
import { keysOf } from './keyring.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
/** A GCM nonce has 12 bytes: 4 of 0 and the datagram's number. */
const NUMBER_AT = 4;

/**
 * Reads the keys of the relay of connection sync: the file's first line seals, and what others have sealed by a second
 * one opens too. What is used is derived from them (HKDF-SHA-256, RFC 5869). Throws BadKey.
 */
export function readRelayKeys(file: string): RelayKeys {
  const keys = keysOf(file);
  const macKeys = keys.map((key) => derive(key, new Uint8Array(), 'greeting', KEY_BYTES));
  const mac = (key: Uint8Array, data: Uint8Array): Buffer => createHmac('sha256', key).update(data).digest();
  const [first = new Uint8Array()] = macKeys;
  return {
    sign: (data) => mac(first, data),
    isGenuine: (data, given) =>
      macKeys.some((key) => given.length === 32 && timingSafeEqual(mac(key, data), given)),
    sessions: (context) => keys.map((key) => sessionOf(key, context)),
    nonce: () => randomBytes(NONCE_BYTES),
  };
}

const derive = (key: string, salt: Uint8Array, purpose: string, length: number): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, salt, `vipkeeper sync relay 1 ${purpose}`, length));

function sessionOf(from: string, context: Uint8Array): Session {
  const key = createSecretKey(derive(from, context, 'session', KEY_BYTES));
  const options = { authTagLength: TAG_BYTES };
  return {
    name: derive(from, context, 'name', SESSION_NAME_BYTES),
    seal(number, header, payload) {
      const cipher = createCipheriv(CIPHER, key, nonceOf(number), options).setAAD(header);
      const sealed = new Uint8Array(payload.length + TAG_BYTES);
      sealed.set(cipher.update(payload));
      cipher.final();
      sealed.set(cipher.getAuthTag(), payload.length);
      return sealed;
    },
    open(number, header, sealed) {
      const end = sealed.length - TAG_BYTES;
      if (end < 0) return undefined;
      const cipher = createDecipheriv(CIPHER, key, nonceOf(number), options).setAAD(header);
      cipher.setAuthTag(sealed.subarray(end));
      const payload = cipher.update(sealed.subarray(0, end));
      try {
        cipher.final();
        return payload;
      } catch {
        return undefined;
      }
    },
  };
}

const nonceOf = (number: number): Uint8Array => new Writer(12).zeros(NUMBER_AT).u64be(number).finish();
