import { after, type Duration, type Instant, type Timers, toSeconds } from '../time.ts';
import { OWNER } from './packet.ts';
import type { VrrpSettings } from './settings.ts';

export type PreemptionTimer = 'preempt' | 'sync';

/**
 * Whether a backup takes over from a lesser master: `preempt`, `nopreempt`, `preempt_delay`, and that it does
 * not after a planned hand-over. An address owner always does.
 *
 * `preempt_after_sync` ends when the connection table is complete, or its time is over. That and
 * `preempt_delay` run from the first advert of a lesser master; until both have run out that master is followed
 * like any other, so that its death is noticed as usual.
 */
export class Preemption {
  #settings: VrrpSettings;
  readonly #timers: Pick<Timers<PreemptionTimer>, 'set' | 'due' | 'clear'>;
  #patienceOver = false;
  /** Whether our connection table was complete when somebody spoke of it last. */
  #complete = false;
  #deadlineOver = false;
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
    this.#deadlineOver = false;
    this.#timers.clear('preempt');
    this.#timers.clear('sync');
  }

  /** Whether a master of this priority is left alone, and followed. */
  spares(priority: number, now: Instant): boolean {
    const { priority: own, preemptDelay, preemptAfterSync } = this.#settings;
    if (priority >= own || !this.allowed || this.yields) {
      this.reset();
      return true;
    }
    if (own === OWNER) return false;
    const delayed = this.#waits('preempt', preemptDelay, this.#patienceOver, now);
    return this.#waits('sync', preemptAfterSync, this.#complete || this.#deadlineOver, now) || delayed;
  }

  #waits(timer: PreemptionTimer, length: Duration | undefined, over: boolean, now: Instant): boolean {
    if (length === undefined || over) return false;
    if (this.#timers.due(timer) === undefined) this.#timers.set(timer, after(now, length));
    return true;
  }

  memory() {
    const { yields } = this;
    return {
      patienceOver: this.#patienceOver,
      complete: this.#complete,
      deadlineOver: this.#deadlineOver,
      yields,
    };
  }

  recall({ patienceOver, complete, deadlineOver, yields }: ReturnType<Preemption['memory']>): void {
    this.#patienceOver = patienceOver;
    this.#complete = complete;
    this.#deadlineOver = deadlineOver;
    this.yields = yields;
  }

  /** That time is over; whether a lesser master is left alone no longer. */
  expired(timer: PreemptionTimer): boolean {
    if (timer === 'preempt') this.#patienceOver = true;
    else this.#deadlineOver = true;
    return this.#isOver;
  }

  /** News of our connection table; whether a lesser master is left alone no longer. */
  synced(complete: boolean): boolean {
    this.#complete = complete;
    if (!complete || this.#timers.due('sync') === undefined) return false;
    this.#timers.clear('sync');
    return this.#isOver;
  }

  get #isOver(): boolean {
    return this.#timers.due('preempt') === undefined && this.#timers.due('sync') === undefined;
  }

  /** What is to be said of the connection table when a master of a lesser priority is replaced. */
  get words(): string {
    const { preemptAfterSync } = this.#settings;
    if (preemptAfterSync === undefined) return '';
    if (this.#complete) return '; the connection table is complete';
    const late = `after ${toSeconds(preemptAfterSync)} s the connection table is not complete`;
    return this.#deadlineOver ? `; ${late}` : '';
  }
}
