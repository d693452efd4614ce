import { familyOf, type Ip, ipFromBytes, ipToBytes, parseIp, parsePrefix } from '../../ip.ts';
import type { ServicePoint } from '../../serving/settings.ts';
import * as arg from '../arguments.ts';
import { type Argument, namedLines, type Words } from '../schema.ts';

const U32 = 4_294_967_295;
/** keepalived's ranges vary the last octet, or the last 16 bits. */
const RANGE_LIMIT = 65_536;

/** What a `virtual_server` header names. */
export type ServiceHeader = ServicePoint | { readonly kind: 'group'; readonly name: string };

export const servicePort = arg.optional(arg.integer('PORT', 0, 65_535));

/** `N [inet|inet6]`, after the word fwmark. */
function readMark(words: Words): ServicePoint | undefined {
  const mark = arg.integer('N', 1, U32).read(words);
  const family = mark === undefined ? undefined : arg.optional(arg.choice('inet', 'inet6')).read(words);
  if (mark === undefined || words.failed) return undefined;
  return { kind: 'fwmark', mark, ...(family === undefined ? {} : { family: family === 'inet' ? 4 : 6 }) };
}

/** `ADDR [PORT]`, `fwmark N [inet|inet6]` or `group NAME`. */
export const serviceHeader: Argument<ServiceHeader> = {
  syntax: 'ADDR [PORT] | fwmark N [inet|inet6] | group NAME',
  expects: 'an address and port, fwmark N, or group NAME',
  read(words) {
    const first = words.take();
    if (first?.text === 'fwmark') return readMark(words);
    if (first?.text === 'group') {
      const name = arg.text('NAME').read(words);
      return name === undefined ? undefined : { kind: 'group', name };
    }
    const address = first && parseIp(first.text);
    if (address === undefined)
      return words.fault(`expected ${this.expects}, found '${first?.text ?? ''}'`, first);
    const port = servicePort.read(words) ?? 0;
    return words.failed ? undefined : { kind: 'address', address, port };
  },
};

/** A header that names a block elsewhere, as `headerName` writes it. */
export const serviceName: Argument<string> = {
  ...serviceHeader,
  read(words) {
    const header = serviceHeader.read(words);
    return header && headerText(header);
  },
};

/** A header in words, without the family of a mark. */
export function headerText(header: ServiceHeader): string {
  if (header.kind === 'group') return `group ${header.name}`;
  return header.kind === 'fwmark' ? `fwmark ${header.mark}` : `${header.address} ${header.port}`;
}

/** `ADDR`, `ADDR-LAST` or `ADDR/LEN` as all the addresses that it stands for, at most 65,536. */
function addressesOf(text: string): Ip[] | undefined {
  const single = parseIp(text);
  if (single !== undefined) return [single];
  const range = /^(.+)-([0-9a-f]{1,4})$/i.exec(text);
  const first = range && parseIp(range[1] ?? '');
  if (range && first) {
    const radix = familyOf(first) === 4 ? 10 : 16;
    const from = numberAtEnd(first);
    const last = Number.parseInt(range[2] ?? '', radix);
    const most = familyOf(first) === 4 ? 255 : 0xffff;
    return last >= from && last <= most ? counted(first, last - from + 1) : undefined;
  }
  const prefix = text.includes('/') ? parsePrefix(text) : undefined;
  if (prefix === undefined) return undefined;
  const bits = (familyOf(prefix.ip) === 4 ? 32 : 128) - prefix.length;
  return bits <= 16 ? counted(lowest(prefix.ip, bits), 2 ** bits) : undefined;
}

/** The last octet of an IPv4 address, the last 16 bits of an IPv6 one. */
function numberAtEnd(address: Ip): number {
  const bytes = ipToBytes(address);
  const last = bytes.at(-1) ?? 0;
  return bytes.length === 4 ? last : (bytes.at(-2) ?? 0) * 256 + last;
}

/** `address` with its last `bits` (at most 16) cleared. */
function lowest(address: Ip, bits: number): Ip {
  const bytes = ipToBytes(address);
  const end = ((bytes.at(-2) ?? 0) * 256 + (bytes.at(-1) ?? 0)) & ~(2 ** bits - 1);
  bytes[bytes.length - 2] = end >> 8;
  bytes[bytes.length - 1] = end & 255;
  return ipFromBytes(bytes);
}

/** `count` addresses from `first` on, which differ in their last 16 bits. */
function counted(first: Ip, count: number): Ip[] {
  const bytes = ipToBytes(first);
  const start = (bytes.at(-2) ?? 0) * 256 + (bytes.at(-1) ?? 0);
  return Array.from({ length: Math.min(count, RANGE_LIMIT) }, (_, i) => {
    bytes[bytes.length - 2] = (start + i) >> 8;
    bytes[bytes.length - 1] = (start + i) & 255;
    return ipFromBytes(bytes);
  });
}

/** One line of `virtual_server_group`, with its ranges written out. */
const groupLine: Argument<readonly ServicePoint[]> = {
  syntax: 'ADDR[-LAST|/LEN] [PORT] | fwmark N [inet|inet6]',
  expects: 'an address, a range such as 192.0.2.1-9 or 192.0.2.0/28, or fwmark N',
  read(words) {
    const first = words.take();
    if (first?.text === 'fwmark') {
      const mark = readMark(words);
      return mark && [mark];
    }
    const addresses = first && addressesOf(first.text);
    if (addresses === undefined)
      return words.fault(`expected ${this.expects}, found '${first?.text ?? ''}'`, first);
    const port = servicePort.read(words) ?? 0;
    return words.failed ? undefined : addresses.map((address) => ({ kind: 'address', address, port }));
  },
};

/** `virtual_server_group` (keepalived: check/check_parser.c). */
export const virtualServerGroupBlock = namedLines(
  'addresses and marks that share the real servers of a virtual_server',
  [arg.text('NAME')],
  groupLine,
  { repeat: true },
);
