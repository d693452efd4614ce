import { unreachable } from '../assert.ts';
import type { HandOverWord } from '../fence/heartbeat-codec.ts';
import type { Machine } from '../machine.ts';
import { PLANNED } from '../notify/happening.ts';
import { type Duration, type Instant, seconds, since } from '../time.ts';
import { TRUCE } from './giving.ts';

/** Planned hand-overs, as a backup sees them: it says whether it is ready, takes over when told to, and says so. */

/** So long after our answer the master may still say `take`: one that comes later may be old. */
const OFFER_AGE: Duration = seconds(3);

/** How a unit stands here. */
export interface Stand {
  readonly priority: number;
  /** Why it could not take over now. */
  readonly hindrance?: string | undefined;
}

export type TakingEvent =
  /** A master speaks to us; `stand`: how the unit stands then. */
  | { readonly type: 'said'; readonly from: string; readonly word: HandOverWord; readonly stand: Stand }
  /** All members of the unit are master, and have announced their addresses. */
  | { readonly type: 'serving'; readonly unit: string };

export type TakingEffect =
  | { readonly type: 'say'; readonly to: string; readonly word: HandOverWord }
  /** Its members are to be master at once, in peace with the other one. */
  | { readonly type: 'take'; readonly unit: string; readonly why: string; readonly truce: Duration };

interface Offer {
  readonly from: string;
  readonly number: number;
  /** When it was answered. */
  readonly at: Instant;
  readonly step: 'offered' | 'taking' | 'taken';
}

export class Taking implements Machine<TakingEvent, TakingEffect> {
  /** The last one of each unit. */
  readonly #offers = new Map<string, Offer>();
  #effects: TakingEffect[] = [];

  handle(event: TakingEvent, now: Instant): void {
    switch (event.type) {
      case 'said':
        if (event.word.step === 'offer') this.#offered(event, now);
        else if (event.word.step === 'take') this.#told(event, now);
        break;
      case 'serving': {
        const offer = this.#offers.get(event.unit);
        if (offer?.step === 'taking') this.#taken(event.unit, offer);
        break;
      }
      default:
        unreachable(event);
    }
  }

  deadline(): undefined {
    return undefined;
  }

  timeout(): void {
    // Nothing waits here.
  }

  take(): TakingEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory(): ReadonlyMap<string, Offer> | undefined {
    return this.#offers.size === 0 ? undefined : new Map(this.#offers);
  }

  recall(offers: ReadonlyMap<string, Offer> | undefined): void {
    for (const [unit, offer] of offers ?? []) this.#offers.set(unit, offer);
  }

  /** What is being taken over. */
  get units(): string[] {
    const units: string[] = [];
    // Asked after each event.
    for (const [unit, { step }] of this.#offers) if (step === 'taking') units.push(unit);
    return units;
  }

  #offered({ from, word, stand }: Extract<TakingEvent, { type: 'said' }>, now: Instant): void {
    const { unit, number } = word;
    const known = this.#offers.get(unit);
    // An offer that its own `take` has overtaken.
    if (known !== undefined && known.from === from && known.number === number && known.step !== 'offered')
      return;
    const { priority, hindrance: why } = stand;
    if (why === undefined) {
      this.#offers.set(unit, { from, number, at: now, step: 'offered' });
      this.#say(unit, { from, number }, { step: 'ready', priority });
    } else {
      this.#offers.delete(unit);
      this.#say(unit, { from, number }, { step: 'unready', why });
    }
  }

  #told({ from, word }: Extract<TakingEvent, { type: 'said' }>, now: Instant): void {
    const { unit, number } = word;
    const offer = this.#offers.get(unit);
    if (offer === undefined || offer.from !== from || offer.number !== number) return;
    if (offer.step === 'taken') this.#taken(unit, offer);
    if (offer.step !== 'offered' || since(now, offer.at) > OFFER_AGE) return;
    this.#offers.set(unit, { ...offer, step: 'taking' });
    this.#effects.push({ type: 'take', unit, why: `${PLANNED} of ${from}`, truce: TRUCE });
  }

  #taken(unit: string, offer: Offer): void {
    this.#offers.set(unit, { ...offer, step: 'taken' });
    this.#say(unit, offer, { step: 'taken' });
  }

  #say(
    unit: string,
    { from: to, number }: Pick<Offer, 'from' | 'number'>,
    more: Pick<HandOverWord, 'step' | 'priority' | 'why'>,
  ): void {
    this.#effects.push({ type: 'say', to, word: { type: 'hand-over', unit, number, ...more } });
  }
}
