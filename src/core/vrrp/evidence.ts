import type { Ip } from '../ip.ts';
import { after, type Duration, type Instant, micros, seconds, since, type Timers } from '../time.ts';
import type { VrrpEffect, VrrpEvent } from './events.ts';
import type { VirtualAddress, VrrpSettings } from './settings.ts';
import {
  type Asked,
  type Clues,
  type Decision,
  findings,
  judge,
  served,
  type TakeoverPolicy,
  type TakeoverStatus,
} from './takeover.ts';

export type EvidenceTimer = 'listen' | 'ask';

/** A master whose adverts have stopped, and its interval. */
export interface Missing {
  readonly address: Ip;
  readonly heard: Instant;
  readonly interval: Duration;
}

/** So many virtual addresses are asked for: a host that has lost one has lost all. */
const ASKED_MOST = 8;
/** So many decisions are kept. */
const KEPT = 8;
/** Who is asked has this part of an advert interval to answer. */
const PATIENCE = 1 / 4;
/** An advert that is so many intervals old is followed by none in time. */
const SURELY_MISSING = 1.25;
/** In advert intervals: for how long others listen for connection sync; it is asked for again with each question. */
const LISTENS = 5;
/** The kernel sends what it has to tell of connections after two seconds at the latest. */
const CARRIED = seconds(2.25);
const NOBODY = '';

/**
 * `takeover_policy`: what is known beside the silence of a master, before it is replaced. The link is asked for the
 * master and for the virtual addresses when an advert interval of the silence is left; so a takeover takes no longer
 * than without. What was decided against it is judged anew an interval later.
 *
 * Nothing of it where no policy is set, and where the silence is not all: after a resignation, against a lesser master,
 * and where no master was heard.
 */
export class Evidence {
  #settings: VrrpSettings;
  readonly #timers: Pick<Timers<EvidenceTimer>, 'set' | 'due' | 'clear'>;
  readonly #emit: (effect: VrrpEffect) => void;
  /** The last advert of the master that is missing. */
  #heard: Instant | undefined;
  /** When the link was asked; `undefined` as long as it was not since the last decision. */
  #asked: Instant | undefined;
  #trouble: string | undefined;
  /** The MAC address that answered for each address that was asked for; empty for nobody. */
  readonly #answers = new Map<Ip, string>();
  /** Who sent connection sync since an advert is missing, and when; `undefined` as long as nobody listens. */
  #carriers: Map<Ip, Instant> | undefined;
  /** Why the master would be replaced, while the cluster is asked for its word on it. */
  #cause: string | undefined;
  #decisions: readonly Decision[] = [];
  /** Whether something was decided of this silence, and whether it was told that the addresses are served on. */
  #judged = false;
  #alarmed = false;
  /** The master that is to be switched off. */
  #fenced: Ip | undefined;

  /** `timers` are the instance's, which hands them to `expired` while it is backup. */
  constructor(
    settings: VrrpSettings,
    timers: Pick<Timers<EvidenceTimer>, 'set' | 'due' | 'clear'>,
    emit: (effect: VrrpEffect) => void,
  ) {
    this.#settings = settings;
    this.#timers = timers;
    this.#emit = emit;
  }

  configure(settings: VrrpSettings): void {
    this.#settings = settings;
  }

  memory() {
    return {
      heard: this.#heard,
      asked: this.#asked,
      trouble: this.#trouble,
      answers: new Map(this.#answers),
      carriers: this.#carriers && new Map(this.#carriers),
      cause: this.#cause,
      decisions: this.#decisions,
      judged: this.#judged,
      alarmed: this.#alarmed,
      fenced: this.#fenced,
    };
  }

  recall(memory: ReturnType<Evidence['memory']>): void {
    this.#heard = memory.heard;
    this.#asked = memory.asked;
    this.#trouble = memory.trouble;
    for (const [address, mac] of memory.answers) this.#answers.set(address, mac);
    this.#carriers = memory.carriers && new Map(memory.carriers);
    this.#cause = memory.cause;
    this.#decisions = memory.decisions;
    this.#judged = memory.judged;
    this.#alarmed = memory.alarmed;
    this.#fenced = memory.fenced;
  }

  get #policy(): TakeoverPolicy {
    return this.#settings.takeoverPolicy ?? 'silence';
  }

  get status(): TakeoverStatus | undefined {
    const policy = this.#policy;
    return policy === 'silence' ? undefined : { policy, decisions: this.#decisions };
  }

  /** After each event: the master whose adverts alone are awaited, and when its silence ends. */
  look(missing: Missing | undefined, down: Instant | undefined): void {
    if (this.#policy === 'silence' || missing === undefined || down === undefined) {
      this.#forget();
      return;
    }
    const { heard, interval } = missing;
    if (heard !== this.#heard) this.#forget();
    this.#heard = heard;
    if (this.#asked !== undefined) return;
    // Not before an advert is missing.
    const due = Math.max(down - interval, heard + interval) as Instant;
    if (this.#timers.due('ask') !== due) this.#timers.set('ask', due);
    const missed = after(heard, micros(interval * SURELY_MISSING));
    if (this.#carriers === undefined && this.#timers.due('listen') !== missed)
      this.#timers.set('listen', missed);
  }

  /** One of its timers. */
  expired(timer: EvidenceTimer, missing: Missing | undefined, now: Instant): void {
    if (timer === 'ask') this.#ask(missing, now);
    else this.#listen(missing);
  }

  /** Others listen for connection sync from now on. */
  #listen(missing: Missing | undefined): void {
    this.#timers.clear('listen');
    if (missing === undefined) return;
    this.#carriers ??= new Map();
    this.#emit({ type: 'listen', lasts: micros(missing.interval * LISTENS) });
  }

  /** Asks the link for the master and the virtual addresses. */
  #ask(missing: Missing | undefined, now: Instant): void {
    if (missing === undefined) return;
    this.#timers.clear('ask');
    this.#listen(missing);
    this.#asked = now;
    this.#trouble = undefined;
    this.#answers.clear();
    const { address: master, interval } = missing;
    for (const asked of [master, ...this.#virtual.map(({ address }) => address.ip)])
      this.#answers.set(asked, NOBODY);
    this.#emit({ type: 'ask', master, addresses: this.#virtual, listen: micros(interval * (1 + PATIENCE)) });
  }

  hear(
    event: Extract<VrrpEvent, { type: 'asked' | 'answered' | 'carried' }>,
    missing: Missing | undefined,
    now: Instant,
  ): void {
    if (event.type === 'asked') this.#trouble = event.trouble;
    else if (event.type === 'carried') {
      if (event.own || event.from === missing?.address) this.#carriers?.set(event.from, now);
    } else if (this.#answers.has(event.address)) this.#answers.set(event.address, event.mac);
  }

  /**
   * The silence has ended, for `cause`. Whether more is needed: the word of the cluster (`weighed` follows), or answers
   * that there was no time for.
   */
  begins(missing: Missing | undefined, cause: string, now: Instant): boolean {
    if (this.#policy === 'silence' || missing === undefined) return false;
    if (this.#asked === undefined) this.#ask(missing, now);
    else if (since(now, this.#asked) >= missing.interval * PATIENCE) {
      this.#cause = cause;
      this.#emit({ type: 'weigh', master: missing.address });
    }
    return true;
  }

  /** All is known. Returns why the master is to be replaced; `undefined` when it is not. */
  weigh(
    { link, cluster }: Extract<VrrpEvent, { type: 'weighed' }>,
    missing: Missing | undefined,
    now: Instant,
  ): string | undefined {
    const cause = this.#cause;
    this.#cause = undefined;
    if (cause === undefined || missing === undefined) return undefined;
    const clues: Clues = {
      link,
      trouble: this.#trouble,
      virtual: this.#virtual.map(({ address }) => this.#answerOf(address.ip)),
      master: this.#answerOf(missing.address),
      carrier: this.#carrier(missing.interval, now),
      cluster,
    };
    this.#asked = undefined;
    const { verdict, why } = judge(this.#policy, clues);
    const decision = { verdict, why, evidence: findings(clues), times: 1, first: now, last: now };
    this.#keep(decision);
    const [still] = served(clues);
    if (still !== undefined && !this.#alarmed) {
      this.#alarmed = true;
      this.#emit({ type: 'still-served', master: missing.address, why });
    }
    if (verdict === 'fence') {
      this.#fenced = missing.address;
      this.#emit({ type: 'fence', master: missing.address, why });
    } else if (verdict === 'take') this.#fenced = undefined;
    else this.#spare();
    return verdict === 'take' ? `${cause}; ${why}` : undefined;
  }

  /** Who sends connection sync still. */
  #carrier(interval: Duration, now: Instant): Ip | undefined {
    const lasts = Math.max(CARRIED, interval * (1 + PATIENCE));
    return [...(this.#carriers ?? [])].findLast(([, at]) => since(now, at) <= lasts)?.[0];
  }

  get #virtual(): VirtualAddress[] {
    return this.#settings.addresses.slice(0, ASKED_MOST);
  }

  #answerOf(address: Ip): Asked {
    const mac = this.#answers.get(address) ?? NOBODY;
    return { address, ...(mac !== NOBODY && { mac }) };
  }

  /** The same again, of this silence, is no decision of its own. */
  #keep(decision: Decision): void {
    const before = this.#decisions.at(-1);
    const { verdict, why } = decision;
    const same = this.#judged && before?.verdict === verdict && before.why === why;
    this.#judged = true;
    if (!same) this.#emit({ type: 'decided', decision });
    const kept = same
      ? [...this.#decisions.slice(0, -1), { ...decision, times: before.times + 1, first: before.first }]
      : [...this.#decisions, decision];
    this.#decisions = kept.slice(-KEPT);
  }

  /** The master is not to be switched off any more. */
  #spare(): void {
    if (this.#fenced !== undefined) this.#emit({ type: 'fence', master: this.#fenced });
    this.#fenced = undefined;
  }

  /** The master is heard, or another silence begins. */
  #forget(): void {
    this.#timers.clear('ask');
    this.#timers.clear('listen');
    this.#carriers = undefined;
    this.#heard = undefined;
    this.#asked = undefined;
    this.#cause = undefined;
    this.#alarmed = false;
    this.#judged = false;
    this.#spare();
  }
}
