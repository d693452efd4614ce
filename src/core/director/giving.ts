import { unreachable } from '../assert.ts';
import type { HandOverWord } from '../fence/heartbeat-codec.ts';
import type { Machine } from '../machine.ts';
import { PLANNED } from '../notify/happening.ts';
import { after, type Duration, earliest, type Instant, millis, seconds, toSeconds } from '../time.ts';

/**
 * Planned hand-overs, as the leaving master leads them. What is handed over is a *unit*: a virtual router, or all of a
 * sync group.
 *
 *   offering ── the best who is ready ──> taking ── it has taken ──> lingering ──> parting
 *
 * It serves until its heir has said that it answers for the addresses and has announced them, and a moment longer: what
 * was on its way still finds it. Then it resigns with priority 0, at which the heir announces again.
 *
 * Where votes decide who may hold the addresses there is no such moment with two: it parts first, its votes go with the
 * addresses, and only then it says `take`.
 *
 *   offering ──> parting ──> taking
 *
 * Each step has an end, after which it goes on as without an heir: priority 0, and the best backup takes over when its
 * skew is over.
 */

/** How long who could take over may take to say so, and others after the first. */
const OFFER_LIMIT: Duration = millis(300);
const OTHERS_LIMIT: Duration = millis(20);
/**
 * How long the heir may take for a unit, or from one to the next, while this director serves on. For one with more
 * addresses than fit into that, it takes over as without a hand-over.
 */
const TAKE_LIMIT: Duration = seconds(1);
/** The same where votes decide: one that is lost is asked for again, and nobody waits for this director. */
const VOTES_LIMIT: Duration = seconds(1);
/** What is on its way to this director is there by then. */
const LINGER: Duration = millis(20);
/** The kernel may refuse to remove addresses. */
const PART_LIMIT: Duration = seconds(1);
/** What was not answered is said again. */
const REPEAT: Duration = millis(50);
/** Peace lasts longer than all of it. */
export const TRUCE: Duration = seconds(2);

/** What is to be handed over, and what for. */
export interface HandOverWish {
  /** Virtual routers and sync groups by their names; absent: all that this director is master of. */
  readonly names?: readonly string[];
  /** Whoever takes over is not preempted: the operator wants it so. */
  readonly stays: boolean;
  /** Directors do not speak to each other. */
  readonly alone: boolean;
  readonly why: string;
}

/** How the members of a unit are told to end: `resign` leaves whoever is master then alone (events of a router). */
export type Parting = 'resign' | 'yield';

export type GivingEvent =
  /** `votes`: they decide who may hold it. `alone`: there is no director to speak to. */
  | {
      readonly type: 'give';
      readonly unit: string;
      readonly votes: boolean;
      readonly alone: boolean;
      readonly parting: Parting;
      readonly why: string;
    }
  | { readonly type: 'said'; readonly from: string; readonly word: HandOverWord }
  /** No member is master any more, none of its addresses is answered for, and the votes are given back. */
  | { readonly type: 'left'; readonly unit: string };

export type GivingEffect =
  | { readonly type: 'say'; readonly to?: string; readonly word: HandOverWord }
  /** Its members serve on, in peace with another master. */
  | { readonly type: 'truce'; readonly unit: string; readonly truce: Duration }
  | { readonly type: 'part'; readonly unit: string; readonly parting: Parting; readonly why: string }
  | ({ readonly type: 'given' } & Given);

/** How a hand-over ended. */
export interface Given {
  readonly unit: string;
  /**
   * `taken`: by `to`, without a gap where votes do not forbid that. `resigned`: with priority 0, for whoever takes it.
   * `kept`: nothing was changed.
   */
  readonly outcome: 'taken' | 'resigned' | 'kept';
  readonly to?: string;
  readonly why?: string;
}

interface Hand {
  readonly votes: boolean;
  readonly parting: Parting;
  readonly why: string;
  readonly number: number;
  readonly step: 'offering' | 'taking' | 'lingering' | 'parting';
  /** When the step ends in any case. */
  readonly until: Instant;
  /** When it is to be said again. */
  readonly again: Instant | undefined;
  readonly heir?: string;
  /** Why it is handed over to nobody. */
  readonly vain?: string;
  readonly answers: ReadonlyMap<string, HandOverWord>;
}

export class Giving implements Machine<GivingEvent, GivingEffect> {
  readonly #hands = new Map<string, Hand>();
  /** When each heir last said that it has taken over a unit: with hundreds it works for a while. */
  readonly #worked = new Map<string, Instant>();
  #effects: GivingEffect[] = [];

  handle(event: GivingEvent, now: Instant): void {
    switch (event.type) {
      case 'give':
        this.#give(event, now);
        break;
      case 'said':
        this.#said(event.from, event.word, now);
        break;
      case 'left':
        this.#left(event.unit, now);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { until, again } of this.#hands.values()) next = earliest(earliest(next, until), again);
    return next;
  }

  timeout(now: Instant): void {
    for (const [unit, hand] of [...this.#hands]) {
      if (hand.until <= now) this.#ended(unit, hand, now);
      else if (hand.again !== undefined && hand.again <= now) this.#say(unit, hand, now);
    }
  }

  take(): GivingEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** `undefined` while nothing is handed over. */
  memory() {
    return this.#hands.size === 0
      ? undefined
      : { hands: new Map(this.#hands), worked: new Map(this.#worked) };
  }

  recall(memory: ReturnType<Giving['memory']>): void {
    for (const [unit, hand] of memory?.hands ?? []) this.#hands.set(unit, hand);
    for (const [heir, at] of memory?.worked ?? []) this.#worked.set(heir, at);
  }

  /** What is being handed over. */
  get units(): string[] {
    return [...this.#hands.keys()];
  }

  #give({ unit, votes, alone, parting, why }: Extract<GivingEvent, { type: 'give' }>, now: Instant): void {
    if (this.#hands.has(unit)) return;
    if (this.#hands.size === 0) this.#worked.clear();
    const hand = { votes, parting, why, number: now, answers: new Map<string, HandOverWord>() };
    if (alone) {
      this.#part(unit, { ...hand, step: 'parting', until: now, again: undefined }, now);
      return;
    }
    this.#say(unit, { ...hand, step: 'offering', until: after(now, OFFER_LIMIT), again: now }, now);
  }

  /** The offer, or the word to take it: now, and again while there is no answer. */
  #say(unit: string, hand: Hand, now: Instant): void {
    const { number, step, heir } = hand;
    const word = { type: 'hand-over', unit, number } as const;
    if (step === 'offering') this.#effects.push({ type: 'say', word: { ...word, step: 'offer' } });
    else if (heir !== undefined)
      this.#effects.push({ type: 'say', to: heir, word: { ...word, step: 'take' } });
    this.#hands.set(unit, { ...hand, again: after(now, REPEAT) });
  }

  #said(from: string, word: HandOverWord, now: Instant): void {
    const hand = this.#hands.get(word.unit);
    if (hand === undefined || hand.number !== word.number) return;
    if (hand.step === 'offering' && (word.step === 'ready' || word.step === 'unready')) {
      const answers = new Map(hand.answers).set(from, word);
      const soon = after(now, OTHERS_LIMIT);
      const until = word.step === 'ready' && soon < hand.until ? soon : hand.until;
      this.#hands.set(word.unit, { ...hand, answers, until });
    } else if (hand.step === 'taking' && word.step === 'taken' && from === hand.heir) {
      this.#worked.set(from, now);
      if (hand.votes) this.#done(word.unit, hand);
      else
        this.#hands.set(word.unit, {
          ...hand,
          step: 'lingering',
          until: after(now, LINGER),
          again: undefined,
        });
    }
  }

  /** The step's time is over. */
  #ended(unit: string, hand: Hand, now: Instant): void {
    switch (hand.step) {
      case 'offering':
        this.#choose(unit, hand, now);
        break;
      case 'lingering':
        this.#part(unit, hand, now);
        break;
      case 'taking': {
        const limit = hand.votes ? VOTES_LIMIT : TAKE_LIMIT;
        const worked = this.#worked.get(hand.heir ?? '');
        if (worked !== undefined && after(worked, limit) > now) {
          this.#hands.set(unit, { ...hand, until: after(worked, limit) });
          break;
        }
        const vain = `${hand.heir} did not say within ${toSeconds(limit)} s that it has taken over`;
        if (hand.votes) this.#done(unit, { ...hand, vain });
        else this.#part(unit, { ...hand, vain }, now);
        break;
      }
      case 'parting':
        this.#done(unit, { ...hand, vain: hand.vain ?? 'the kernel does not let its addresses go' });
        break;
      default:
        unreachable(hand.step);
    }
  }

  #choose(unit: string, hand: Hand, now: Instant): void {
    const ready = [...hand.answers].filter(([, { step }]) => step === 'ready');
    const [best] = ready.sort(([, a], [, b]) => (b.priority ?? 0) - (a.priority ?? 0));
    if (best === undefined) {
      this.#hands.delete(unit);
      const said = Array.from(hand.answers, ([name, { why }]) => `${name}: ${why}`);
      this.#effects.push({
        type: 'given',
        unit,
        outcome: 'kept',
        why: said.join('; ') || 'no director has answered',
      });
      return;
    }
    const heir = best[0];
    if (hand.votes) {
      this.#part(unit, { ...hand, heir }, now);
      return;
    }
    this.#effects.push({ type: 'truce', unit, truce: TRUCE });
    this.#say(unit, { ...hand, heir, step: 'taking', until: after(now, TAKE_LIMIT) }, now);
  }

  #part(unit: string, hand: Hand, now: Instant): void {
    this.#hands.set(unit, { ...hand, step: 'parting', until: after(now, PART_LIMIT), again: undefined });
    const to = hand.heir === undefined || hand.vain !== undefined ? '' : ` to ${hand.heir}`;
    const why = `${PLANNED}${to}: ${hand.why}`;
    this.#effects.push({ type: 'part', unit, parting: hand.parting, why });
  }

  #left(unit: string, now: Instant): void {
    const hand = this.#hands.get(unit);
    if (hand === undefined) return;
    if (hand.step === 'offering') this.#done(unit, { ...hand, vain: 'it ceased to be master meanwhile' });
    else if (hand.step !== 'parting') return;
    else if (hand.votes && hand.heir !== undefined)
      this.#say(unit, { ...hand, step: 'taking', until: after(now, VOTES_LIMIT) }, now);
    else this.#done(unit, hand);
  }

  #done(unit: string, { heir, vain }: Hand): void {
    this.#hands.delete(unit);
    const ended =
      vain === undefined && heir !== undefined
        ? ({ outcome: 'taken', to: heir } as const)
        : ({ outcome: 'resigned', ...(vain !== undefined && { why: vain }) } as const);
    this.#effects.push({ type: 'given', unit, ...ended });
  }
}
