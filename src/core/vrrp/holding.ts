import { after, type Duration, earliest, type Instant, micros, since, type Timers } from '../time.ts';
import type { VrrpEffect } from './events.ts';
import type { AnnounceSettings, VirtualAddress, VrrpSettings } from './settings.ts';

export type HoldingTimer = 'renew' | 'announce' | 'refresh';
type HoldingTimers = Pick<Timers<HoldingTimer>, 'set' | 'due'>;

/** The addresses are renewed with an advert when a quarter of the lease is used ... */
const RENEW_WITH_ADVERT = 1 / 4;
/** ... and without one when two thirds are: adverts may be rarer than that. */
const RENEW_ALONE = 2 / 3;

/**
 * What a master does with the addresses: holds them, renews the kernel's lease on them, and announces them:
 * a burst at once, one after the delay, and the periodic refresh (counted from the delayed burst, as
 * keepalived does).
 */
export class Holding {
  readonly #lease: Duration;
  readonly #announcing: AnnounceSettings;
  readonly #addresses: readonly VirtualAddress[];
  readonly #timers: HoldingTimers;
  readonly #emit: (effect: VrrpEffect) => void;
  #renewed = 0 as Instant;
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
    this.#renew(now);
    this.#burst(now);
    const { delay, refresh } = this.#announcing;
    if (refresh > 0) this.#timers.set('refresh', after(after(now, delay), refresh));
  }

  release(): void {
    this.#emit({ type: 'release', addresses: this.#addresses });
  }

  advertSent(now: Instant): void {
    if (this.#lease > 0 && since(now, this.#renewed) >= this.#lease * RENEW_WITH_ADVERT) this.#renew(now);
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

  /** The kernel may have removed the addresses: they were not renewed in time. */
  leaseHasRunOut(now: Instant): boolean {
    return this.#lease > 0 && since(now, this.#renewed) > this.#lease;
  }

  expired(timer: HoldingTimer, now: Instant): void {
    const { repeat, refresh, refreshRepeat } = this.#announcing;
    switch (timer) {
      case 'renew':
        this.#renew(now);
        break;
      case 'announce':
        this.#announce(repeat, now);
        break;
      case 'refresh':
        this.#timers.set('refresh', after(now, refresh));
        this.#announce(refreshRepeat, now);
        break;
    }
  }

  #renew(now: Instant): void {
    this.#renewed = now;
    this.#emit({ type: 'hold', addresses: this.#addresses, lease: this.#lease });
    if (this.#lease > 0) this.#timers.set('renew', after(now, micros(this.#lease * RENEW_ALONE)));
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
