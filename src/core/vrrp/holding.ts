import { after, type Duration, earliest, type Instant, type Timers } from '../time.ts';
import type { VrrpEffect } from './events.ts';
import type { AnnounceSettings, VirtualAddress, VrrpSettings } from './settings.ts';

export type HoldingTimer = 'announce' | 'refresh';
type HoldingTimers = Pick<Timers<HoldingTimer>, 'set' | 'due'>;

/**
 * What a master does with the addresses: holds them, and announces them: a burst at once, one after the
 * delay, and the periodic refresh (counted from the delayed burst, as keepalived does).
 */
export class Holding {
  readonly #lease: Duration;
  readonly #announcing: AnnounceSettings;
  readonly #addresses: readonly VirtualAddress[];
  readonly #timers: HoldingTimers;
  readonly #emit: (effect: VrrpEffect) => void;
  #announced = 0 as Instant;

  /** `timers` are the instance's, which clears them when mastership ends. */
  constructor(settings: VrrpSettings, timers: HoldingTimers, emit: (effect: VrrpEffect) => void) {
    this.#lease = settings.lease;
    this.#announcing = settings.announce;
    this.#addresses = [...settings.addresses, ...settings.excluded];
    this.#timers = timers;
    this.#emit = emit;
  }

  /** At the beginning of mastership, or when it goes on after a stall. */
  hold(now: Instant): void {
    this.#emit({ type: 'hold', addresses: this.#addresses, lease: this.#lease });
    this.#burst(now);
    const { delay, refresh } = this.#announcing;
    if (refresh > 0) this.#timers.set('refresh', after(after(now, delay), refresh));
  }

  release(): void {
    this.#emit({ type: 'release', addresses: this.#addresses });
  }

  /**
   * A lesser master was heard, and neighbours may have heard it too: announces again, at once or when `pause`
   * has gone by since the last time.
   */
  contest(pause: Duration, now: Instant): void {
    const decent = after(this.#announced, pause);
    if (now >= decent) this.#burst(now);
    else this.#timers.set('announce', earliest(this.#timers.due('announce'), decent) ?? decent);
  }

  expired(timer: HoldingTimer, now: Instant): void {
    const { repeat, refresh, refreshRepeat } = this.#announcing;
    switch (timer) {
      case 'announce':
        this.#announce(repeat, now);
        break;
      case 'refresh':
        this.#timers.set('refresh', after(now, refresh));
        this.#announce(refreshRepeat, now);
        break;
    }
  }

  #burst(now: Instant): void {
    const { repeat, delay } = this.#announcing;
    this.#announce(repeat, now);
    if (delay > 0) this.#timers.set('announce', after(now, delay));
  }

  #announce(repeat: number, now: Instant): void {
    this.#announced = now;
    this.#emit({ type: 'announce', addresses: this.#addresses, repeat });
  }
}
