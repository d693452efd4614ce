import { Reader, Writer } from '../bytes.ts';
import { type Duration, micros } from '../time.ts';

/** The BFD control packet (RFC 5880, 4.1), without authentication and echo, which keepalived has not either. */

/** UDP destination ports: RFC 5881, 4 and RFC 5883, 5. */
export const BFD_PORT = 3784;
export const BFD_MULTIHOP_PORT = 4784;

/** In the order of their numbers on the wire. */
export const BFD_STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const;
export type BfdState = (typeof BFD_STATES)[number];

/** Why a session left state Up (RFC 5880, 4.1), in the order of their numbers on the wire. */
export const DIAGNOSTICS = [
  'no diagnostic',
  'control detection time expired',
  'echo function failed',
  'neighbour signalled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
] as const;
export type Diagnostic = (typeof DIAGNOSTICS)[number];

const VERSION = 1;
const BYTES = 24;
/** With the shortest authentication section. */
const AUTHENTICATED_BYTES = 26;
const FLAG = { POLL: 0x20, FINAL: 0x10, INDEPENDENT: 0x08, AUTH: 0x04, DEMAND: 0x02, MULTIPOINT: 0x01 };

/** What a control packet says. Intervals are whole microseconds, below 2^32. */
export interface ControlPacket {
  readonly state: BfdState;
  /** Numbers without a meaning are `no diagnostic`. */
  readonly diagnostic: Diagnostic;
  readonly poll: boolean;
  readonly final: boolean;
  readonly demand: boolean;
  /** 1..255. */
  readonly multiplier: number;
  /** The sender's number for the session, not 0; and the one that it knows of ours, 0 while it knows none. */
  readonly mine: number;
  readonly yours: number;
  /** Desired Min TX Interval, Required Min RX Interval. */
  readonly minTx: Duration;
  readonly minRx: Duration;
}

/**
 * Why a packet is discarded: RFC 5880, 6.8.6 in its order, and what the session adds: its state, and a TTL
 * that says the packet comes from further away than the neighbour is.
 */
export const DISCARD_REASONS = [
  'short',
  'version',
  'length',
  'multiplier',
  'multipoint',
  'discriminator',
  'no-session',
  'authentication',
  'ttl',
  'admin-down',
] as const;
export type DiscardReason = (typeof DISCARD_REASONS)[number];

export type DecodedControl =
  | { readonly ok: true; readonly packet: ControlPacket }
  | { readonly ok: false; readonly reason: DiscardReason };

/** The payload of a UDP datagram. */
export function encodeControl(packet: ControlPacket): Uint8Array {
  const out = new Writer(BYTES);
  out.u8((VERSION << 5) | DIAGNOSTICS.indexOf(packet.diagnostic));
  out.u8(
    (BFD_STATES.indexOf(packet.state) << 6) |
      (packet.poll ? FLAG.POLL : 0) |
      (packet.final ? FLAG.FINAL : 0) |
      (packet.demand ? FLAG.DEMAND : 0),
  );
  out.u8(packet.multiplier).u8(BYTES);
  out.u32be(packet.mine).u32be(packet.yours);
  // No echo: Required Min Echo RX Interval is zero.
  return out.u32be(packet.minTx).u32be(packet.minRx).u32be(0).finish();
}

/** The packet in a UDP payload, or the first reason to discard it that needs no session. Any bytes do. */
export function decodeControl(payload: Uint8Array): DecodedControl {
  if (payload.length < BYTES) return discarded('short');
  const from = new Reader(payload);
  const versionAndDiagnostic = from.u8();
  const flags = from.u8();
  const multiplier = from.u8();
  const length = from.u8();
  const mine = from.u32be();
  const yours = from.u32be();
  const state = BFD_STATES[flags >> 6] ?? 'AdminDown';
  const authenticated = (flags & FLAG.AUTH) !== 0;
  if (versionAndDiagnostic >> 5 !== VERSION) return discarded('version');
  if (length < (authenticated ? AUTHENTICATED_BYTES : BYTES)) return discarded('length');
  if (length > payload.length) return discarded('length');
  if (multiplier === 0) return discarded('multiplier');
  if ((flags & FLAG.MULTIPOINT) !== 0) return discarded('multipoint');
  if (mine === 0) return discarded('discriminator');
  if (yours === 0 && state !== 'Down' && state !== 'AdminDown') return discarded('discriminator');
  if (authenticated) return discarded('authentication');
  const packet: ControlPacket = {
    state,
    diagnostic: DIAGNOSTICS[versionAndDiagnostic & 0x1f] ?? 'no diagnostic',
    poll: (flags & FLAG.POLL) !== 0,
    final: (flags & FLAG.FINAL) !== 0,
    demand: (flags & FLAG.DEMAND) !== 0,
    multiplier,
    mine,
    yours,
    minTx: micros(from.u32be()),
    minRx: micros(from.u32be()),
  };
  return { ok: true, packet };
}

const discarded = (reason: DiscardReason): DecodedControl => ({ ok: false, reason });
