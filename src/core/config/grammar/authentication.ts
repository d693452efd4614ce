import * as arg from '../arguments.ts';
import { type Argument, block, keyword, unexpected } from '../schema.ts';

/** `authentication`: RFC 2338's, for version 2. */
export const authentication = {
  auth_type: keyword('method; version 2 only, AH with IPv4 only', [arg.choice('PASS', 'AH')]),
  auth_pass: keyword('password; the first 8 bytes count', [arg.text('TEXT')], { secret: 0 }),
};

/** What stands for a key: `hex:...`, `file:PATH`, or the text itself. */
export type KeySource =
  | { readonly kind: 'hex'; readonly hex: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string };

const keySource: Argument<KeySource> = {
  syntax: 'hex:DIGITS|file:PATH|TEXT',
  expects: 'a key of 32 to 64 bytes: hex: and pairs of digits, file: and a path, or text',
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault(`needs ${this.syntax}: ${this.expects}`);
    const { text } = word;
    if (text.startsWith('file:') && text.length > 5) return { kind: 'file', path: text.slice(5) };
    if (text.startsWith('hex:')) {
      const hex = text.slice(4).toLowerCase();
      return /^(?:[0-9a-f]{2}){32,64}$/.test(hex) ? { kind: 'hex', hex } : unexpected(words, word, this);
    }
    const bytes = new TextEncoder().encode(text).length;
    return bytes >= 32 && bytes <= 64 ? { kind: 'text', text } : unexpected(words, word, this);
  },
};

/** `auth_hmac` (keepalived 2.4.3: vrrp/vrrp_auth_hmac.c; draft-cassen-vrrp-auth-hmac). */
export const authHmac = {
  key: keyword('a key; all of them verify', [arg.integer('ID', 1, 255), keySource], {
    repeat: true,
    secret: 1,
  }),
  active_key: keyword('the key that signs', [arg.integer('ID', 1, 255)]),
  time_window: keyword('how far clocks may be apart', [arg.wholeSeconds(1, 300)], {
    default: 'three advert intervals, at least 5',
  }),
  anti_replay: keyword('time: clocks agree; monotonic: sequences grow', [arg.choice('time', 'monotonic')], {
    default: 'time',
  }),
  mode: keyword('step of a rollout', [arg.choice('enforce', 'permissive', 'receive-only')], {
    default: 'enforce',
  }),
};

/** The authentication of an instance. */
export const authenticationBlocks = {
  authentication: block('authentication, version 2 only', [], authentication),
  auth_hmac: block('an HMAC-SHA-256 trailer on each advert; counts instead of authentication', [], authHmac),
};
