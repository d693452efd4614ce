import type { Ip } from '../../ip.ts';

import { type Instant, seconds, since } from '../../time.ts';
import type { RelaySettings } from '../settings.ts';
import type { RelayKeys } from './keys.ts';
import { type Rejection, RelayPeer, type Taken } from './peer.ts';

/** A datagram for a peer. */
export interface ForPeer {
  readonly address: Ip;
  readonly port: number;
  readonly datagram: Uint8Array;
}

/** What people want to know of a peer. */
export interface RelayPeerFacts {
  readonly address: Ip;
  readonly port: number;
  /** Whether it greets us, and knows that we live. */
  readonly connected: boolean;
  readonly sent: number;
  readonly received: number;
  /** What the system did not send. */
  readonly unsent: number;
  /** Of its datagrams, those that never came. */
  readonly lost: number;
  /** By reason; only those that there are. */
  readonly rejected: Readonly<Partial<Record<Rejection, number>>>;
  /** When something genuine came last. */
  readonly heard: Instant | null;
}

export interface RelayFacts {
  readonly local: Ip;
  readonly port: number;
  readonly peers: readonly RelayPeerFacts[];
  /** Datagrams from addresses that are no peers. */
  readonly strangers: number;
}

/** Greetings come every second: a peer that is silent for so long is not there. */
const SILENT = seconds(5);
/** Of what is rejected again and again there is a line so often. */
const PAUSE = seconds(60);

interface Known {
  readonly port: number;
  readonly peer: RelayPeer;
  readonly rejected: Map<Rejection, number>;
  heard: Instant | null;
  unsent: number;
}

/** The other directors to which connection sync is carried, and from which it comes. */
export class Relay {
  readonly #settings: RelaySettings;
  readonly #peers: ReadonlyMap<Ip, Known>;
  #strangers = 0;
  /** How many datagrams came to what end since the last line of the log, and when that was. */
  readonly #untold = new Map<string, number>();
  #told: Instant | undefined;

  constructor(settings: RelaySettings, keys: RelayKeys) {
    const life = keys.nonce();
    this.#settings = settings;
    this.#peers = new Map(
      settings.peers.map(({ address, port }) => {
        const peer = new RelayPeer(settings.local, address, life, keys);
        return [address, { port, peer, rejected: new Map(), heard: null, unsent: 0 }];
      }),
    );
  }

  rekey(keys: RelayKeys): void {
    for (const { peer } of this.#peers.values()) peer.rekey(keys);
  }

  /** To be sent every second. */
  greetings(): ForPeer[] {
    return [...this.#peers].map(([address, { port, peer }]) => ({
      address,
      port,
      datagram: peer.greeting(),
    }));
  }

  /** A datagram of our kernel's thread, for each peer that is known to live. */
  send(thread: number, payload: Uint8Array): ForPeer[] {
    return [...this.#peers].flatMap(([address, { port, peer }]) => {
      const datagram = peer.seal(thread, payload);
      return datagram === undefined ? [] : { address, port, datagram };
    });
  }

  /** A datagram that came from an address; an answer is for its `replyTo`. */
  take(
    from: Ip,
    datagram: Uint8Array,
    now: Instant,
  ): Taken & { readonly replyTo?: Omit<ForPeer, 'datagram'> } {
    const known = this.#peers.get(from);
    const taken: Taken = known?.peer.take(datagram) ?? { type: 'rejected', reason: 'unknown sender' };
    if (taken.type === 'rejected') {
      if (known === undefined) this.#strangers++;
      else known.rejected.set(taken.reason, (known.rejected.get(taken.reason) ?? 0) + 1);
      this.#note(`${known === undefined ? '' : `of ${from} `}not taken: ${taken.reason}`);
      return taken;
    }
    if (known === undefined) return taken;
    known.heard = now;
    return { ...taken, replyTo: { address: from, port: known.port } };
  }

  /** The system did not send a datagram. */
  unsent(to: Ip, why: string): void {
    const known = this.#peers.get(to);
    if (known !== undefined) known.unsent++;
    this.#note(`for ${to} not sent: ${why}`);
  }

  /** Our kernel did not get a datagram that was taken. */
  undelivered(why: string): void {
    this.#note(`not given to the kernel: ${why}`);
  }

  #note(end: string): void {
    this.#untold.set(end, (this.#untold.get(end) ?? 0) + 1);
  }

  /** What went wrong, in words; at most once a minute, `undefined` when there is nothing to tell. */
  complaint(now: Instant): string | undefined {
    if (this.#untold.size === 0) return undefined;
    if (this.#told !== undefined && since(now, this.#told) < PAUSE) return undefined;
    this.#told = now;
    const counts = Array.from(this.#untold, ([end, count]) => `${count} ${end}`).join('; ');
    this.#untold.clear();
    return `datagrams of connection sync: ${counts}`;
  }

  facts(now: Instant): RelayFacts {
    const { local, port } = this.#settings;
    const peers = Array.from(this.#peers, ([address, { port: theirs, peer, rejected, heard, unsent }]) => ({
      address,
      port: theirs,
      connected: peer.connected && heard !== null && since(now, heard) < SILENT,
      sent: peer.sent,
      unsent,
      received: peer.received,
      lost: peer.lost,
      rejected: Object.fromEntries(rejected),
      heard,
    }));
    return { local, port, peers, strangers: this.#strangers };
  }
}
