import type { Family, Ip } from '../ip.ts';
import { ipFromBytes, isMulticast, parseIp } from '../ip.ts';
import { IP_PROTOCOL } from '../netlink/ipvs.ts';
import { Refusal, UnknownHost } from './refusal.ts';

/** Readers of single values, as lenient and as strict as the C library that ipvsadm calls. */

/** Names that a command line may use; the shell answers from the resolver and `/etc/services`. */
export interface NameSource {
  /** The IPv4 address of a host, `null` when it has none, `undefined` when nobody asked yet. */
  host(name: string): Ip | null | undefined;
  /** The port of a service, for `tcp`, `udp` or `sctp`. */
  port(name: string, protocol: string): number | undefined;
}

export interface Endpoint {
  readonly family: Family;
  readonly address: Ip;
  /** `undefined` when none was written. */
  readonly port: number | undefined;
}

export const MAX_INT = 2 ** 31 - 1;
const MAX_U32 = 2 ** 32 - 1;

/** `tcp`, `udp`, `sctp`, or `undefined` for a number that has no services. */
export function protocolName(protocol: number): string | undefined {
  return Object.entries(IP_PROTOCOL).find(([, number]) => number === protocol)?.[0];
}

/** A decimal number as strtol(3) takes it (blanks before, a sign), or `undefined` outside min..max. */
export function parseNumber(text: string, min: number, max: number): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?[0-9]+$/.test(text)) return undefined;
  const number = Number(text);
  return number >= min && number <= max ? number + 0 : undefined;
}

/** `parseNumber`, or the refusal `complaint`. */
export function numberOr(complaint: string, text: string, min: number, max: number): number {
  const number = parseNumber(text, min, max);
  if (number === undefined) throw new Refusal(complaint);
  return number;
}

export const MAX_TIMEOUT = 31 * 24 * 3600;

export function parseTimeout(text: string, min: number): number {
  return numberOr(`invalid timeout value \`${text}' specified`, text, min, MAX_TIMEOUT);
}

export function parseMark(text: string): number {
  return numberOr(`invalid fwmark value \`${text}' specified`, text, 1, MAX_U32);
}

/** The number that text begins with, cut to 32 bits, as atoi(3) reads it; 0 for none. */
export function leadingInteger(text: string): number {
  const digits = /^[ \t\n\v\f\r]*([+-]?[0-9]{1,18})/.exec(text)?.[1];
  return digits === undefined ? 0 : Number(BigInt.asIntN(32, BigInt(digits.replace('+', ''))));
}

function parsePart(text: string): number | undefined {
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text, 16);
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : undefined;
}

/**
 * An IPv4 address as inet_aton(3) takes it: one to four parts, each decimal, octal or hexadecimal, the last one
 * filling the bytes that are left; anything after a blank is ignored.
 */
export function parseIpv4(text: string): number | undefined {
  const parts = text.replace(/[ \t\n\v\f\r].*$/s, '').split('.');
  if (parts.length > 4) return undefined;
  let address = 0;
  for (const [index, part] of parts.entries()) {
    const number = parsePart(part);
    const isLast = index === parts.length - 1;
    const limit = isLast ? 256 ** (4 - index) - 1 : 255;
    if (number === undefined || number > limit) return undefined;
    address += isLast ? number : number * 256 ** (3 - index);
  }
  return address;
}

export const ipv4Text = (address: number): Ip =>
  ipFromBytes(Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address));

/** The number of a dotted IPv4 address. */
export const ipv4Number = (address: Ip): number => parseIpv4(address) ?? 0;

/** An IPv4 address in any spelling, or a host's; `undefined` when there is none. Throws `UnknownHost`. */
function resolveIpv4(text: string, names: NameSource): number | undefined {
  const address = parseIpv4(text);
  if (address !== undefined) return address;
  if (text === '' || /[\s:]/.test(text)) return undefined;
  const found = names.host(text);
  if (found === undefined) throw new UnknownHost(text);
  return found === null ? undefined : ipv4Number(found);
}

/**
 * `host[:port]`, `[IPv6]:port` or a bare IPv6 address; `undefined` for anything else. What stands in brackets and
 * is no IPv6 address is read again as a host, without the port that followed.
 */
export function parseEndpoint(text: string, protocol: number, names: NameSource): Endpoint | undefined {
  if (/^[0-9]*$/.test(text)) return undefined;
  let host = text;
  let port: string | undefined;
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    if (close < 0 || text.charAt(close + 1) !== ':') return undefined;
    host = text.slice(1, close);
    port = text.slice(close + 2);
  }
  let family: Family = 6;
  // Every IPv6 address has two colons; what has one is a host with its port.
  let address = host.indexOf(':') !== host.lastIndexOf(':') ? parseIp(host) : undefined;
  if (address === undefined) {
    const colon = host.lastIndexOf(':');
    port = colon < 0 ? undefined : host.slice(colon + 1);
    const number = resolveIpv4(colon < 0 ? host : host.slice(0, colon), names);
    if (number === undefined) return undefined;
    address = ipv4Text(number);
    family = 4;
  }
  if (port === undefined) return { family, address, port: undefined };
  const number = parsePort(port, protocol, names);
  return number === undefined ? undefined : { family, address, port: number };
}

function parsePort(text: string, protocol: number, names: NameSource): number | undefined {
  const number = parseNumber(text, 0, 65535);
  if (number !== undefined) return number;
  const name = protocolName(protocol);
  return name === undefined ? undefined : names.port(text, name);
}

/** The granularity of persistence: an IPv4 mask in any spelling, or an IPv6 prefix length. */
export function parseNetmask(text: string, family: Family, names: NameSource): number {
  if (family === 6) {
    const length = leadingInteger(text);
    if (length < 1 || length > 128) throw new Refusal('illegal ipv6 netmask specified');
    return length;
  }
  const mask = resolveIpv4(text, names);
  if (mask === undefined) throw new Refusal('illegal virtual server persistent mask specified');
  return mask;
}

export function parseMulticastGroup(text: string): Ip {
  const address = parseIp(text);
  if (address !== undefined && isMulticast(address)) return address;
  throw new Refusal(`invalid IPv${text.includes(':') ? 6 : 4} mcast-group \`${text}'`);
}
