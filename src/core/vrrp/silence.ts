import type { Ip } from '../ip.ts';
import { after, type Duration, type Instant, micros, since, type Timers } from '../time.ts';
import { downInterval, listenInterval, skewTime, text } from './intervals.ts';
import type { Advert } from './packet.ts';
import type { Reports } from './reports.ts';
import type { VrrpSettings } from './settings.ts';

export type SilenceTimer = 'down' | 'pulse';
type SilenceTimers = Pick<Timers<SilenceTimer>, 'set' | 'due'>;

/**
 * After so many listening periods in a row that were stalled themselves, silence is believed all the same:
 * on a machine that is always late a takeover must not wait for ever.
 */
const MAX_LISTENS = 3;
/** Advert intervals to the first pulse: an advert that is half an interval late is missing. */
const FIRST_PULSE = 1.5;

/** The master that a backup follows. */
interface Followed {
  readonly address: Ip;
  readonly priority: number;
  readonly heard: Instant;
}

/**
 * The Master_Down_Timer of a backup (Active_Down_Timer in RFC 9568, 6.2), and whether its end may be believed.
 *
 * It never believes a late timer. By contract all packets that waited were handled before `timeout`, but a
 * machine that was paused may have lost them. So silence counts only when it ends with a stretch
 * (`listenInterval`) in which the router was awake; the timer `pulse`, one advert interval apart while
 * adverts are missing, finds out whether it was. Adverts push the pulse away, so in a healthy network it
 * never fires.
 */
export class Silence {
  #settings: VrrpSettings;
  readonly #timers: SilenceTimers;
  readonly #reports: Reports;
  #began = 0 as Instant;
  #followed: Followed | undefined;
  /** The master's, learned from its adverts in version 3. */
  #interval: Duration;
  /** Why we become master when the silence ends, where it is not the whole reason. */
  #because: string | undefined;
  #listens = 0;
  /** When the Master_Down_Timer was started, while it runs for a whole Master_Down_Interval. */
  #whole: Instant | undefined;

  /** `timers` are the instance's, which hands `down` to `ended` and `pulse` to `pulse`. */
  constructor(settings: VrrpSettings, timers: SilenceTimers, reports: Reports) {
    this.#settings = settings;
    this.#timers = timers;
    this.#reports = reports;
    this.#interval = settings.advertInterval;
  }

  /** The master as last heard, `undefined` when none is followed. */
  get master(): (Followed & { readonly interval: Duration }) | undefined {
    return this.#followed && { ...this.#followed, interval: this.#interval };
  }

  /** The same while its silence alone would make us master: it has not resigned, and is not preempted. */
  get missing(): (Followed & { readonly interval: Duration }) | undefined {
    return this.#because === undefined ? this.master : undefined;
  }

  /**
   * Other settings, or another effective priority (in `settings`). The silence goes on by the new measure. Where
   * that is over already, a living master gets the time to speak: patience that shrinks is no evidence. A timer
   * that is overdue is left to `ended` and `pulse`, which judge how late it is.
   */
  configure(settings: VrrpSettings, now: Instant): void {
    this.#settings = settings;
    if (this.#followed === undefined || settings.version === 2) this.#interval = settings.advertInterval;
    const [down, pulse] = [this.#timers.due('down'), this.#timers.due('pulse')];
    if (this.#whole === undefined || down === undefined || down <= now || (pulse ?? now) <= now) return;
    const whole = after(this.#whole, downInterval(settings, this.#interval));
    const short = after(now, listenInterval(settings, this.#interval));
    this.#timers.set('down', whole > now ? whole : short);
    this.#timers.set('pulse', after(now, micros(this.#interval * FIRST_PULSE)));
  }

  /** Nobody was heard yet: starts the Master_Down_Timer with a whole Master_Down_Interval. */
  begin(now: Instant): void {
    this.forget();
    this.#began = now;
    this.#wait(downInterval(this.#settings, this.#interval), now);
  }

  /** As `begin`, with an advertisement interval and the skew only: a living master sends an advert in that time. */
  beginShort(now: Instant): void {
    this.begin(now);
    this.again(now);
  }

  /** Starts the timer with an advertisement interval and the skew, and keeps what is known. */
  again(now: Instant): void {
    const because = this.#because;
    this.#wait(listenInterval(this.#settings, this.#interval), now);
    this.#because = because;
    this.#whole = undefined;
  }

  /** The lesser master that was followed is spared no longer. A better one gets the time to speak. */
  challenge(now: Instant): void {
    const lesser = this.#followed;
    this.#followed = undefined;
    this.again(now);
    if (lesser !== undefined) this.lesser(lesser.priority, lesser.address);
  }

  forget(): void {
    this.#followed = undefined;
    this.#interval = this.#settings.advertInterval;
  }

  follow({ priority, interval }: Advert, source: Ip, now: Instant): void {
    this.#followed = { address: source, priority, heard: now };
    this.#interval = interval;
    this.#wait(downInterval(this.#settings, interval), now);
  }

  /**
   * An advert with priority 0 sets the Master_Down_Timer to Skew_Time (RFC 9568, 6.4.2). Only the resignation of the
   * master that is followed does: another's (of the loser of two masters, say) is no evidence that ours is gone. It
   * never postpones, or repeated ones could put off a takeover for ever.
   */
  resigned(source: Ip, now: Instant): void {
    if (this.#followed !== undefined && this.#followed.address !== source) return;
    this.#followed = undefined;
    this.#because = `${source} resigned`;
    this.#whole = undefined;
    const skewed = after(now, skewTime(this.#settings, this.#interval));
    const due = this.#timers.due('down');
    if (due === undefined || skewed < due) this.#timers.set('down', skewed);
  }

  /** A master that we are about to preempt does not break the silence, but explains what follows. */
  lesser(priority: number, source: Ip): void {
    if (this.#followed?.address === source) this.#followed = undefined;
    if (this.#followed !== undefined) return;
    this.#because ??= `priority ${this.#settings.priority} is higher than ${priority} of ${source}`;
  }

  memory() {
    return {
      began: this.#began,
      followed: this.#followed,
      interval: this.#interval,
      because: this.#because,
      listens: this.#listens,
      whole: this.#whole,
    };
  }

  recall(memory: ReturnType<Silence['memory']>): void {
    this.#began = memory.began;
    this.#followed = memory.followed;
    this.#interval = memory.interval;
    this.#because = memory.because;
    this.#listens = memory.listens;
    this.#whole = memory.whole;
  }

  /** The Master_Down_Timer expired `late`. Returns why there is no master, `undefined` to listen longer. */
  ended(late: Duration, now: Instant): string | undefined {
    if (this.#listenLonger(late, now)) return undefined;
    if (this.#because !== undefined) return this.#because;
    if (this.#followed === undefined) return `no master heard for ${text(since(now, this.#began))}`;
    return `no advert from ${this.#followed.address} for ${text(since(now, this.#followed.heard))}`;
  }

  /** The timer `pulse` expired `late`. Returns whether the router slept, and listens longer. */
  pulse(late: Duration, now: Instant): boolean {
    this.#timers.set('pulse', after(now, this.#interval));
    return this.#listenLonger(late, now);
  }

  #wait(silence: Duration, now: Instant): void {
    this.#because = undefined;
    this.#listens = 0;
    this.#whole = now;
    this.#timers.set('down', after(now, silence));
    this.#timers.set('pulse', after(now, micros(this.#interval * FIRST_PULSE)));
  }

  /** Puts off the end of the silence where a timer so late says that the router slept: it heard nothing. */
  #listenLonger(late: Duration, now: Instant): boolean {
    const until = after(now, listenInterval(this.#settings, this.#interval));
    const due = this.#timers.due('down') ?? now;
    if (late <= this.#interval / 2 || due >= until || this.#listens >= MAX_LISTENS) return false;
    this.#listens += 1;
    this.#whole = undefined;
    this.#timers.set('down', until);
    this.#timers.set('pulse', after(now, this.#interval));
    this.#reports.stalled(late, `listening for ${text(since(until, now))} more before taking over`, now);
    return true;
  }
}
