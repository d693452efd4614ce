import { type Seal, Sealed } from '../sealed.ts';
import type { Answer, Ask, Release } from './voter.ts';

/**
 * Heartbeats on the wire: what directors and witnesses say to each other, signed (core/sealed.ts). The body is JSON; a
 * datagram for each addressee.
 */

/** What is said. */
export type Word =
  /** `priority`: the effective one of VRRP, for a holder that gives way to a better director. */
  | ({ readonly type: 'ask'; readonly priority: number } & Pick<Ask, 'claim' | 'number' | 'duration'>)
  | { readonly type: 'answer'; readonly claim: string; readonly number: number; readonly answer: Answer }
  | ({ readonly type: 'release' } & Pick<Release, 'claim' | 'number'>)
  /** That life of a director has ended for certain. */
  | { readonly type: 'fenced'; readonly director: string; readonly life: string }
  | HandOverWord;

/**
 * A step of a planned hand-over (core/director/giving.ts, taking.ts). `unit`: a virtual router or sync group, as claims
 * are named; `number`: which hand-over of the leaving master's.
 */
export interface HandOverWord {
  readonly type: 'hand-over';
  readonly unit: string;
  readonly number: number;
  readonly step: HandOverStep;
  /** With `ready`: the effective priority there. */
  readonly priority?: number;
  /** With `unready`. */
  readonly why?: string;
}

const HAND_OVER_STEPS = [
  /** The master: who could take over now? */
  'offer',
  /** A backup: it could, or not. */
  'ready',
  'unready',
  /** The master: this one takes over at once. */
  'take',
  /** It answers for all addresses, and has announced them. */
  'taken',
] as const;
export type HandOverStep = (typeof HAND_OVER_STEPS)[number];

/** A heartbeat of somebody. */
export interface Mark {
  readonly life: string;
  readonly number: number;
}

export interface Heartbeat {
  readonly from: string;
  readonly to: string;
  readonly life: string;
  /** Of the first datagram: the words may need several, as many as there are words, and each has the next number. */
  readonly number: number;
  /** What the sender heard last of the addressee: of each of its lives that may be the present one. */
  readonly heard: readonly Mark[];
  /** The sender's wall clock, in microseconds since 1970: for comparing only. */
  readonly utc: number;
  readonly words: readonly Word[];
}

/** Why a datagram has nothing to say. */
export type Unreadable = 'not a heartbeat' | 'wrong key';

/** Of each peer so many lives are named: the one that is certain, and those that it may have by now. */
export const LIVES_KEPT = 3;

export const HEARTBEAT_MARK = 'VKH1';
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true });
/** Longer ones are cut into several datagrams: each fits into any link's MTU. */
const WORDS_BYTES = 1000;
/** Names, claims and reasons are no longer; of a reason, which is for people, the rest is not said. */
const TEXT_LENGTH = 255;

/** Writes and reads the datagrams of one cluster. */
export class HeartbeatCodec {
  readonly #sealed: Sealed;

  constructor(cluster: string, seal: Seal) {
    this.#sealed = new Sealed(HEARTBEAT_MARK, cluster, seal);
  }

  /** The datagrams that say all of it, in their order; one, without words too. */
  write(heartbeat: Heartbeat): Uint8Array[] {
    return cut(heartbeat.words.map(withShortReason)).map((words, i) => {
      const body = { ...heartbeat, number: heartbeat.number + i, words };
      return this.#sealed.close(ENCODER.encode(JSON.stringify(body)));
    });
  }

  read(datagram: Uint8Array): Heartbeat | Unreadable {
    const opened = this.#sealed.open(datagram);
    if ('fault' in opened) return opened.fault === 'foreign' ? 'not a heartbeat' : opened.fault;
    try {
      const value: unknown = JSON.parse(DECODER.decode(opened.body));
      return isHeartbeat(value) ? value : 'not a heartbeat';
    } catch {
      return 'not a heartbeat';
    }
  }
}

const withShortReason = (word: Word): Word =>
  word.type === 'hand-over' && word.why !== undefined
    ? { ...word, why: word.why.slice(0, TEXT_LENGTH) }
    : word;

/** The words in as many parts as there are datagrams. */
function cut(words: readonly Word[]): Word[][] {
  const parts: Word[][] = [[]];
  let room = WORDS_BYTES;
  for (const word of words) {
    const size = ENCODER.encode(JSON.stringify(word)).length;
    if (size > room && parts.at(-1)?.length !== 0) {
      parts.push([]);
      room = WORDS_BYTES;
    }
    parts.at(-1)?.push(word);
    room -= size;
  }
  return parts;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= TEXT_LENGTH;
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

const isHandOver = ({ unit, number, step, priority, why }: Fields): boolean =>
  isText(unit) &&
  isCount(number) &&
  HAND_OVER_STEPS.some((each) => each === step) &&
  (isAbsent(priority) || isCount(priority)) &&
  (isAbsent(why) || isText(why));

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
    case 'hand-over':
      return isHandOver(value);
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
