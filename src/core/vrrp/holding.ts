import { after, type Duration, earliest, type Instant, seconds, type Timers } from '../time.ts';
import type { VrrpEffect } from './events.ts';
import type { AnnounceSettings, VirtualAddress, VrrpSettings } from './settings.ts';

export type HoldingTimer = 'announce' | 'refresh' | 'elsewhere';
type HoldingTimers = Pick<Timers<HoldingTimer>, 'set' | 'due' | 'clear'>;

/** What is to be announced together. */
interface Burst {
  readonly addresses: readonly VirtualAddress[];
  readonly repeat: number;
}

/**
 * What a master does with the addresses: holds them, and announces them: a burst at once, one after the
 * delay, and the periodic refreshes (counted from the delayed burst, as keepalived does).
 */
export class Holding {
  #lease: Duration;
  #announcing: AnnounceSettings;
  #addresses: readonly VirtualAddress[];
  #elsewhere: readonly VirtualAddress[];
  readonly #timers: HoldingTimers;
  readonly #emit: (effect: VrrpEffect) => void;
  #announced = 0 as Instant;
  /** What the timer `announce` is for, while it runs. */
  #waiting: Burst | undefined;

  /** `timers` are the instance's, which clears them when mastership ends. */
  constructor(settings: VrrpSettings, timers: HoldingTimers, emit: (effect: VrrpEffect) => void) {
    this.#lease = settings.lease;
    this.#announcing = settings.announce;
    this.#addresses = allOf(settings);
    this.#elsewhere = elsewhere(settings);
    this.#timers = timers;
    this.#emit = emit;
  }

  /**
   * Other settings. While `serving`, what is new among the addresses is installed and announced, now and after
   * the delay; what is gone goes; the others are not touched.
   */
  configure(settings: VrrpSettings, serving: boolean, now: Instant): void {
    const before = new Set(this.#addresses.map((address) => JSON.stringify(address)));
    const addresses = allOf(settings);
    const added = addresses.filter((address) => !before.delete(JSON.stringify(address)));
    const changed = added.length > 0 || before.size > 0 || settings.lease !== this.#lease;
    this.#lease = settings.lease;
    this.#announcing = settings.announce;
    this.#addresses = addresses;
    this.#elsewhere = elsewhere(settings);
    if (!serving) return;
    if (changed) this.#emit({ type: 'hold', addresses, lease: this.#lease });
    if (added.length > 0) this.#burst(added, now);
    this.#again('refresh', this.#announcing.refresh, now);
    this.#again('elsewhere', this.#period, now);
  }

  memory() {
    return { announced: this.#announced, waiting: this.#waiting };
  }

  recall({ announced, waiting }: ReturnType<Holding['memory']>): void {
    this.#announced = announced;
    this.#waiting = waiting;
  }

  /** At the beginning of mastership, or when it goes on after a stall. */
  hold(now: Instant): void {
    this.#waiting = undefined;
    this.#emit({ type: 'hold', addresses: this.#addresses, lease: this.#lease });
    this.#burst(this.#addresses, now);
    const { delay, refresh } = this.#announcing;
    if (refresh > 0) this.#timers.set('refresh', after(after(now, delay), refresh));
    if (this.#period > 0) this.#timers.set('elsewhere', after(after(now, delay), this.#period));
  }

  /** Of the refresh elsewhere; 0 for none. */
  get #period(): Duration {
    return this.#elsewhere.length === 0 ? seconds(0) : (this.#announcing.elsewhere?.period ?? seconds(0));
  }

  /** A refresh that other settings begin or end; one that runs comes when it was to. */
  #again(timer: 'refresh' | 'elsewhere', period: Duration, now: Instant): void {
    if (period === 0) this.#timers.clear(timer);
    else if (this.#timers.due(timer) === undefined) this.#timers.set(timer, after(now, period));
  }

  release(): void {
    this.#emit({ type: 'release', addresses: this.#addresses });
  }

  /**
   * A lesser master was heard, and neighbours may have heard it too: announces again, at once or when `pause`
   * has gone by since the last time.
   */
  contest(pause: Duration, now: Instant): void {
    const { repeat, delay, lowerRepeat = repeat, lowerDelay = delay } = this.#announcing;
    if (lowerRepeat === 0) return;
    const decent = after(this.#announced, pause);
    if (now >= decent) this.#burst(this.#addresses, now, lowerRepeat, lowerDelay);
    else this.#later(this.#addresses, lowerRepeat, earliest(this.#timers.due('announce'), decent) ?? decent);
  }

  expired(timer: HoldingTimer, now: Instant): void {
    const { refresh, refreshRepeat } = this.#announcing;
    switch (timer) {
      case 'announce':
        if (this.#waiting !== undefined) this.#announce(this.#waiting, now);
        this.#waiting = undefined;
        break;
      case 'refresh':
        this.#timers.set('refresh', after(now, refresh));
        this.#announce({ addresses: this.#addresses, repeat: refreshRepeat }, now);
        break;
      case 'elsewhere':
        this.#timers.set('elsewhere', after(now, this.#period));
        this.#announce({ addresses: this.#elsewhere, repeat: refreshRepeat }, now);
        break;
    }
  }

  /** Now, and again after the delay. */
  #burst(
    addresses: readonly VirtualAddress[],
    now: Instant,
    repeat = this.#announcing.repeat,
    delay = this.#announcing.delay,
  ): void {
    this.#announce({ addresses, repeat }, now);
    if (delay > 0) this.#later(addresses, repeat, after(now, delay));
  }

  /** One burst waits at a time: what was waiting goes with it. */
  #later(addresses: readonly VirtualAddress[], repeat: number, at: Instant): void {
    const { addresses: others = [], repeat: least = 0 } = this.#waiting ?? {};
    // An address that was taken out in the meantime is not ours to announce.
    const still = others.filter((other) => !addresses.includes(other) && this.#addresses.includes(other));
    this.#waiting = { addresses: [...addresses, ...still], repeat: Math.max(repeat, least) };
    this.#timers.set('announce', at);
  }

  #announce({ addresses, repeat }: Burst, now: Instant): void {
    this.#announced = now;
    this.#emit({ type: 'announce', addresses, repeat });
  }
}

/**
 * The addresses with a MAC address that no advert carries, so that switches forget where it is: on VMACs that speak
 * from the interface below, or have a VIP only; where `all` is said, on other interfaces too.
 */
function elsewhere(settings: VrrpSettings): VirtualAddress[] {
  const { announce, interface: device, virtual, transmitBase = false } = settings;
  const own = virtual?.name ?? device;
  const silent = transmitBase && virtual?.sort.kind === 'macvlan';
  return allOf(settings).filter(({ vmac, dev = own }) => {
    if (vmac !== undefined) return true;
    return dev === own ? silent : announce.elsewhere?.all === true;
  });
}

const allOf = ({ addresses, excluded }: VrrpSettings): VirtualAddress[] => [...addresses, ...excluded];
