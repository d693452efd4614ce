import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, since } from '../time.ts';
import { type Answer, type Ask, type Release, withMargin } from './voter.ts';

/**
 * The vote of an etcd cluster, as one of its clients gets it. A record for each claim says who has the vote and how
 * long each promise lasts. It is replaced only over the revision that is known (a transaction that compares), so of two
 * that want it one fails.
 *
 * No clock of etcd counts, and none of its leases: a leader that comes back from a pause revokes leases that were
 * renewed elsewhere (etcd issue 15247). Each director counts for itself: who wants the vote of another waits until the
 * record has stood unchanged for the length of the promise and the margin, since it was first *seen*. The holder wrote
 * it later than it *sent* the request, from when it counts.
 *
 * A claim without a record was never voted for, or etcd has lost it. Then a record that is nobody's is written, which
 * stands for the longest promise.
 */
export type EtcdEvent =
  | { readonly type: 'ask'; readonly ask: Ask }
  | { readonly type: 'release'; readonly release: Release }
  /** That life of a director has ended for certain: what it holds is free. */
  | { readonly type: 'fenced'; readonly director: string; readonly life: string }
  /** All records that there are; absent: etcd did not say. */
  | { readonly type: 'listed'; readonly records?: ReadonlyMap<string, Stored> }
  /** The record was replaced, and has this revision now. */
  | { readonly type: 'written'; readonly id: number; readonly revision: string }
  /** Its revision was another: this is the record. */
  | { readonly type: 'overtaken'; readonly id: number; readonly record: Stored | undefined }
  /** Nobody knows whether it was replaced. */
  | { readonly type: 'failed'; readonly id: number };

/** A record as etcd has it. */
export interface Stored {
  /** The key's `mod_revision`: a decimal number; `0` where there is no record. */
  readonly revision: string;
  readonly text: string;
}

export type EtcdEffect =
  /** Answered by `listed`. */
  | { readonly type: 'list' }
  /** To be replaced where its revision is `over`. Answered by `written`, `overtaken` or `failed`. */
  | {
      readonly type: 'write';
      readonly id: number;
      readonly claim: string;
      readonly over: string;
      readonly text: string;
    }
  | { readonly type: 'answer'; readonly claim: string; readonly number: number; readonly answer: Answer };

export interface EtcdVoterSettings {
  /** Ours. */
  readonly director: string;
  readonly longest: Duration;
  readonly margin: number;
  /** Between two looks at the records: how much later than other voters it may see that a promise has ended. */
  readonly interval: Duration;
}

/** What is in a record. */
interface Holder {
  /** Empty: nobody. */
  readonly director: string;
  readonly life: string;
  /** How long each promise lasts, in microseconds. */
  readonly duration: Duration;
  /** It has let go. */
  readonly free: boolean;
}

interface Known extends Holder {
  readonly revision: string;
  /** When it was first seen with this revision. */
  readonly seen: Instant;
}

type Wish =
  | { readonly type: 'ask'; readonly ask: Ask }
  | { readonly type: 'release'; readonly release: Release };

interface Claim {
  /** `undefined`: there is no record. */
  known: Known | undefined;
  /** What is being written, for which wish. */
  writing: { readonly id: number; readonly holder: Holder; readonly wish: Wish } | undefined;
  /** What is wanted when that is done: the latest. */
  next: Wish | undefined;
}

const NO_RECORD = '0';
const NOBODY = '';
const UNKNOWN: Answer = {
  type: 'refused',
  why: 'etcd has no record of it: older promises, if there were any, have to end first',
};

export class EtcdVoter implements Machine<EtcdEvent, EtcdEffect> {
  readonly #settings: EtcdVoterSettings;
  readonly #claims = new Map<string, Claim>();
  readonly #fenced = new Map<string, string>();
  /** Nothing is known before the first list. */
  #listed = false;
  #listing = false;
  #nextList: Instant;
  #lastId = 0;
  #effects: EtcdEffect[] = [];

  constructor(settings: EtcdVoterSettings, now: Instant) {
    this.#settings = settings;
    this.#nextList = now;
  }

  handle(event: EtcdEvent, now: Instant): void {
    switch (event.type) {
      case 'ask':
        this.#wish(event.ask.claim, event, now);
        break;
      case 'release':
        this.#wish(event.release.claim, event, now);
        break;
      case 'fenced':
        this.#fenced.set(event.director, event.life);
        break;
      case 'listed':
        this.#listing = false;
        this.#nextList = after(now, this.#settings.interval);
        if (event.records !== undefined) this.#look(event.records, now);
        break;
      case 'written':
      case 'overtaken':
      case 'failed':
        this.#ended(event, now);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#listing ? undefined : this.#nextList;
  }

  timeout(now: Instant): void {
    if (this.#listing || this.#nextList > now) return;
    this.#listing = true;
    this.#effects.push({ type: 'list' });
  }

  take(): EtcdEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** A list may be older than what was learned by writing: revisions never go back while etcd keeps its data. */
  #look(records: ReadonlyMap<string, Stored>, now: Instant): void {
    this.#listed = true;
    for (const [name, record] of records) {
      const claim = this.#claim(name);
      const known = BigInt(claim.known?.revision ?? NO_RECORD);
      if (BigInt(record.revision) > known) this.#learn(claim, record, now);
    }
  }

  #learn(claim: Claim, record: Stored | undefined, now: Instant): void {
    const { revision = NO_RECORD, text = '' } = record ?? {};
    if (revision === NO_RECORD) claim.known = undefined;
    else if (claim.known?.revision !== revision)
      claim.known = { ...(read(text) ?? this.#nobody()), revision, seen: now };
  }

  /** Who it is cannot be read, or nobody knows: whoever it is has the vote for the longest promise. */
  #nobody(): Holder {
    return { director: NOBODY, life: '', duration: this.#settings.longest, free: false };
  }

  #claim(name: string): Claim {
    const known = this.#claims.get(name);
    if (known !== undefined) return known;
    const made: Claim = { known: undefined, writing: undefined, next: undefined };
    this.#claims.set(name, made);
    return made;
  }

  /** One write of a claim at a time: what is wanted meanwhile waits, and only the latest of it. */
  #wish(name: string, wish: Wish, now: Instant): void {
    if (!this.#listed) return;
    const claim = this.#claim(name);
    if (claim.writing !== undefined) claim.next = wish;
    else if (wish.type === 'ask') this.#ask(name, claim, wish.ask, now);
    else this.#release(name, claim, wish.release);
  }

  #ask(name: string, claim: Claim, ask: Ask, now: Instant): void {
    const { director, life, duration } = ask;
    const { longest } = this.#settings;
    if (duration === undefined || duration > longest) {
      this.#answer(ask, { type: 'refused', why: 'the promise is longer than the longest of this voter' });
    } else if (claim.known === undefined) {
      this.#write(name, claim, this.#nobody(), { type: 'ask', ask });
    } else {
      const left = this.#left(claim.known, now);
      if (left === undefined)
        this.#write(name, claim, { director, life, duration, free: false }, { type: 'ask', ask });
      else this.#answer(ask, refusal(claim.known, left));
    }
  }

  /** How long the vote is another's; `undefined` when it can be had. */
  #left({ director, life, duration, free, seen }: Known, now: Instant): Duration | undefined {
    if (free || director === this.#settings.director) return undefined;
    if (director !== NOBODY && this.#fenced.get(director) === life) return undefined;
    const left = since(after(seen, withMargin(duration, this.#settings.margin)), now);
    return left > 0 ? left : undefined;
  }

  #release(name: string, claim: Claim, release: Release): void {
    const { known } = claim;
    if (known === undefined || known.free || known.director !== release.director) return;
    if (known.life !== release.life) return;
    const { director, life, duration } = known;
    this.#write(name, claim, { director, life, duration, free: true }, { type: 'release', release });
  }

  #write(name: string, claim: Claim, holder: Holder, wish: Wish): void {
    const id = ++this.#lastId;
    claim.writing = { id, holder, wish };
    const over = claim.known?.revision ?? NO_RECORD;
    this.#effects.push({ type: 'write', id, claim: name, over, text: JSON.stringify(holder) });
  }

  #ended(event: Extract<EtcdEvent, { type: 'written' | 'overtaken' | 'failed' }>, now: Instant): void {
    const found = [...this.#claims].find(([, { writing }]) => writing?.id === event.id);
    const [name, claim] = found ?? [];
    if (name === undefined || claim?.writing === undefined) return;
    const { holder, wish } = claim.writing;
    claim.writing = undefined;
    if (event.type === 'written') {
      claim.known = { ...holder, revision: event.revision, seen: now };
      if (wish.type === 'ask') this.#answer(wish.ask, granted(holder));
    } else if (event.type === 'overtaken') {
      this.#learn(claim, event.record, now);
      // By another, which is the answer; or by ourselves: an earlier write of ours was done, and nobody told us.
      claim.next ??= wish;
    }
    const { next } = claim;
    claim.next = undefined;
    if (next !== undefined) this.#wish(name, next, now);
  }

  #answer({ claim, number }: Ask, answer: Answer): void {
    this.#effects.push({ type: 'answer', claim, number, answer });
  }
}

const granted = ({ director }: Holder): Answer => (director === NOBODY ? UNKNOWN : { type: 'granted' });

const refusal = ({ director, duration }: Known, left: Duration): Answer =>
  director === NOBODY
    ? { ...UNKNOWN, type: 'refused', left }
    : {
        type: 'refused',
        why: `its vote is promised to ${director}, each time for ${duration / 1e6} s`,
        holder: director,
        left,
      };

/** `undefined` for what no director of ours wrote. */
function read(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof Holder, unknown>> | null;
    const { director, life, duration, free } = value ?? {};
    if (typeof director !== 'string' || typeof life !== 'string' || typeof free !== 'boolean')
      return undefined;
    if (!Number.isSafeInteger(duration) || (duration as number) < 0) return undefined;
    return { director, life, duration: duration as Duration, free };
  } catch {
    return undefined;
  }
}
