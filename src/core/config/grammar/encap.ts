import type { Ip } from '../../ip.ts';
import * as arg from '../arguments.ts';
import type { Argument, Words } from '../schema.ts';

/** `encap` of a route: a lightweight tunnel (keepalived: vrrp/vrrp_iproute.c, which knows these four kinds). */

/** The words of an IP tunnel, as written; `tos` may be a name. */
export interface TunnelLine {
  readonly kind: 'ip' | 'ip6';
  readonly id?: string;
  readonly destination?: Ip;
  readonly source?: Ip;
  readonly tos?: string;
  readonly ttl?: number;
  readonly flags?: number;
}
export type EncapsulationLine =
  | TunnelLine
  | { readonly kind: 'mpls'; readonly labels: readonly number[] }
  | { readonly kind: 'ila'; readonly locator: string };

const MOST_LABEL = 0xfffff;
const byte = arg.integer('N', 0, 255);
const flags = arg.integer('N', 0, 65_535);
/** A word of 64 bits as 16 hexadecimal digits. */
export const hex64 = (text: string): string => BigInt(text).toString(16).padStart(16, '0');
export const idNumber = arg.matching('N', 'a whole number of 64 bits', /^(0x[0-9a-f]{1,16}|\d{1,19})$/i);
const labels = arg.matching('LABEL[/LABEL]', 'labels with slashes between', /^\d{1,7}(\/\d{1,7}){0,15}$/);
const locator = arg.matching(
  'A:B:C:D',
  'four hexadecimal numbers of 16 bits',
  /^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}$/i,
);
const named = arg.text('N|NAME', 63);

export const encapsulation: Argument<EncapsulationLine> = {
  syntax: 'ip|ip6|mpls|ila OPTIONS',
  expects: 'a kind of encapsulation and its options',
  read(words) {
    const kind = arg.choice('ip', 'ip6', 'mpls', 'ila').read(words);
    if (kind === 'mpls') return mpls(words);
    if (kind === 'ila') {
      const text = locator.read(words);
      const parts = text?.split(':').map((part) => part.padStart(4, '0').toLowerCase());
      return parts && { kind, locator: parts.join('') };
    }
    return kind && tunnel(kind, words);
  },
};

function mpls(words: Words): EncapsulationLine | undefined {
  const numbers = labels.read(words)?.split('/').map(Number);
  if (numbers === undefined) return undefined;
  if (numbers.some((label) => label > MOST_LABEL)) return words.fault('a label has 20 bits', words.last);
  return { kind: 'mpls', labels: numbers };
}

/** Its options end where a word is none of them. */
function tunnel(kind: 'ip' | 'ip6', words: Words): TunnelLine | undefined {
  const address = arg.addressOf(kind === 'ip' ? 4 : 6);
  const found: { -readonly [K in keyof TunnelLine]: TunnelLine[K] } = { kind };
  const readers: { readonly [name: string]: () => void } = {
    id: () => {
      const text = idNumber.read(words);
      if (text !== undefined) found.id = hex64(text);
    },
    dst: () => set('destination', address.read(words)),
    src: () => set('source', address.read(words)),
    [kind === 'ip' ? 'tos' : 'tc']: () => set('tos', named.read(words)),
    [kind === 'ip' ? 'ttl' : 'hoplimit']: () => set('ttl', byte.read(words)),
    flags: () => set('flags', flags.read(words)),
  };
  const set = <K extends keyof TunnelLine>(name: K, value: TunnelLine[K] | undefined): void => {
    if (value !== undefined) found[name] = value;
  };
  for (let next = words.peek(); next !== undefined; next = words.peek()) {
    const read = Object.hasOwn(readers, next.text) ? readers[next.text] : undefined;
    if (read === undefined) break;
    words.take();
    read();
    if (words.failed) return undefined;
  }
  if (found.destination !== undefined || found.id !== undefined) return found;
  return words.fault(`encap ${kind} needs an address or an id`, words.last, 'write dst ADDR');
}
