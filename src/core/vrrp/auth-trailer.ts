import { fromHex, Reader, Writer } from '../bytes.ts';
import { type Family, familyOf, IPV6_BYTES, type Ip, ipToBytes } from '../ip.ts';
import { toSeconds } from '../time.ts';
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
import { type Datagram, messageLength, withTrailer } from './packet.ts';
import type { HmacSettings } from './settings.ts';

/**
 * `auth_hmac`: a trailer behind the message with a sequence number that is a time, and an HMAC-SHA-256 of
 * both (draft-cassen-vrrp-auth-hmac, as keepalived 2.4.3 sends it).
 */

/** Type, key id, reserved, sequence, MAC. */
export const TRAILER_BYTES = 28;

const TYPE_SHA256 = 1;
const MAC_BYTES = 16;
const CHECKSUM_AT = 6;
/** Senders of one group that are remembered: several at once are there only while they contend. */
const MULTICAST_SENDERS = 4;

/** 32 bits of UTC seconds, 16 of their fraction, 16 that count within it. Compared as serial numbers. */
type Sequence = bigint;

/** RFC 1982: also across the year 2106. */
const isAfter = (a: Sequence, b: Sequence): boolean => BigInt.asIntN(64, a - b) > 0n;
const secondsOf = (sequence: Sequence): number => Number(sequence >> 32n);

/** `utc` in microseconds since 1970, the counter zero. */
function sequenceAt(utc: number): Sequence {
  const whole = Math.floor(utc / 1e6);
  const fraction = Math.floor(((utc - whole * 1e6) * 0x1_0000) / 1e6);
  return (BigInt(whole >>> 0) << 32n) | (BigInt(fraction) << 16n);
}

/** What one virtual router remembers of the signed adverts that it sends and hears. */
export class AuthTrailer {
  readonly #digest: Digest;
  #settings: HmacSettings;
  #keys: ReadonlyMap<number, Uint8Array> = new Map();
  #marksKept = MULTICAST_SENDERS;
  /** The highest sequence heard of each sender; the one heard longest ago comes first. */
  readonly #marks = new Map<Ip, Sequence>();
  #sent: Sequence = 0n;

  /**
   * `peers` is the number of unicast peers, each of which has a mark of its own; 0 for multicast, where the
   * last few senders have one.
   */
  constructor(settings: HmacSettings, peers: number, digest: Digest) {
    this.#digest = digest;
    this.#settings = settings;
    this.configure(settings, peers);
  }

  /** Other keys, mode or window: sequence and marks go on. */
  configure(settings: HmacSettings, peers: number): void {
    this.#settings = settings;
    this.#keys = new Map(settings.keys.map(({ id, secret }) => [id, fromHex(secret)]));
    this.#marksKept = Math.max(peers, MULTICAST_SENDERS);
  }

  memory() {
    return { marks: new Map(this.#marks), sent: this.#sent };
  }

  recall({ marks, sent }: ReturnType<AuthTrailer['memory']>): void {
    for (const [sender, mark] of marks) this.#marks.set(sender, mark);
    this.#sent = sent;
  }

  /** Whether our adverts have a trailer. */
  get signs(): boolean {
    return this.#settings.mode !== 'receive-only';
  }

  /** Begins an advert, of which `seal` makes the copies. */
  begin(utc: number): void {
    if (this.signs) this.#sent = this.#next(sequenceAt(utc));
  }

  /**
   * The clock, or one more than the last while the clock stands or was set back. Set back by more than the
   * window in mode `time`, receivers would take such numbers for the future: then the clock again.
   */
  #next(clock: Sequence): Sequence {
    if (isAfter(clock, this.#sent)) return clock;
    const { antiReplay, window } = this.#settings;
    const ahead = (secondsOf(this.#sent) - secondsOf(clock)) | 0;
    if (antiReplay === 'time' && ahead > toSeconds(window)) return clock;
    return BigInt.asUintN(64, this.#sent + 1n);
  }

  /** The message with its trailer: the same for all destinations, but for the checksum of IPv6. */
  seal(message: Uint8Array, { source, destination }: Addressing): Sealed {
    if (!this.signs) return { payload: message };
    const head = new Writer(TRAILER_BYTES).u8(TYPE_SHA256).u8(this.#settings.activeKey).u16be(0);
    head.u32be(secondsOf(this.#sent)).u32be(Number(this.#sent & 0xffff_ffffn));
    const key = this.#keys.get(this.#settings.activeKey) ?? new Uint8Array();
    const trailer = joined(head.finish(), this.#mac(key, message, head.finish(), source));
    return { payload: withTrailer(message, trailer, { source, destination }) };
  }

  /** Whether the trailer is genuine and new by our clock, which is `utc` (microseconds since 1970). */
  verify({ payload, source }: Datagram, utc: number): Verdict {
    const length = messageLengthOf(payload, familyOf(source));
    if (payload.length < length + TRAILER_BYTES) return this.#unsigned();
    const message = payload.subarray(0, length);
    const from = new Reader(payload, length);
    const type = from.u8();
    const id = from.u8();
    const reserved = from.u16be();
    const sequence = (BigInt(from.u32be()) << 32n) | BigInt(from.u32be());
    if (type !== TYPE_SHA256 || reserved !== 0) return refused('auth-malformed');
    // Before the digest, so that old captures cost little. It only refuses: nothing is proven yet.
    const skew = this.#skew(sequence, utc);
    if (skew > this.#settings.window) return refused('auth-stale');
    const key = this.#keys.get(id);
    if (key === undefined) return refused('auth-key');
    const head = payload.subarray(length, length + TRAILER_BYTES - MAC_BYTES);
    if (!equalSecretly(from.bytes(MAC_BYTES), this.#mac(key, message, head, source))) {
      return refused('auth-invalid');
    }
    if (!this.#advance(source, sequence, utc)) return refused('auth-replay');
    return skew > this.#settings.window / 2 ? { ok: true, notice: 'clock-skew' } : genuine;
  }

  #unsigned(): Verdict {
    return this.#settings.mode === 'enforce' ? refused('auth-missing') : genuine;
  }

  /** How far the sequence's whole seconds are from ours, in microseconds; 0 where time does not matter. */
  #skew(sequence: Sequence, utc: number): number {
    if (this.#settings.antiReplay !== 'time') return 0;
    return Math.abs((Math.floor(utc / 1e6) - secondsOf(sequence)) | 0) * 1e6;
  }

  /**
   * Raises the sender's mark, or returns false: it was heard before. A mark outside the window is of a clock
   * that has been set since: it proves nothing, and would keep its sender out. Only what is proven gets here,
   * so that forged sources cannot drive out a mark.
   */
  #advance(source: Ip, sequence: Sequence, utc: number): boolean {
    const mark = this.#marks.get(source);
    const holds = mark !== undefined && this.#skew(mark, utc) <= this.#settings.window;
    if (holds && !isAfter(sequence, mark)) return false;
    this.#marks.delete(source);
    this.#marks.set(source, sequence);
    for (const oldest of this.#marks.keys()) {
      if (this.#marks.size <= this.#marksKept) break;
      this.#marks.delete(oldest);
    }
    return true;
  }

  /**
   * Bound to family, version, id and sender, so that a trailer cannot be moved to another router's advert.
   * The checksum counts as zero, because the kernel writes it for IPv6.
   */
  #mac(key: Uint8Array, message: Uint8Array, head: Uint8Array, source: Ip): Uint8Array {
    const address = ipToBytes(source);
    const data = new Writer(128).u8(familyOf(source));
    data
      .u8((message[0] ?? 0) >> 4)
      .u8(message[1] ?? 0)
      .u8(0);
    data.bytes(address).zeros(IPV6_BYTES - address.length);
    data
      .bytes(message.subarray(0, CHECKSUM_AT))
      .u16be(0)
      .bytes(message.subarray(CHECKSUM_AT + 2));
    data.bytes(head).zeros(MAC_BYTES);
    return this.#digest.hmac('sha256', key, data.finish()).subarray(0, MAC_BYTES);
  }
}

/** By the payload's own version and count; it has at least a VRRP header. */
function messageLengthOf(payload: Uint8Array, family: Family): number {
  return messageLength((payload[0] ?? 0) >> 4 === 2 ? 2 : 3, family, payload[3] ?? 0);
}
