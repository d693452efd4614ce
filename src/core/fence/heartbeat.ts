import { type Seal, Sealed } from '../sealed.ts';
import { type Instant, seconds, since } from '../time.ts';
import type { Answer, Ask, Release } from './voter.ts';

/**
 * Heartbeats: what directors and witnesses say to each other, signed (core/sealed.ts). The body is JSON; a datagram for
 * each addressee.
 *
 * No clock of another machine guards against replay. A node has another random *life* after each start, numbers its
 * heartbeats, and names in each what it heard last of the addressee. Only what names one of our own heartbeats of the
 * last seconds is acted on: it was made after that one, so it is neither old nor from before our start.
 */

/** What is said. */
export type Word =
  /** `priority`: the effective one of VRRP, for a holder that gives way to a better director. */
  | ({ readonly type: 'ask'; readonly priority: number } & Pick<Ask, 'claim' | 'number' | 'duration'>)
  | { readonly type: 'answer'; readonly claim: string; readonly number: number; readonly answer: Answer }
  | ({ readonly type: 'release' } & Pick<Release, 'claim' | 'number'>)
  /** That life of a director has ended for certain. */
  | { readonly type: 'fenced'; readonly director: string; readonly life: string };

/** A heartbeat of somebody. */
interface Mark {
  readonly life: string;
  readonly number: number;
}

interface Heartbeat {
  readonly from: string;
  readonly to: string;
  readonly life: string;
  readonly number: number;
  /** What the sender heard last of the addressee: of each of its lives that may be the present one. */
  readonly heard: readonly Mark[];
  /** The sender's wall clock, in microseconds since 1970: for comparing only. */
  readonly utc: number;
  readonly words: readonly Word[];
}

/** What an accepted heartbeat tells. */
export interface Heard {
  readonly from: string;
  readonly life: string;
  /** The sender's wall clock, in microseconds since 1970. */
  readonly utc: number;
  /** Nothing until the sender has heard us. */
  readonly words: readonly Word[];
}

export type Rejection =
  | 'not a heartbeat'
  | 'wrong key'
  | 'not for us'
  | 'unknown sender'
  /** It came on another path already, or a later one did. */
  | 'overtaken'
  | 'replayed';

export type Accepted =
  | { readonly ok: true; readonly heard: Heard }
  | { readonly ok: false; readonly reason: Rejection };

export const HEARTBEAT_MARK = 'VKH1';
/** Longer ones are cut into several datagrams: each fits into any link's MTU. */
const WORDS_BYTES = 1000;
/** Of each peer so many lives are named: the one that is certain, and those that it may have by now. */
const LIVES_KEPT = 3;
/** An answer to what we said longer ago is old. */
const FRESH = seconds(10);
/** A witness knows so many directors of a cluster. */
const UNKNOWN_DIRECTORS_KEPT = 64;

/** The last numbers of a peer's lives, the life that spoke last at the end. */
type Peer = Map<string, number>;

export interface HeartbeatSettings {
  readonly cluster: string;
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
  readonly #sealed: Sealed;
  readonly #peers = new Map<string, Peer>();
  /** The life of each peer that answered us last. */
  readonly #certain = new Map<string, string>();
  #number = 0;
  /** When some of our numbers were used, the oldest first: what is older than those kept is not fresh. */
  readonly #used: { readonly number: number; readonly at: Instant }[] = [];

  constructor(settings: HeartbeatSettings, seal: Seal) {
    this.#settings = settings;
    this.#sealed = new Sealed(HEARTBEAT_MARK, settings.cluster, seal);
    for (const name of settings.peers ?? []) this.#peers.set(name, new Map());
  }

  /** The datagrams that say this to a peer; one, without words too. `utc` in microseconds since 1970. */
  compose(to: string, words: readonly Word[], now: Instant, utc: number): Uint8Array[] {
    const heard = Array.from(this.#peers.get(to) ?? [], ([life, number]) => ({ life, number }));
    const parts: Word[][] = [[]];
    let room = WORDS_BYTES;
    for (const word of words) {
      const size = JSON.stringify(word).length;
      if (size > room && parts.at(-1)?.length !== 0) {
        parts.push([]);
        room = WORDS_BYTES;
      }
      parts.at(-1)?.push(word);
      room -= size;
    }
    const { name, life } = this.#settings;
    this.#used.push({ number: this.#number + 1, at: now });
    return parts.map((part) =>
      this.#close({ from: name, to, life, number: ++this.#number, heard, utc, words: part }),
    );
  }

  /** Takes in a datagram that arrived `now`. */
  accept(datagram: Uint8Array, now: Instant): Accepted {
    const opened = this.#open(datagram);
    if (typeof opened === 'string') return { ok: false, reason: opened };
    const { from, life, number, heard, utc, words } = opened;
    const peer = this.#peers.get(from) ?? this.#admit(from);
    if (peer === undefined) return { ok: false, reason: 'unknown sender' };
    const fresh = this.#isFresh(heard, now);
    // Of several paths the later ones bring what is known.
    if (number <= (peer.get(life) ?? 0)) return { ok: false, reason: fresh ? 'overtaken' : 'replayed' };
    if (fresh) this.#certain.set(from, life);
    peer.delete(life);
    peer.set(life, number);
    for (const other of peer.keys()) {
      if (peer.size <= LIVES_KEPT) break;
      if (other !== this.#certain.get(from)) peer.delete(other);
    }
    return { ok: true, heard: { from, life, utc, words: fresh ? words : [] } };
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

  #close(heartbeat: Heartbeat): Uint8Array {
    return this.#sealed.close(new TextEncoder().encode(JSON.stringify(heartbeat)));
  }

  #open(datagram: Uint8Array): Heartbeat | Rejection {
    const opened = this.#sealed.open(datagram);
    if ('fault' in opened) return opened.fault === 'foreign' ? 'not a heartbeat' : opened.fault;
    try {
      const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(opened.body));
      if (!isHeartbeat(value)) return 'not a heartbeat';
      return value.to === this.#settings.name ? value : 'not for us';
    } catch {
      return 'not a heartbeat';
    }
  }
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
/** Names and claims. */
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 255;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isList = <T>(value: unknown, is: (each: unknown) => each is T): value is T[] =>
  Array.isArray(value) && value.every(is);
const isAbsent = (value: unknown): boolean => value === undefined;

function isAnswer(value: unknown): value is Answer {
  if (!isFields(value)) return false;
  const { type, why, holder, left } = value;
  if (type === 'granted') return true;
  return (
    type === 'refused' &&
    isText(why) &&
    (isAbsent(holder) || isText(holder)) &&
    (isAbsent(left) || isCount(left))
  );
}

const isMark = (value: unknown): value is Mark =>
  isFields(value) && isText(value.life) && isCount(value.number);

function isWord(value: unknown): value is Word {
  if (!isFields(value)) return false;
  const { type, claim, number } = value;
  switch (type) {
    case 'ask':
      return (
        isText(claim) &&
        isCount(number) &&
        isCount(value.priority) &&
        (isAbsent(value.duration) || isCount(value.duration))
      );
    case 'answer':
      return isText(claim) && isCount(number) && isAnswer(value.answer);
    case 'release':
      return isText(claim) && isCount(number);
    case 'fenced':
      return isText(value.director) && isText(value.life);
    default:
      return false;
  }
}

function isHeartbeat(value: unknown): value is Heartbeat {
  if (!isFields(value)) return false;
  const { from, to, life, number, heard, utc, words } = value;
  return (
    [from, to, life].every(isText) &&
    isCount(number) &&
    isList(heard, isMark) &&
    heard.length <= LIVES_KEPT &&
    isCount(utc) &&
    isList(words, isWord)
  );
}
