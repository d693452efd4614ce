import type { Ip } from '../ip.ts';
import { type ControlPacket, DISCARD_REASONS, type DiscardReason, decodeControl } from './packet.ts';
import type { BfdSession } from './session.ts';
import type { BfdSettings } from './settings.ts';

/** A UDP payload that arrived at one of the two ports, and what the IP header said. */
export interface BfdDatagram {
  readonly payload: Uint8Array;
  readonly source: Ip;
  readonly destination: Ip;
  /** TTL or hop limit on arrival. */
  readonly ttl: number;
  /** It came to port 4784. */
  readonly multihop: boolean;
}

export interface Found {
  readonly session: BfdSession;
  readonly packet: ControlPacket;
}

/** Finds the session that a packet is for (RFC 5880, 6.3 and 6.8.6), and counts what is for none. */
export class Demultiplexer {
  readonly discarded: Record<DiscardReason, number> = Object.fromEntries(
    DISCARD_REASONS.map((reason) => [reason, 0]),
  ) as Record<DiscardReason, number>;

  /** `undefined`, counted, when the packet is to be discarded. */
  find(datagram: BfdDatagram, sessions: Iterable<BfdSession>): Found | undefined {
    const decoded = decodeControl(datagram.payload);
    if (!decoded.ok) return this.#discard(decoded.reason);
    const { packet } = decoded;
    const session = select(packet, datagram, sessions);
    if (session === undefined) return this.#discard('no-session');
    if (cameTooFar(datagram.ttl, session.settings)) return this.#discard('ttl');
    if (session.state === 'AdminDown') return this.#discard('admin-down');
    return { session, packet };
  }

  #discard(reason: DiscardReason): undefined {
    this.discarded[reason] += 1;
    return undefined;
  }
}

/**
 * By our discriminator, once the neighbour knows it: then its address may change. Before that by the addresses.
 * A session is on one port, because one neighbour may have a session of either kind.
 */
function select(
  { yours }: ControlPacket,
  datagram: BfdDatagram,
  sessions: Iterable<BfdSession>,
): BfdSession | undefined {
  for (const session of sessions) {
    if (session.settings.multihop !== datagram.multihop) continue;
    if (yours === 0 ? isBetween(session, datagram) : session.discriminator === yours) return session;
  }
  return undefined;
}

/** keepalived's `max_hops`: counted from the TTL that we send with, as the neighbour should send alike. */
const cameTooFar = (arrived: number, { ttl, maxHops }: BfdSettings): boolean =>
  maxHops !== undefined && arrived < ttl - maxHops;

const isBetween = ({ settings }: BfdSession, { source, destination }: BfdDatagram): boolean =>
  settings.neighbor === source && (settings.source ?? destination) === destination;
