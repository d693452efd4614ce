import { Reader, Writer } from '../bytes.ts';
import { familyOf, ipFromBytes, ipToBytes, isMulticast } from '../ip.ts';
import {
  type Addressing,
  type Digest,
  equalSecretly,
  genuine,
  joined,
  refused,
  type Sealed,
  type Verdict,
} from './auth-digest.ts';
import { type Datagram, passwordBytes, VRRP_PROTOCOL, VRRP_TTL } from './packet.ts';

/**
 * `auth_type AH` as keepalived sends it: an IPsec authentication header (RFC 2402, RFC 2338 5.3.6) with
 * HMAC-MD5-96 between the IPv4 header and a version 2 message. The header says the sender's address twice,
 * and a sequence number that only grows, shared by all routers of one id.
 */

/** The IP protocol number of the authentication header. */
export const AH_PROTOCOL = 51;
/** Next header, length, reserved, SPI, sequence, ICV. */
export const AH_BYTES = 24;

const IPV4_HEADER_BYTES = 20;
/** Internetwork control, as all adverts are marked: DSCP CS6. */
const TRAFFIC_CLASS = 0xc0;
/** In 32-bit words, less 2 (RFC 2402, 2.2). */
const AH_LENGTH = AH_BYTES / 4 - 2;
const ICV_BYTES = 12;
/** A master that came so far resigns (with the number after it), and the next one begins again. */
const SPENT = 0xfffffffd;
const LAST = 0xffffffff;

/** Signs and verifies the adverts of one virtual router. */
export class AuthHeader {
  readonly #digest: Digest;
  #key: Uint8Array;
  /** The highest that was sent or accepted: whoever is master counts on from it. */
  #sequence = 0;

  /** The key is the password's first 8 bytes. */
  constructor(password: string, digest: Digest) {
    this.#digest = digest;
    this.#key = passwordBytes(password);
  }

  set password(password: string) {
    this.#key = passwordBytes(password);
  }

  memory(): number {
    return this.#sequence;
  }

  recall(sequence: number): void {
    this.#sequence = sequence;
  }

  /** No number is left but that of a resignation. At one advert a second this takes 136 years. */
  get spent(): boolean {
    return this.#sequence >= SPENT;
  }

  /** At the beginning of mastership: nobody else uses the numbers, so they may begin again. */
  lead(): void {
    if (this.spent) this.#sequence = 0;
  }

  /** Begins an advert, of which `seal` makes the copies. False when there is no number for it. */
  begin(): boolean {
    if (this.#sequence >= LAST) return false;
    this.#sequence += 1;
    return true;
  }

  /** The message for one destination: all copies of an advert carry the same sequence number. */
  seal(payload: Uint8Array, { source, destination, ttl = VRRP_TTL }: Addressing): Sealed {
    const out = new Writer(IPV4_HEADER_BYTES + AH_BYTES);
    // The ICV covers the identification, so it cannot be left to the kernel, which fills in a zero.
    const id = ((this.#sequence - 1) % 0xffff) + 1;
    out.u8(0x45).u8(TRAFFIC_CLASS);
    out.u16be(IPV4_HEADER_BYTES + AH_BYTES + payload.length);
    out.u16be(id).u16be(0).u8(ttl).u8(AH_PROTOCOL).u16be(0);
    out.bytes(ipToBytes(source)).bytes(ipToBytes(destination));
    out.u8(VRRP_PROTOCOL).u8(AH_LENGTH).u16be(0);
    out.bytes(ipToBytes(source)).u32be(this.#sequence).zeros(ICV_BYTES);
    const header = out.finish();
    header.set(this.#icv(header, payload, isMulticast(destination)), header.length - ICV_BYTES);
    return { payload, header };
  }

  /**
   * Whether the header was signed with our key, names its sender and is newer than all before it; then its
   * number is the highest. A datagram without one is `auth-mismatch`.
   */
  verify({ payload, header, source, destination }: Datagram): Verdict {
    if (header === undefined || familyOf(source) !== 4) return refused('auth-mismatch');
    if (header.length < IPV4_HEADER_BYTES + AH_BYTES) return refused('auth-malformed');
    const from = new Reader(header, header.length - AH_BYTES);
    const next = from.u8();
    const length = from.u8();
    from.skip(2);
    const spi = ipFromBytes(from.bytes(4));
    const sequence = from.u32be();
    if (next !== VRRP_PROTOCOL || length !== AH_LENGTH) return refused('auth-malformed');
    const icv = this.#icv(header, payload, isMulticast(destination));
    if (!equalSecretly(from.bytes(ICV_BYTES), icv)) return refused('auth-invalid');
    if (spi !== source) return refused('auth-malformed');
    if (sequence <= this.#sequence) return refused('auth-replay');
    this.#sequence = sequence;
    return genuine;
  }

  /**
   * Over what no router on the way may change: service, flags and checksum count as zero (RFC 2402, 3.3.3.1).
   * So does the TTL for unicast, but not for multicast, where it is 255 or the advert is dropped.
   */
  #icv(header: Uint8Array, payload: Uint8Array, multicast: boolean): Uint8Array {
    const data = joined(header, payload);
    for (const at of [1, 6, 7, 10, 11]) data[at] = 0;
    if (!multicast) data[8] = 0;
    data.fill(0, header.length - ICV_BYTES, header.length);
    return this.#digest.hmac('md5', this.#key, data).subarray(0, ICV_BYTES);
  }
}
