import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, micros, seconds, toSeconds } from '../time.ts';

/**
 * The kernel's watchdog (Documentation/watchdog/watchdog-api.rst): it resets this host unless it is fed. The loop that
 * elects and holds addresses feeds it, and only while nothing is held that must not be: a director that cannot let go
 * of its addresses takes the host along, before two have them for long.
 */
export interface WatchdogSettings {
  readonly device: string;
  /** Without food for so long it resets the host. */
  readonly timeout: Duration;
}

export type WatchdogEvent =
  /** The device is open, and bites after this time: drivers round it, or know one only. */
  | { readonly type: 'opened'; readonly timeout: Duration }
  | { readonly type: 'failed'; readonly why: string }
  /** The answer to `look`: addresses of ours that are there and must not be. */
  | { readonly type: 'found'; readonly illegal: readonly string[] };

export type WatchdogEffect =
  | { readonly type: 'open'; readonly settings: WatchdogSettings }
  /** What is held that must not be? */
  | { readonly type: 'look' }
  | { readonly type: 'feed' }
  | {
      readonly type: 'log';
      readonly level: 'crit' | 'error' | 'warning' | 'notice';
      readonly message: string;
    };

/** Meals in the time in which it bites: a late one, or two, must not reset a host. */
const MEALS = 5;
const RETRY_PAUSE: Duration = seconds(5);

export interface WatchdogStatus {
  readonly device: string;
  /** `closed`: the device cannot be opened; `starving`: it is not fed, and resets this host soon. */
  readonly state: 'closed' | 'fed' | 'starving';
  readonly timeout: Duration;
  readonly why: string;
}

export class Watchdog implements Machine<WatchdogEvent, WatchdogEffect> {
  readonly #settings: WatchdogSettings;
  #timeout: Duration;
  #state: WatchdogStatus['state'] = 'closed';
  #why = '';
  #next: Instant | undefined;
  #effects: WatchdogEffect[] = [];

  constructor(settings: WatchdogSettings, now: Instant) {
    this.#settings = settings;
    this.#timeout = settings.timeout;
    this.#next = now;
  }

  handle(event: WatchdogEvent, now: Instant): void {
    const { device } = this.#settings;
    switch (event.type) {
      case 'opened':
        this.#timeout = event.timeout;
        this.#log('notice', `the watchdog ${device} resets this host when it is not fed for ${this.#length}`);
        this.#become('fed', '');
        this.#next = now;
        break;
      case 'failed':
        if (this.#why !== event.why) this.#log('error', `no watchdog: ${event.why}; tried again and again`);
        this.#become('closed', event.why);
        this.#next = after(now, RETRY_PAUSE);
        break;
      case 'found':
        if (this.#state !== 'closed') this.#found(event.illegal);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#next;
  }

  timeout(now: Instant): void {
    if (this.#next === undefined || this.#next > now) return;
    if (this.#state === 'closed') {
      // Until it is told what came of it.
      this.#next = undefined;
      this.#effects.push({ type: 'open', settings: this.#settings });
      return;
    }
    this.#next = after(now, micros(this.#timeout / MEALS));
    this.#effects.push({ type: 'look' });
  }

  take(): WatchdogEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    return { timeout: this.#timeout, state: this.#state, why: this.#why, next: this.#next };
  }

  recall({ timeout, state, why, next }: ReturnType<Watchdog['memory']>): void {
    [this.#timeout, this.#state] = [timeout, state];
    [this.#why, this.#next] = [why, next];
  }

  status(): WatchdogStatus {
    const { device } = this.#settings;
    return { device, state: this.#state, timeout: this.#timeout, why: this.#why };
  }

  #found(illegal: readonly string[]): void {
    if (illegal.length === 0) {
      if (this.#state === 'starving') this.#log('notice', 'the watchdog is fed again: all is let go');
      this.#become('fed', '');
      this.#effects.push({ type: 'feed' });
      return;
    }
    const why = `${illegal.join(', ')} must not be held, and cannot be let go`;
    const told = this.#why === why;
    this.#become('starving', why);
    // One that is on its way out at this moment is no reason to speak.
    if (!told) return;
    this.#log('crit', `${why}: the watchdog resets this host within ${this.#length}`);
  }

  get #length(): string {
    return `${toSeconds(this.#timeout)} s`;
  }

  #become(state: WatchdogStatus['state'], why: string): void {
    this.#state = state;
    this.#why = why;
  }

  #log(level: 'crit' | 'error' | 'warning' | 'notice', message: string): void {
    this.#effects.push({ type: 'log', level, message });
  }
}
