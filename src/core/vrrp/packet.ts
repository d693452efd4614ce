import { equalBytes, Reader, Writer } from '../bytes.ts';
import { internetChecksum } from '../checksum.ts';
import {
  compareIp,
  type Family,
  familyOf,
  IPV4_BYTES,
  IPV6_BYTES,
  type Ip,
  ip,
  ipFromBytes,
  ipToBytes,
  isMulticast,
} from '../ip.ts';
import { centiseconds, type Duration, seconds, toCentiseconds, toSeconds } from '../time.ts';
import type { UnicastPeer } from './settings.ts';

/**
 * The VRRP message on the wire: version 2 (RFC 3768) and version 3 (RFC 9568). Encoding gives the payload of
 * an IP datagram; decoding takes such a payload with what the IP header said about it.
 */

/** The IP protocol number, and the next header in both pseudo headers. */
export const VRRP_PROTOCOL = 112;
/** Adverts leave with this TTL or hop limit, and one that arrives with less came through a router. */
export const VRRP_TTL = 255;
/** The priority of a master that resigns, and of the router that owns the addresses (RFC 9568, 5.2.4). */
export const RESIGNING = 0;
export const OWNER = 255;
/** Where adverts go: RFC 9568, 5.1.1.2 and 5.1.2.2. */
export const VRRP_GROUP: Readonly<Record<Family, Ip>> = { 4: ip('224.0.0.18'), 6: ip('ff02::12') };
/** The most addresses that the count field can say. */
export const MAX_ADVERTISED = 255;

const HEADER_BYTES = 8;
const CHECKSUM_AT = 6;
const TYPE_ADVERTISEMENT = 1;
/** Version 2 always ends with these, also without authentication. */
const AUTH_DATA_BYTES = 8;
const AUTH_NONE = 0;
const AUTH_PASS = 1;
const AUTH_AH = 2;
/** The low twelve bits of the version 3 interval word; the rest is reserved and ignored. */
const INTERVAL_MASK = 0x0fff;

/** What an advertisement says. */
export interface Advert {
  readonly version: 2 | 3;
  readonly vrid: number;
  /** 0 resigns, 255 is the address owner. */
  readonly priority: number;
  /** Between the sender's adverts: whole seconds in version 2, whole centiseconds in version 3. */
  readonly interval: Duration;
  /** In the sender's order, all of the message's family. */
  readonly addresses: readonly Ip[];
}

/**
 * Why the sender of an advert is to be master rather than we are (RFC 9568, 6.4.3): its priority, or at the same
 * priority its address, is higher. `undefined` when it is not.
 */
export function whyBetter(
  { priority }: Advert,
  source: Ip,
  own: { readonly priority: number; readonly address: Ip | undefined },
): string | undefined {
  if (priority > own.priority) return `higher priority ${priority} from ${source}`;
  if (priority < own.priority || own.address === undefined) return undefined;
  if (compareIp(source, own.address) <= 0) return undefined;
  return `equal priority ${priority} and higher address from ${source}`;
}

/** A received payload and what its IP header said. */
export interface Datagram {
  readonly payload: Uint8Array;
  readonly source: Ip;
  readonly destination: Ip;
  /** TTL or hop limit on arrival. */
  readonly ttl: number;
  /** The IPv4 header and the authentication header, where one (protocol 51) stood before the payload. */
  readonly header?: Uint8Array | undefined;
}

/** What a receiver of one virtual router demands of an advert. */
export interface Expectation {
  readonly version: 2 | 3;
  readonly family: Family;
  readonly vrid: number;
  /** Ours: in version 2 another one is refused, in version 3 it is noticed. */
  readonly interval: Duration;
  readonly addresses: readonly Ip[];
  /** `addressBlock(addresses)`: adverts of a router configured alike are recognised without reading them. */
  readonly block: Uint8Array;
  /** The group that adverts must have been sent to; absent with unicast: then to none. */
  readonly destination?: Ip | undefined;
  /** With unicast: the known senders, and with which TTL theirs arrive. */
  readonly peers?: readonly UnicastPeer[];
  /** `check_unicast_src`: nobody else may. */
  readonly onlyPeers?: boolean;
  /** PASS authentication of version 2: `passwordBytes` of the password. */
  readonly password?: Uint8Array | undefined;
  /** AH authentication of version 2: each advert has `Datagram.header`. Verified elsewhere. */
  readonly ah?: boolean | undefined;
  /** Bytes that may follow the message; verified elsewhere. */
  readonly trailer?: number | undefined;
}

/**
 * Why an advert is dropped, in the order of the checks (keepalived's order):
 * - `short`: less than a header;
 * - `vrid`: another virtual router's;
 * - `version`: neither 2 nor 3, or not the one that is configured;
 * - `length`: not what the version and the count say;
 * - `ttl`: it came through a router, so not from this link (RFC 9568, 7.1); outside of a peer's bounds;
 * - `destination`: sent to another group or to one host; to a group, where unicast is configured;
 * - `peer`: from none of the peers (`check_unicast_src`);
 * - `auth-unknown`, `auth-mismatch`, `auth-failure`: type never defined, type not configured, wrong password;
 * - `auth-missing`, `auth-malformed`, `auth-key`, `auth-invalid`, `auth-stale`, `auth-replay`: no trailer, one
 *   of no known form, signed with a key that we do not have, wrongly signed, too far from our clock, or heard
 *   before; for AH the last three without `auth-stale` (found by `AuthHeader` and `AuthTrailer`);
 * - `interval`: version 2: not ours; version 3: zero;
 * - `type`: not an advertisement;
 * - `count`: no address although we expect some;
 * - `checksum`;
 * - `own-address`: the source is our own address (found by the instance: a loop, or a duplicated address).
 */
export const REJECT_REASONS = [
  'short',
  'vrid',
  'version',
  'length',
  'ttl',
  'destination',
  'peer',
  'auth-unknown',
  'auth-mismatch',
  'auth-failure',
  'auth-missing',
  'auth-malformed',
  'auth-key',
  'auth-invalid',
  'auth-stale',
  'auth-replay',
  'interval',
  'type',
  'count',
  'checksum',
  'own-address',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

/**
 * What is odd about an advert that is accepted all the same, because RFC 9568 (7.1) and keepalived 2.4 say log
 * and go on: another number of addresses, other addresses, another version 3 interval, and (found by the
 * instance) a second router that claims to own the addresses, or (found by `AuthTrailer`) a clock that is more
 * than half the window from ours.
 */
export const NOTICES = ['count', 'addresses', 'interval', 'second-owner', 'clock-skew'] as const;
export type Notice = (typeof NOTICES)[number];

/** Whether a notice says that the addresses are not ours. */
export const isOfAddresses = (notice: Notice): boolean => notice === 'count' || notice === 'addresses';

export type Decoded =
  | { readonly ok: true; readonly advert: Advert; readonly notices: readonly Notice[] }
  | { readonly ok: false; readonly reason: RejectReason };

/** `auth_pass` as it stands on the wire: the first 8 bytes of its UTF-8, padded with zeros. */
export function passwordBytes(password: string): Uint8Array {
  const bytes = new Uint8Array(AUTH_DATA_BYTES);
  bytes.set(new TextEncoder().encode(password).subarray(0, AUTH_DATA_BYTES));
  return bytes;
}

/** The virtual router that a payload is for, `undefined` when it is too short to say: to find the instance. */
export const vridOf = (payload: Uint8Array): number | undefined => payload[1];

/** Addresses as an advert carries them. */
export function addressBlock(addresses: readonly Ip[]): Uint8Array {
  const out = new Writer(addresses.length * IPV6_BYTES);
  for (const address of addresses) out.bytes(ipToBytes(address));
  return out.finish();
}

/** How the sender fills what an advert does not say. */
export interface Sending {
  /** The addresses of the IP header: they are part of the version 3 checksum. */
  readonly source: Ip;
  readonly destination: Ip;
  /** Version 2 PASS: `passwordBytes`; authentication type 0 when absent. */
  readonly password?: Uint8Array | undefined;
  /** Version 2 AH: says so in the authentication type. */
  readonly ah?: boolean | undefined;
  /** Version 3 over IPv4 without the pseudo header (RFC 9568; keepalived's `v3_checksum_as_v2`). */
  readonly plainChecksum?: boolean | undefined;
}

/**
 * The payload of an IP datagram. The checksum is always filled in; for IPv6 the kernel's IPV6_CHECKSUM may
 * compute it again. Throws RangeError when the advert does not fit the wire.
 */
export function encodeAdvert(advert: Advert, sending: Sending): Uint8Array {
  const { version, vrid, priority, addresses } = advert;
  for (const [name, value] of Object.entries({ vrid, priority, count: addresses.length })) {
    if (!Number.isInteger(value) || value < 0 || value > 255) throw new RangeError(`VRRP ${name}: ${value}`);
  }
  const out = new Writer(HEADER_BYTES + addresses.length * IPV6_BYTES + AUTH_DATA_BYTES);
  out.u8((version << 4) | TYPE_ADVERTISEMENT);
  out.u8(vrid).u8(priority).u8(addresses.length);
  if (version === 2) {
    out.u8(authType(sending));
    out.u8(wireInterval(toSeconds(advert.interval), 255));
  } else {
    out.u16be(wireInterval(toCentiseconds(advert.interval), INTERVAL_MASK));
  }
  out.u16be(0);
  out.bytes(addressBlock(addresses));
  if (version === 2) out.bytes(sending.password ?? new Uint8Array(AUTH_DATA_BYTES));
  const payload = out.finish();
  const pseudo = version === 3 && !(sending.plainChecksum && familyOf(sending.source) === 4);
  const sum = pseudo
    ? pseudoChecksum(payload, sending.source, sending.destination)
    : internetChecksum(payload);
  new DataView(payload.buffer, payload.byteOffset).setUint16(CHECKSUM_AT, sum);
  return payload;
}

const authType = ({ password, ah }: Pick<Expectation, 'password' | 'ah'>): number =>
  ah ? AUTH_AH : password === undefined ? AUTH_NONE : AUTH_PASS;

/**
 * A message with a trailer behind it. The message's own checksum knows nothing of it, but that of IPv6 is the
 * kernel's, over the whole of the datagram: there it is made again.
 */
export function withTrailer(message: Uint8Array, trailer: Uint8Array, sending: Sending): Uint8Array {
  const payload = new Uint8Array(message.length + trailer.length);
  payload.set(message);
  payload.set(trailer, message.length);
  if (familyOf(sending.source) === 6) {
    const view = new DataView(payload.buffer);
    view.setUint16(CHECKSUM_AT, 0);
    view.setUint16(CHECKSUM_AT, pseudoChecksum(payload, sending.source, sending.destination));
  }
  return payload;
}

function wireInterval(value: number, most: number): number {
  const rounded = Math.round(value);
  if (!(rounded >= 1 && rounded <= most)) {
    throw new RangeError(`VRRP interval ${value} does not fit 1..${most} on the wire`);
  }
  return rounded;
}

/**
 * The checksum over pseudo header and message (RFC 9568, 5.2.8; for IPv4 RFC 5798 as keepalived reads it):
 * the value to store when the field is zero, 0 when the field holds the right one.
 */
export function pseudoChecksum(payload: Uint8Array, source: Ip, destination: Ip): number {
  const header = new Writer(40).bytes(ipToBytes(source)).bytes(ipToBytes(destination));
  if (familyOf(source) === 4) header.u8(0).u8(VRRP_PROTOCOL).u16be(payload.length);
  else header.u32be(payload.length).zeros(3).u8(VRRP_PROTOCOL);
  return internetChecksum(header.finish(), payload);
}

/** Version 3 over IPv4 is right in either form: routers disagree, and a wrong form is no sign of damage. */
function checksumIsRight(
  { payload, source, destination }: Datagram,
  version: 2 | 3,
  family: Family,
  length: number,
): boolean {
  const message = family === 4 ? payload.subarray(0, length) : payload;
  const plainAllowed = version === 2 || family === 4;
  if (plainAllowed && internetChecksum(message) === 0) return true;
  return version === 3 && pseudoChecksum(message, source, destination) === 0;
}

/** Bytes of a message of this version with `count` addresses: a trailer begins there. */
export function messageLength(version: 2 | 3, family: Family, count: number): number {
  if (version === 2) return HEADER_BYTES + count * IPV4_BYTES + AUTH_DATA_BYTES;
  return HEADER_BYTES + count * (family === 4 ? IPV4_BYTES : IPV6_BYTES);
}

/**
 * The advert in a datagram, or the first reason to drop it. Total: any bytes give an answer. The checks and
 * their order are keepalived's (and RFC 9568, 7.1), except that a wrong count or list of addresses is noticed
 * and not refused, and that a version 3 interval of zero is refused.
 */
export function decodeAdvert(datagram: Datagram, expected: Expectation): Decoded {
  const { payload } = datagram;
  if (payload.length < HEADER_BYTES) return rejected('short');
  const reader = new Reader(payload);
  const versionAndType = reader.u8();
  const vrid = reader.u8();
  const priority = reader.u8();
  const count = reader.u8();
  const word = reader.u16be();
  const version = versionAndType >> 4;
  if (vrid !== expected.vrid) return rejected('vrid');
  if ((datagram.header !== undefined) !== (expected.ah ?? false)) return rejected('auth-mismatch');
  if (version !== 2 && version !== 3) return rejected('version');
  const length = messageLength(version, expected.family, count);
  if (payload.length !== length && payload.length - length !== expected.trailer) return rejected('length');
  const stray = refuseHeader(datagram, expected);
  if (stray !== undefined) return rejected(stray);
  if (version !== expected.version) return rejected('version');
  const refusal = version === 2 ? refuseV2(word, payload, expected) : refuseV3(word);
  if (refusal !== undefined) return rejected(refusal);
  if ((versionAndType & 0x0f) !== TYPE_ADVERTISEMENT) return rejected('type');
  if (count === 0 && expected.addresses.length > 0) return rejected('count');
  if (!checksumIsRight(datagram, version, expected.family, length)) return rejected('checksum');
  reader.skip(2);
  const addresses = readAddresses(reader, count, expected);
  const interval = version === 2 ? seconds(word & 0xff) : centiseconds(word & INTERVAL_MASK);
  const advert: Advert = { version, vrid, priority, interval, addresses };
  return { ok: true, advert, notices: noticesOf(advert, expected) };
}

/** Ours, the same array, when they are the same in the same order: 255 IPv6 addresses take a millisecond. */
function readAddresses(reader: Reader, count: number, expected: Expectation): readonly Ip[] {
  const size = expected.family === 4 ? IPV4_BYTES : IPV6_BYTES;
  const block = reader.bytes(count * size);
  if (equalBytes(block, expected.block)) return expected.addresses;
  return Array.from({ length: count }, (_, i) => ipFromBytes(block.subarray(i * size, (i + 1) * size)));
}

const rejected = (reason: RejectReason): Decoded => ({ ok: false, reason });

/** By the IP header alone. */
function refuseHeader(datagram: Datagram, expected: Expectation): RejectReason | undefined {
  const { source, destination, ttl } = datagram;
  if (expected.destination !== undefined) {
    if (ttl !== VRRP_TTL) return 'ttl';
    if (destination !== expected.destination) return 'destination';
    return familyOf(source) === expected.family ? undefined : 'destination';
  }
  if (isMulticast(destination) || familyOf(source) !== expected.family) return 'destination';
  const peer = expected.peers?.find(({ address }) => address === source);
  if (peer === undefined) return expected.onlyPeers ? 'peer' : undefined;
  return ttl < (peer.minTtl ?? 0) || ttl > (peer.maxTtl ?? VRRP_TTL) ? 'ttl' : undefined;
}

/** `word` is the authentication type and the interval in seconds. */
function refuseV2(word: number, payload: Uint8Array, expected: Expectation): RejectReason | undefined {
  const type = word >> 8;
  if (type > AUTH_AH) return 'auth-unknown';
  if (type !== authType(expected)) return 'auth-mismatch';
  if (expected.password !== undefined) {
    const data = payload.subarray(payload.length - AUTH_DATA_BYTES);
    if (expected.password.some((byte, i) => byte !== data[i])) return 'auth-failure';
  }
  return seconds(word & 0xff) === expected.interval ? undefined : 'interval';
}

/** RFC 9568, 5.2.7: an interval of zero is invalid; keepalived 2.2 adopts it and takes over at once. */
const refuseV3 = (word: number): RejectReason | undefined =>
  (word & INTERVAL_MASK) === 0 ? 'interval' : undefined;

function noticesOf(advert: Advert, expected: Expectation): Notice[] {
  const notices: Notice[] = [];
  if (advert.addresses.length !== expected.addresses.length) notices.push('count');
  else if (!sameSet(advert.addresses, expected.addresses)) notices.push('addresses');
  if (advert.version === 3 && advert.interval !== expected.interval) notices.push('interval');
  return notices;
}

function sameSet(some: readonly Ip[], others: readonly Ip[]): boolean {
  if (some === others) return true;
  const known = new Set(others);
  return some.every((address) => known.has(address));
}
