import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, millis, seconds } from '../time.ts';

/** So long before a takeover it is rehearsed: several times what a takeover takes. */
const LEAD = millis(5);
/** One rehearsal does for all takeovers within this time. */
const PAUSE = seconds(1);

/** `looked`: who waits for a master may have changed. */
export type RehearsalEvent = { readonly type: 'looked' };
/** `prepare` comes when there is time for it. */
export type RehearsalEffect = { readonly type: 'rehearse' | 'prepare' };

/**
 * When a takeover is rehearsed: as the last thing before one. While adverts come a backup's takeover is put off again
 * and again, which is not followed: it is looked at when it would have been.
 */
export class RehearsalTime implements Machine<RehearsalEvent, RehearsalEffect> {
  readonly #takeover: () => Instant | undefined;
  #next: Instant | undefined;
  /** Until then one was rehearsed lately. */
  #pause: Instant | undefined;
  #effects: RehearsalEffect[] = [];

  /** `takeover`: when the first of the backups takes over unless an advert comes; `undefined`: there is none. */
  constructor(takeover: () => Instant | undefined) {
    this.#takeover = takeover;
  }

  handle(_event: RehearsalEvent, now: Instant): void {
    this.#look(now);
  }

  deadline(): Instant | undefined {
    return this.#next;
  }

  timeout(now: Instant): void {
    if (this.#next !== undefined && this.#next <= now) this.#look(now);
  }

  take(): RehearsalEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #look(now: Instant): void {
    if (this.#pause !== undefined && this.#pause > now) return;
    if (this.#pause !== undefined) this.#effects.push({ type: 'prepare' });
    this.#pause = undefined;
    const takeover = this.#takeover();
    this.#next = takeover && after(takeover, -LEAD as Duration);
    if (this.#next === undefined || this.#next > now) return;
    this.#effects.push({ type: 'rehearse' });
    this.#pause = after(now, PAUSE);
    this.#next = this.#pause;
  }
}
