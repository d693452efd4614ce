import { type Instant, seconds, since } from '../time.ts';
import { type Heartbeat, LIVES_KEPT, type Mark, type Unreadable, type Word } from './heartbeat-codec.ts';

/**
 * Conversations by heartbeats. No clock of another machine guards against replay. A node has another random *life*
 * after each start, numbers its heartbeats, and names in each what it heard last of the addressee. Only what names one
 * of our own heartbeats of the last seconds is acted on: it was made after that one, so it is neither old nor from
 * before our start.
 */

/** What an accepted heartbeat tells. */
export interface Heard {
  readonly from: string;
  readonly life: string;
  /** The sender's wall clock, in microseconds since 1970. */
  readonly utc: number;
  /** The life is the one that answered us last. Of another, the heartbeat may be of yesterday, and prove nothing. */
  readonly proven: boolean;
  /** Nothing until the sender has heard us. */
  readonly words: readonly Word[];
}

export type Rejection =
  | Unreadable
  | 'not for us'
  | 'unknown sender'
  /** It came on another path already, or many later ones did. */
  | 'overtaken'
  | 'replayed';

export type Accepted =
  | { readonly ok: true; readonly heard: Heard }
  | { readonly ok: false; readonly reason: Rejection };

/** An answer to what we said longer ago is old. */
const FRESH = seconds(10);
/** A witness knows so many directors of a cluster. */
const UNKNOWN_DIRECTORS_KEPT = 64;

/** Which numbers of a life came: the last one, and those before it, a bit for each, the lowest for the nearest. */
interface Came {
  readonly last: number;
  readonly before: number;
}
/** So many numbers before the last one may still come: the network turns some round. */
const LATE_MOST = 32;

/** The lives of a peer, the one that spoke last at the end. */
type Peer = Map<string, Came>;

export interface HeartbeatSettings {
  /** Ours. */
  readonly name: string;
  /** Random, of this start. */
  readonly life: string;
  /** Who may speak to us; absent: whoever has the key, as to a witness. */
  readonly peers?: readonly string[] | undefined;
}

/** One node's side of all its conversations in a cluster. */
export class Heartbeats {
  readonly #settings: HeartbeatSettings;
  readonly #peers = new Map<string, Peer>();
  /** The life of each peer that answered us last. */
  readonly #certain = new Map<string, string>();
  #number = 0;
  /** When some of our numbers were used, the oldest first: what is older than those kept is not fresh. */
  #used: { readonly number: number; readonly at: Instant }[] = [];

  constructor(settings: HeartbeatSettings) {
    this.#settings = settings;
    for (const name of settings.peers ?? []) this.#peers.set(name, new Map());
  }

  memory() {
    return {
      peers: Array.from(this.#peers, ([name, lives]) => [name, new Map(lives)] as const),
      certain: new Map(this.#certain),
      number: this.#number,
      used: [...this.#used],
    };
  }

  recall({ peers, certain, number, used }: ReturnType<Heartbeats['memory']>): void {
    for (const [name, lives] of peers) this.#peers.set(name, new Map(lives));
    for (const [name, life] of certain) this.#certain.set(name, life);
    this.#number = number;
    this.#used = [...used];
  }

  /** What says this to a peer. `utc` in microseconds since 1970. */
  compose(to: string, words: readonly Word[], now: Instant, utc: number): Heartbeat {
    const heard: Mark[] = Array.from(this.#peers.get(to) ?? [], ([life, { last }]) => ({
      life,
      number: last,
    }));
    const { name, life } = this.#settings;
    const number = this.#number + 1;
    this.#number += Math.max(1, words.length);
    this.#used.push({ number, at: now });
    return { from: name, to, life, number, heard, utc, words };
  }

  /** Takes in what arrived `now`. */
  accept({ from, to, life, number, heard, utc, words }: Heartbeat, now: Instant): Accepted {
    if (to !== this.#settings.name) return { ok: false, reason: 'not for us' };
    const peer = this.#peers.get(from) ?? this.#admit(from);
    if (peer === undefined) return { ok: false, reason: 'unknown sender' };
    const fresh = this.#isFresh(heard, now);
    // Of several paths the later ones bring what is known.
    const came = withNumber(peer.get(life), number);
    if (came === undefined) return { ok: false, reason: fresh ? 'overtaken' : 'replayed' };
    if (fresh) this.#certain.set(from, life);
    peer.delete(life);
    peer.set(life, came);
    for (const other of peer.keys()) {
      if (peer.size <= LIVES_KEPT) break;
      if (other !== this.#certain.get(from)) peer.delete(other);
    }
    const proven = this.#certain.get(from) === life;
    return { ok: true, heard: { from, life, utc, proven, words: fresh ? words : [] } };
  }

  #isFresh(heard: readonly Mark[], now: Instant): boolean {
    while (this.#used[0] !== undefined && since(now, this.#used[0].at) > FRESH) this.#used.shift();
    const oldest = this.#used[0]?.number ?? Number.POSITIVE_INFINITY;
    return heard.some(({ life, number }) => life === this.#settings.life && number >= oldest);
  }

  #admit(name: string): Peer | undefined {
    if (this.#settings.peers !== undefined || this.#peers.size >= UNKNOWN_DIRECTORS_KEPT) return undefined;
    const peer: Peer = new Map();
    this.#peers.set(name, peer);
    return peer;
  }
}

/** Takes in a number; `undefined` for one that came, or is too late. */
function withNumber({ last, before }: Came = { last: 0, before: 0 }, number: number): Came | undefined {
  const ahead = number - last;
  if (ahead > 0) {
    const shifted = ahead < LATE_MOST ? before << ahead : 0;
    return { last: number, before: ahead <= LATE_MOST && last > 0 ? shifted | (1 << (ahead - 1)) : shifted };
  }
  const bit = 1 << (-ahead - 1);
  if (ahead === 0 || -ahead > LATE_MOST || (before & bit) !== 0) return undefined;
  return { last, before: before | bit };
}
