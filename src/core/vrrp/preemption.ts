import { after, type Instant, type Timers } from '../time.ts';
import { OWNER } from './packet.ts';
import type { VrrpSettings } from './settings.ts';

export type PreemptionTimer = 'preempt';

/**
 * Whether a backup takes over from a lesser master: `preempt`, `nopreempt`, `preempt_delay`, and that it does
 * not after a planned hand-over. An address owner always does.
 *
 * `preempt_delay` runs from the first advert of a lesser master; until it has run out that master is followed
 * like any other, so that its death is noticed as usual.
 */
export class Preemption {
  #settings: VrrpSettings;
  readonly #timers: Pick<Timers<PreemptionTimer>, 'set' | 'due' | 'clear'>;
  #patienceOver = false;
  /** After a planned hand-over: whoever is master then is not preempted. */
  yields = false;

  /** `timers` are the instance's, which hands `preempt` to `expired` while it is backup. */
  constructor(settings: VrrpSettings, timers: Pick<Timers<PreemptionTimer>, 'set' | 'due' | 'clear'>) {
    this.#settings = settings;
    this.#timers = timers;
  }

  configure(settings: VrrpSettings): void {
    this.#settings = settings;
  }

  /** False is `nopreempt`. */
  get allowed(): boolean {
    return this.#settings.preempt || this.#settings.priority === OWNER;
  }

  /** Whether no lesser master is preempted. */
  get sparing(): boolean {
    return this.yields || !this.allowed;
  }

  /** Begins anew: the state changed, or a master is followed that is not lesser. */
  reset(): void {
    this.#patienceOver = false;
    this.#timers.clear('preempt');
  }

  /** Whether a master of this priority is left alone, and followed. */
  spares(priority: number, now: Instant): boolean {
    const { priority: own, preemptDelay } = this.#settings;
    if (priority >= own || !this.allowed || this.yields) {
      this.reset();
      return true;
    }
    if (own === OWNER || preemptDelay === undefined || this.#patienceOver) return false;
    if (this.#timers.due('preempt') === undefined) this.#timers.set('preempt', after(now, preemptDelay));
    return true;
  }

  memory() {
    return { patienceOver: this.#patienceOver, yields: this.yields };
  }

  recall({ patienceOver, yields }: ReturnType<Preemption['memory']>): void {
    this.#patienceOver = patienceOver;
    this.yields = yields;
  }

  /** `preempt_delay` is over. */
  expired(): void {
    this.#patienceOver = true;
  }
}
