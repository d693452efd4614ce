import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, seconds } from '../time.ts';

/** `done`: the reload that was to be made is over. */
export type ReloadsEvent = { readonly type: 'asked' } | { readonly type: 'done' };
export type ReloadsEffect = { readonly type: 'reload' };

/** From the end of a reload that a signal asked for to the next that one does. */
export const RELOAD_PAUSE: Duration = seconds(1);

/**
 * When the configuration is read for a signal: at once, but many signals within a short time are one reload more, after
 * the last. What is in the file when a signal is sent is always read afterwards.
 */
export class Reloads implements Machine<ReloadsEvent, ReloadsEffect> {
  #effects: ReloadsEffect[] = [];
  #notBefore: Instant | undefined;
  #wanted = false;

  handle(event: ReloadsEvent, now: Instant): void {
    if (event.type === 'done') {
      this.#notBefore = after(now, RELOAD_PAUSE);
      return;
    }
    if (this.#notBefore === undefined || this.#notBefore <= now) this.#reload();
    else this.#wanted = true;
  }

  deadline(): Instant | undefined {
    return this.#wanted ? this.#notBefore : undefined;
  }

  timeout(now: Instant): void {
    if (this.#wanted && this.#notBefore !== undefined && this.#notBefore <= now) this.#reload();
  }

  take(): ReloadsEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #reload(): void {
    this.#wanted = false;
    this.#notBefore = undefined;
    this.#effects.push({ type: 'reload' });
  }
}
