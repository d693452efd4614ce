import { type Duration, type Instant, seconds, type Timers } from '../time.ts';
import { Advertiser, type AdvertTimer } from './advertiser.ts';
import type { Digest } from './auth-digest.ts';
import type { Beat } from './beat.ts';
import type { VrrpEffect } from './events.ts';
import { Holding, type HoldingTimer } from './holding.ts';
import { RESIGNING } from './packet.ts';
import type { Reports } from './reports.ts';
import type { VrrpSettings } from './settings.ts';

export type MasterTimer = AdvertTimer | HoldingTimer;

/**
 * What a master does: it advertises, holds the addresses and announces them. A virtual router asks for it while it
 * is master, and for the end of it.
 */
export class Mastership {
  /** Sends and reads adverts, in any state. */
  readonly advertiser: Advertiser;
  readonly #holding: Holding;
  readonly #reports: Reports;
  #settings: VrrpSettings;

  /** `timers` are the instance's, which hands those of a master to `expired`. */
  constructor(
    settings: VrrpSettings,
    timers: Pick<Timers<MasterTimer>, 'set' | 'due' | 'clear'>,
    reports: Reports,
    emit: (effect: VrrpEffect) => void,
    digest: Digest | undefined,
    beat?: Beat,
  ) {
    this.#settings = settings;
    this.#reports = reports;
    this.advertiser = new Advertiser(settings, timers, reports, emit, digest, beat);
    this.#holding = new Holding(settings, timers, emit);
  }

  /**
   * Other settings; the priority in them is the effective one. While `serving`, what others see of the change they
   * see at once.
   */
  configure(settings: VrrpSettings, serving: boolean, now: Instant): void {
    this.#settings = settings;
    this.advertiser.configure(settings);
    if (serving) this.advertiser.answer(now);
    this.#holding.configure(settings, serving, now);
  }

  memory() {
    return { advertiser: this.advertiser.memory(), holding: this.#holding.memory() };
  }

  recall({ advertiser, holding }: ReturnType<Mastership['memory']>): void {
    this.advertiser.recall(advertiser);
    this.#holding.recall(holding);
  }

  /** Another effective priority alone. */
  reprioritise(settings: VrrpSettings, serving: boolean, now: Instant): void {
    this.#settings = settings;
    this.advertiser.priority = settings.priority;
    if (serving) this.advertiser.answer(now);
  }

  /** Begins, or goes on after a stall: advert first, then the addresses, then the announcements. */
  serve(now: Instant): void {
    this.advertiser.begin(now);
    this.#holding.hold(now);
  }

  /** Says with priority 0 that it ends, so that the best backup follows after no more than its skew. */
  resign(now: Instant): void {
    this.advertiser.send(RESIGNING, now);
  }

  /**
   * A last advert to a better master, which has it announce the addresses again: were both of us masters, neighbours
   * may have learned our MAC last. An ordinary advert is lesser than the other's (keepalived's
   * higher_prio_send_advert).
   */
  farewell(now: Instant): void {
    const { priority, answerHigher = true } = this.#settings;
    if (answerHigher) this.advertiser.send(priority, now);
  }

  /** The addresses go: also those that an earlier run has left. */
  release(): void {
    this.#holding.release();
  }

  /**
   * A lesser router believes to be master, or just ceased to: RFC 9568, 6.4.3 (a resignation is answered
   * always) and keepalived's garp_lower_prio.
   */
  contest(priority: number, now: Instant): void {
    if (priority === RESIGNING || !this.#settings.quietToLower) this.advertiser.answer(now);
    this.announce(now);
    if (priority !== RESIGNING) this.#reports.contested(this.#settings.advertInterval, now);
  }

  /** Another master has ended as planned: neighbours that asked meanwhile may have learned its MAC address. */
  remain(now: Instant): void {
    this.advertiser.answer(now);
    this.#holding.contest(seconds(0), now);
  }

  /** Neighbours may have learned another's MAC address. */
  announce(now: Instant): void {
    this.#holding.contest(this.#settings.advertInterval, now);
  }

  expired(timer: MasterTimer, due: Instant, now: Instant): void {
    if (timer === 'advert') this.advertiser.due(due, now);
    else if (timer === 'probe') this.advertiser.probe(now);
    else this.#holding.expired(timer, now);
  }

  /** How long it has not advertised, where it goes on nevertheless. */
  stalled(slept: Duration, now: Instant): void {
    this.#reports.stalled(slept, 'holding and announcing the addresses again', now);
    this.serve(now);
  }
}
