import { after, type Duration, type Instant, micros, since } from '../time.ts';

/**
 * Promises of one voter, a director or a witness. A promise with an end: "until then I give nobody else my vote for
 * this claim". A claim is a virtual router or a sync group, by its name.
 *
 * The voter counts from when it *received* the request and adds the drift margin; the holder counts from when it
 * *sent* it (authority.ts). So a promise never ends here before it ended there, and no clock is compared.
 */

/** A request for a vote. */
export interface Ask {
  readonly claim: string;
  /** Who asks, and which of its lives: a director that restarts has another. */
  readonly director: string;
  readonly life: string;
  /** Grows with each request and release of a life: what overtakes on the network is told by it. */
  readonly number: number;
  /** How long the promise is to last; absent: until it is released (a pair that only fences). */
  readonly duration?: Duration | undefined;
}

export type Release = Omit<Ask, 'duration'>;

export type Answer =
  | { readonly type: 'granted' }
  /** `holder` has the vote for `left` more; both absent where the voter promises nothing to anybody yet. */
  | { readonly type: 'refused'; readonly why: string; readonly holder?: string; readonly left?: Duration };

export interface VoterSettings {
  /** No promise is longer. All voters and directors of a cluster must have the same. */
  readonly longest: Duration;
  /** How much faster one clock of the cluster may go than another: 0.01 is one percent. */
  readonly margin: number;
}

interface Given {
  readonly director: string;
  readonly life: string;
  readonly number: number;
  /** `undefined`: until it is released. */
  readonly until: Instant | undefined;
}

/** `length` by a clock that may go faster than the others by the margin. */
export const withMargin = (length: Duration, margin: number): Duration =>
  micros(Math.ceil(length * (1 + margin)));

export class Voter {
  readonly #settings: VoterSettings;
  /** Until then nothing is promised: what an earlier life promised is forgotten. */
  readonly #silentUntil: Instant;
  readonly #given = new Map<string, Given>();
  /** The last number of each director's life, by claim: what is older was overtaken. */
  readonly #numbers = new Map<string, { readonly life: string; readonly number: number }>();

  /** `started`: when this life began; a voter that knows that it promised nothing before passes `forgets` false. */
  constructor(settings: VoterSettings, started: Instant, forgets = true) {
    this.#settings = settings;
    this.#silentUntil = forgets ? after(started, withMargin(settings.longest, settings.margin)) : started;
  }

  memory() {
    return { given: new Map(this.#given), numbers: new Map(this.#numbers) };
  }

  recall({ given, numbers }: ReturnType<Voter['memory']>): void {
    for (const [claim, each] of given) this.#given.set(claim, each);
    for (const [key, last] of numbers) this.#numbers.set(key, last);
  }

  /** Answers a request that is received `now`; `undefined` for one that a later one has overtaken. */
  ask(ask: Ask, now: Instant): Answer | undefined {
    if (!this.#isNews(ask)) return undefined;
    const { duration, director, life, number, claim } = ask;
    const { longest, margin } = this.#settings;
    if (duration !== undefined && duration > longest) {
      return { type: 'refused', why: 'the promise is longer than the longest of this voter' };
    }
    // A promise without an end outlives its voter: who may hold one cannot be waited for, but asks for all votes.
    if (duration !== undefined && now < this.#silentUntil) {
      return {
        type: 'refused',
        why: 'the voter has just started and waits until older promises have ended',
        left: since(this.#silentUntil, now),
      };
    }
    const held = this.#heldBy(claim, now);
    if (held !== undefined && held.director !== director) {
      const left = held.until === undefined ? {} : { left: since(held.until, now) };
      return {
        type: 'refused',
        why: `its vote is promised to ${held.director}`,
        holder: held.director,
        ...left,
      };
    }
    const until = duration === undefined ? undefined : after(now, withMargin(duration, margin));
    this.#given.set(claim, { director, life, number, until: latest(held, until) });
    return { type: 'granted' };
  }

  /** The holder has let go, and says so. A release that a later request has overtaken releases nothing. */
  release(release: Release): void {
    if (!this.#isNews(release)) return;
    const given = this.#given.get(release.claim);
    if (given?.director === release.director && given.life === release.life)
      this.#given.delete(release.claim);
  }

  /**
   * That life of the director has ended for certain: it was fenced. Promises to it end, those of `only` where that is
   * given; those to a later life stay.
   */
  fenced(director: string, life: string, only?: readonly string[]): void {
    for (const [claim, given] of this.#given) {
      if (only !== undefined && !only.includes(claim)) continue;
      if (given.director === director && given.life === life) this.#given.delete(claim);
    }
  }

  /** A director is heard in another life: what its earlier ones held went with them. */
  reborn(director: string, life: string): void {
    for (const [claim, given] of this.#given) {
      if (given.director === director && given.life !== life && given.until === undefined)
        this.#given.delete(claim);
    }
  }

  /** Who has the vote for the claim now, and until when; `undefined` when it is free. */
  #heldBy(claim: string, now: Instant): Given | undefined {
    const given = this.#given.get(claim);
    return given !== undefined && (given.until === undefined || given.until > now) ? given : undefined;
  }

  /** Who has the vote for the claim now: for the status. */
  holder(claim: string, now: Instant): { readonly director: string; readonly left?: Duration } | undefined {
    const held = this.#heldBy(claim, now);
    if (held === undefined) return undefined;
    return { director: held.director, ...(held.until !== undefined && { left: since(held.until, now) }) };
  }

  #isNews({ claim, director, life, number }: Release): boolean {
    const key = `${claim}\n${director}`;
    const last = this.#numbers.get(key);
    if (last !== undefined && last.life === life && number <= last.number) return false;
    this.#numbers.set(key, { life, number });
    return true;
  }
}

/** The end of a promise that is given again: never earlier than it was. */
function latest(held: Given | undefined, until: Instant | undefined): Instant | undefined {
  if (held === undefined) return until;
  if (held.until === undefined || until === undefined) return undefined;
  return held.until > until ? held.until : until;
}
