import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, since } from '../time.ts';
import type { Answer, Ask, Release } from './voter.ts';

/**
 * One director's authority over one claim (a virtual router or a sync group): whether it may hold the addresses, and
 * until when. Authority is a majority of promises that have not run out, its own among them.
 *
 *   idle ── want ──> asking ── majority ──> holding ── end of the majority, let-go ──> idle
 *
 * A promise counts from when its request was *sent*; the voter counts from when it received it (voter.ts).
 *
 * Who was fenced can neither hold nor promise until it has started again and waited for the longest promise. So where
 * every other director is off for certain, nobody else can hold, and no vote but our own is needed, as long. The vote
 * of one of several is not ours by that: another director may have fenced it too.
 */
export interface AuthoritySettings {
  readonly claim: string;
  readonly director: string;
  /** Which of its lives this is: no two have the same. */
  readonly life: string;
  /** All who vote: the directors, ourselves included, and a witness. */
  readonly voters: readonly string[];
  /** Those of them that can hold the claim. */
  readonly directors: readonly string[];
  /** Between two requests. Several must fit into a promise. */
  readonly renewal: Duration;
  /**
   * How long a candidate asks in vain before it gives its votes back, and its turn to others: another for each
   * director, or two that want the same would stay in each other's way.
   */
  readonly attempt: Duration;
  /** The longest promise of any voter: how long who was fenced is silent after its start. */
  readonly longest: Duration;
}

export type AuthorityEvent =
  /**
   * VRRP would be master. `promise`: how long each vote lasts; `undefined`: until it is released (a pair that only
   * fences).
   */
  | { readonly type: 'want'; readonly promise: Duration | undefined; readonly why: string }
  /** VRRP would not be master any more, or has let go: no address is left. */
  | { readonly type: 'let-go'; readonly why: string }
  /** An answer to the request of this number. */
  | { readonly type: 'answer'; readonly voter: string; readonly number: number; readonly answer: Answer }
  /**
   * A director is off for certain: its device said so to a question that was asked `at`. Asked again and again while
   * the fence is needed.
   */
  | { readonly type: 'fenced'; readonly director: string; readonly at: Instant };

export type AuthorityEffect =
  | { readonly type: 'ask'; readonly ask: Ask }
  | { readonly type: 'release'; readonly release: Release }
  /** The addresses may be held until then; `undefined`: until it is said otherwise. At each change. */
  | { readonly type: 'authorised'; readonly until: Instant | undefined }
  /** The authority has ended or ends now: the addresses must go. `let-go` is to follow. */
  | { readonly type: 'lost'; readonly why: string }
  /** It is not to be had now. `silent`: who did not answer; nobody else is to be fenced for it. */
  | { readonly type: 'refused'; readonly why: string; readonly silent: readonly string[] };

export type AuthorityState = 'idle' | 'asking' | 'holding';

/** A voter, how long its promise lasts, and why it gave none. */
export interface VoteStatus {
  readonly voter: string;
  readonly left: Duration | undefined;
  readonly why: string;
}

const PROMISED = 'promised';
const NO_ANSWER = 'no answer';
const reasons = (votes: readonly VoteStatus[]): string =>
  votes.map(({ voter, why }) => `${voter}: ${why}`).join('; ');

/** A promise. */
interface Vote {
  /** The end of its promise, by our clock; `undefined`: until it is released. */
  readonly until: Instant | undefined;
}

/** A vote that never ends, for comparing. */
const NEVER_ENDS = Number.POSITIVE_INFINITY;
const NOTHING: Vote = { until: 0 as Instant };
const endOf = ({ until }: Vote): number => until ?? NEVER_ENDS;

export class Authority implements Machine<AuthorityEvent, AuthorityEffect> {
  readonly #settings: AuthoritySettings;
  readonly #majority: number;
  readonly #votes = new Map<string, Vote>();
  /** Directors that are off for certain, and until when they cannot hold. */
  readonly #off = new Map<string, Vote>();
  readonly #refusals = new Map<string, string>();
  /** When the requests were sent whose answers may still come, by number. */
  readonly #sent = new Map<number, Instant>();
  #state: AuthorityState = 'idle';
  #number = 0;
  #promise: Duration | undefined;
  #next: Instant | undefined;
  /** When this attempt, or the pause after it, is over. */
  #attemptEnds: Instant | undefined;
  #pausing = false;
  #vain = 0;
  /** While holding: the end of the authority. */
  #end = 0;
  #effects: AuthorityEffect[] = [];

  constructor(settings: AuthoritySettings) {
    assert(settings.voters.includes(settings.director), 'a director votes for its own claims');
    this.#settings = settings;
    this.#majority = Math.floor(settings.voters.length / 2) + 1;
  }

  get state(): AuthorityState {
    return this.#state;
  }

  /** The number of the last release, while nothing is asked for since. */
  get released(): number | undefined {
    return this.#state === 'idle' ? this.#number : undefined;
  }

  /** How many attempts in a row were in vain. */
  get vain(): number {
    return this.#vain;
  }

  handle(event: AuthorityEvent, now: Instant): void {
    this.#expire(now);
    switch (event.type) {
      case 'want':
        this.#promise = event.promise;
        if (this.#state === 'idle') this.#begin(now);
        break;
      case 'let-go':
        this.#giveBack();
        break;
      case 'answer':
        this.#answered(event.voter, event.number, event.answer, now);
        break;
      case 'fenced':
        this.#fenced(event.director, event.at, now);
        break;
    }
  }

  deadline(): Instant | undefined {
    if (this.#state === 'idle') return undefined;
    const limited = this.#state === 'holding' && this.#end !== NEVER_ENDS;
    const ends = limited ? (this.#end as Instant) : undefined;
    return earliest(earliest(this.#next, this.#attemptEnds), ends);
  }

  timeout(now: Instant): void {
    this.#expire(now);
    if (this.#attemptEnds !== undefined && this.#attemptEnds <= now) this.#turn(now);
    if (this.#next !== undefined && this.#next <= now) this.#ask(now);
  }

  take(): AuthorityEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    return {
      votes: new Map(this.#votes),
      off: new Map(this.#off),
      refusals: new Map(this.#refusals),
      sent: new Map(this.#sent),
      state: this.#state,
      number: this.#number,
      promise: this.#promise,
      next: this.#next,
      attemptEnds: this.#attemptEnds,
      pausing: this.#pausing,
      vain: this.#vain,
      end: this.#end,
    };
  }

  recall(memory: ReturnType<Authority['memory']>): void {
    for (const [voter, vote] of memory.votes) this.#votes.set(voter, vote);
    for (const [director, vote] of memory.off) this.#off.set(director, vote);
    for (const [voter, why] of memory.refusals) this.#refusals.set(voter, why);
    for (const [number, at] of memory.sent) this.#sent.set(number, at);
    [this.#state, this.#number, this.#promise] = [memory.state, memory.number, memory.promise];
    [this.#next, this.#attemptEnds] = [memory.next, memory.attemptEnds];
    [this.#pausing, this.#vain, this.#end] = [memory.pausing, memory.vain, memory.end];
  }

  /** Each voter and how long its promise lasts: for the status. */
  votes(now: Instant): VoteStatus[] {
    return this.#settings.voters.map((voter) => {
      const vote = this.#votes.get(voter);
      const valid = vote !== undefined && endOf(vote) > now;
      const left = valid && vote.until !== undefined ? since(vote.until, now) : undefined;
      return { voter, left, why: valid ? PROMISED : this.#whyNot(voter) };
    });
  }

  #whyNot(voter: string): string {
    if (this.#pausing && voter === this.#settings.director) return 'asks again soon';
    return this.#refusals.get(voter) ?? NO_ANSWER;
  }

  #begin(now: Instant): void {
    this.#state = 'asking';
    this.#pausing = false;
    this.#refusals.clear();
    this.#attemptEnds = after(now, this.#settings.attempt);
    this.#ask(now);
  }

  /** An attempt in vain has ended, or the pause after it. */
  #turn(now: Instant): void {
    if (this.#pausing) {
      this.#begin(now);
      return;
    }
    const missing = this.votes(now).filter(({ why }) => why !== PROMISED);
    const silent = missing.filter(({ why }) => why === NO_ANSWER).map(({ voter }) => voter);
    this.#vain += 1;
    this.#effects.push({ type: 'refused', why: reasons(missing), silent });
    this.#release();
    this.#pausing = true;
    this.#next = undefined;
    this.#attemptEnds = after(now, this.#settings.attempt);
  }

  #ask(now: Instant): void {
    const { claim, director, life, renewal } = this.#settings;
    const promise = this.#promise;
    const number = ++this.#number;
    this.#sent.set(number, now);
    // An answer to an older request gives no more than a promise that has ended.
    for (const [old, sent] of this.#sent) {
      if (since(now, sent) > (promise ?? renewal * 8)) this.#sent.delete(old);
    }
    this.#next = after(now, renewal);
    this.#effects.push({ type: 'ask', ask: { claim, director, life, number, duration: promise } });
  }

  #answered(voter: string, number: number, answer: Answer, now: Instant): void {
    const sent = this.#sent.get(number);
    if (this.#state === 'idle' || this.#pausing || sent === undefined) return;
    if (!this.#settings.voters.includes(voter)) return;
    if (answer.type === 'refused') {
      this.#refusals.set(voter, answer.why);
      return;
    }
    this.#refusals.delete(voter);
    this.#extend(voter, this.#promise === undefined ? undefined : after(sent, this.#promise), now);
  }

  /** It starts again after `at` at the earliest, and is silent for the longest promise then. */
  #fenced(director: string, at: Instant, now: Instant): void {
    const { longest } = this.#settings;
    this.#off.set(director, { until: this.#promise === undefined ? undefined : after(at, longest) });
    if (this.#state !== 'idle' && !this.#pausing) this.#judge(now);
  }

  #extend(voter: string, until: Instant | undefined, now: Instant): void {
    if (endOf(this.#votes.get(voter) ?? NOTHING) >= endOf({ until })) return;
    this.#votes.set(voter, { until });
    this.#judge(now);
  }

  /** The end of the authority: that of the majority, or of being the only director; with our own vote in any case. */
  #ends(): number {
    const { director, directors } = this.#settings;
    const ends = Array.from(this.#votes.values(), endOf).sort((a, b) => b - a);
    const majority = ends[this.#majority - 1] ?? 0;
    const others = directors.filter((other) => other !== director);
    const alone = Math.min(...others.map((other) => endOf(this.#off.get(other) ?? NOTHING)));
    return Math.min(endOf(this.#votes.get(director) ?? NOTHING), Math.max(majority, alone));
  }

  #judge(now: Instant): void {
    const end = this.#ends();
    if (end <= now || end === this.#end) return;
    this.#state = 'holding';
    this.#vain = 0;
    this.#attemptEnds = undefined;
    this.#end = end;
    this.#effects.push({ type: 'authorised', until: end === NEVER_ENDS ? undefined : (end as Instant) });
  }

  #expire(now: Instant): void {
    if (this.#state !== 'holding' || this.#end > now) return;
    this.#effects.push({ type: 'lost', why: reasons(this.votes(now).filter(({ why }) => why !== PROMISED)) });
    // The promises have run out: there is nothing to give back before the addresses are gone.
    this.#state = 'idle';
    this.#forget();
  }

  #giveBack(): void {
    if (this.#state !== 'idle' || this.#votes.size > 0) this.#release();
    this.#state = 'idle';
    this.#forget();
  }

  /** Only after the addresses have gone, or before they came. */
  #release(): void {
    const { claim, director, life } = this.#settings;
    const number = ++this.#number;
    this.#effects.push({ type: 'release', release: { claim, director, life, number } });
    this.#votes.clear();
    this.#sent.clear();
    this.#end = 0;
  }

  #forget(): void {
    this.#next = undefined;
    this.#attemptEnds = undefined;
    this.#pausing = false;
    this.#vain = 0;
    this.#off.clear();
    this.#refusals.clear();
    this.#votes.clear();
    this.#sent.clear();
    this.#end = 0;
  }
}
