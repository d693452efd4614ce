import ipaddr from 'ipaddr.js';

/**
 * An IPv4 or IPv6 address in its one canonical text form (RFC 5952 for IPv6), so that `===` compares
 * addresses, a Map can be keyed by them and events stay JSON. Made only by `parseIp` and `ipFromBytes`.
 * Reading and writing the text is ipaddr.js's work.
 */
export type Ip = string & { readonly kind: 'ip' };
/** The address family as people count: 4 or 6. */
export type Family = 4 | 6;
/** An address and a prefix length, host bits kept: `10.0.0.5/24`. */
export interface Prefix {
  readonly ip: Ip;
  readonly length: number;
}

export const IPV4_BYTES = 4;
export const IPV6_BYTES = 16;

/** What ipaddr.js would give back as it is, after taking it apart: tables of thousands of servers are made of these. */
const CANONICAL_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * The address that `text` spells in full (four dotted decimal parts, or RFC 4291 text without a zone), or
 * `undefined` when it spells none. Shorthand such as `10.1` or `0x7f.1` is not an address.
 */
export function parseIp(text: string): Ip | undefined {
  if (CANONICAL_IPV4.test(text)) return text as Ip;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString() as Ip;
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  // ipaddr.js takes `::1.2.3.4` for `::ffff:1.2.3.4`, which is another address.
  if (/^::[\d.]+$/.test(text) && text.includes('.')) return parseIp(`0:0${text}`);
  return ipaddr.IPv6.parse(text).toRFC5952String() as Ip;
}

/** `parseIp` for text known to be an address (tests, constants); throws RangeError otherwise. */
export function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new RangeError(`not an IP address: ${text}`);
  return parsed;
}

export const familyOf = (address: Ip): Family => (address.includes(':') ? 6 : 4);
/** Bits in an address of the family: 32 or 128. */
export const familyBits = (family: Family): number => (family === 4 ? 32 : 128);

/** The address in network byte order: 4 or 16 bytes. */
export function ipToBytes(address: Ip): Uint8Array {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number);
  return Uint8Array.from(ipaddr.parse(address).toByteArray());
}

/** From 4 or 16 bytes in network order; throws RangeError on any other length. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === IPV4_BYTES) return bytes.join('.') as Ip;
  if (bytes.length !== IPV6_BYTES) throw new RangeError(`an address of ${bytes.length} bytes`);
  return new ipaddr.IPv6(Array.from(bytes)).toRFC5952String() as Ip;
}

/** Negative, 0 or positive as `a` is numerically below, equal to or above `b`; IPv4 sorts before IPv6. */
export function compareIp(a: Ip, b: Ip): number {
  const x = ipToBytes(a);
  const y = ipToBytes(b);
  if (x.length !== y.length) return x.length - y.length;
  for (let i = 0; i < x.length; i++) {
    const difference = (x[i] as number) - (y[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Thousands are asked at once: most are answered by their first letters. */
export const isLinkLocal = (address: Ip): boolean =>
  (address.startsWith('fe') || address.startsWith('169.254.')) &&
  ipaddr.parse(address).range() === 'linkLocal';
/** 127.0.0.0/8 and ::1. */
export const isLoopback = (address: Ip): boolean => address === '::1' || address.startsWith('127.');
export const isMulticast = (address: Ip): boolean => ipaddr.parse(address).range() === 'multicast';

/** `ADDRESS[/LENGTH]`, the full length when none is given; `undefined` when it is not that. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = familyBits(familyOf(address));
  if (slash < 0) return { ip: address, length: bits };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > bits) return undefined;
  return { ip: address, length: Number(digits) };
}

/** The prefix without what is set behind its length: `10.1.0.5/16` is of `10.1.0.0/16`. */
export function networkOf({ ip: address, length }: Prefix): Prefix {
  const bytes = ipToBytes(address).map((byte, i) => {
    const kept = Math.max(0, Math.min(8, length - 8 * i));
    return byte & (0xff00 >> kept);
  });
  return { ip: ipFromBytes(bytes), length };
}

export const formatPrefix = (prefix: Prefix): string => `${prefix.ip}/${prefix.length}`;

/** An address and a port as people write them: `10.0.0.1:80` or `[2001:db8::1]:80`. */
export function endpointName(address: Ip, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What `endpointName` wrote; `undefined` for any other text. */
export function parseEndpoint(text: string): { readonly address: Ip; readonly port: number } | undefined {
  const [, bracketed, bare, digits = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = parseIp(bracketed ?? bare ?? '');
  const port = Number(digits);
  if (address === undefined || port > 65_535) return undefined;
  return endpointName(address, port) === text ? { address, port } : undefined;
}
