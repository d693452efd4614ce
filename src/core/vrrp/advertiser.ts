import type { Ip } from '../ip.ts';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  micros,
  seconds,
  since,
  type Timers,
} from '../time.ts';
import { Authentication } from './auth.ts';
import type { Digest } from './auth-digest.ts';
import { type Beat, OWN_BEAT } from './beat.ts';
import type { VrrpEffect } from './events.ts';
import { text } from './intervals.ts';
import { type Datagram, type Decoded, RESIGNING } from './packet.ts';
import type { Reports } from './reports.ts';
import type { VrrpSettings } from './settings.ts';
import { silencedWords, type UnsentEvent, unsentWords } from './unsent.ts';
import { Wire } from './wire.ts';

/** A router whose adverts do not leave tries again this often, or once an interval. */
const PROBE_PAUSE: Duration = seconds(1);
/** Adverts are answered with adverts at most so often an interval, however many arrive. */
const ANSWERS_PER_INTERVAL = 50;
/** An advert that comes so many intervals after the last one is late, and no more. */
const LATE_ADVERT = 1.5;

/** `probe`: adverts do not leave, and it is time to try again. */
export type AdvertTimer = 'advert' | 'probe';

type AdvertTimers = Pick<Timers<AdvertTimer>, 'set' | 'due'>;

/**
 * Sends a virtual router's adverts, and knows how old its authority is: each advert that left gives a master
 * the right to serve until the others may have missed too many, or the addresses' lease has run out.
 */
export class Advertiser {
  /** Signs and verifies; it is told the time and when mastership begins. */
  readonly authentication: Authentication;
  #settings: VrrpSettings;
  #wire: Wire;
  readonly #timers: AdvertTimers;
  readonly #reports: Reports;
  readonly #emit: (effect: VrrpEffect) => void;
  readonly #beat: Beat;
  /** When we last sent one: whether it left is another matter. */
  #sent = 0 as Instant;
  /** When the last one left, or, before the first, when mastership began. */
  #left = 0 as Instant;
  #advertLeft = false;
  #resigning = false;
  /** Why the last one that did not leave did not. */
  #why = '';

  /** `timers` are the instance's, which hands `advert` to `due`. */
  constructor(
    settings: VrrpSettings,
    timers: AdvertTimers,
    reports: Reports,
    emit: (effect: VrrpEffect) => void,
    digest: Digest | undefined,
    beat = OWN_BEAT,
  ) {
    this.#settings = settings;
    this.authentication = new Authentication(settings, digest);
    this.#wire = new Wire(settings, this.authentication);
    this.#timers = timers;
    this.#reports = reports;
    this.#emit = emit;
    this.#beat = beat;
  }

  /** Other settings: the priority in them is the effective one. */
  configure(settings: VrrpSettings): void {
    this.#settings = settings;
    this.authentication.configure(settings);
    this.#wire = this.#wire.configured(settings);
  }

  /** Another effective priority alone: what was computed for the wire stays. */
  set priority(priority: number) {
    this.#settings = { ...this.#settings, priority };
  }

  /** Where adverts leave from: the last address known, also while the link is down. */
  get source(): Ip | undefined {
    return this.#wire.source;
  }

  set source(source: Ip) {
    this.#wire.source = source;
  }

  /** When our last advert left. */
  get left(): Instant {
    return this.#left;
  }

  /** Whether the last advert left, to one of its destinations at least. */
  get advertLeft(): boolean {
    return this.#advertLeft;
  }

  memory() {
    const sending = [this.#sent, this.#left, this.#advertLeft, this.#resigning, this.#why] as const;
    return { sending, source: this.source, authentication: this.authentication.memory() };
  }

  recall({ sending, source, authentication }: ReturnType<Advertiser['memory']>): void {
    [this.#sent, this.#left, this.#advertLeft, this.#resigning, this.#why] = sending;
    if (source !== undefined) this.source = source;
    this.authentication.recall(authentication);
  }

  decode(datagram: Datagram, now: Instant): Decoded {
    return this.#wire.decode(datagram, now);
  }

  send(priority: number, now: Instant): void {
    const adverts = this.#wire.adverts(priority, now);
    if (adverts.length === 0) return;
    this.#sent = now;
    this.#advertLeft = false;
    this.#resigning = priority === RESIGNING;
    for (const advert of adverts) this.#emit(advert);
  }

  /** An advert left, to one of its destinations. */
  sent(now: Instant): void {
    this.#left = now;
    if (this.#advertLeft) return;
    this.#advertLeft = true;
    this.#reports.statistics.advertsSent += 1;
    if (this.#resigning) this.#reports.statistics.priorityZeroSent += 1;
  }

  /** An advert did not leave. */
  unsent(event: UnsentEvent, now: Instant): void {
    this.#why = unsentWords(event);
    this.#reports.notSent(this.#why, now);
  }

  /** Whether a master was not heard for so long that it is none any more: its lease, or the patience of the others. */
  spent(now: Instant): boolean {
    if (this.#advertLeft) return false;
    const { lease, downAdverts, advertInterval } = this.#settings;
    const others = downAdverts * advertInterval;
    const limit = lease > 0 ? Math.min(lease, others) : others;
    // Adverts that were to leave at that moment may have been a little early, or the last one a little late.
    return since(now, this.#left) >= limit - advertInterval / 10;
  }

  /** Why it cannot serve: nobody has heard it for so long. */
  silence(now: Instant): string {
    return silencedWords(since(now, this.#left), this.#why);
  }

  /** Asks whether adverts leave again, now and then. */
  probe(now: Instant): void {
    for (const probe of this.#wire.probes(now)) this.#emit(probe);
    this.probeLater(now);
  }

  probeLater(now: Instant): void {
    const { advertInterval } = this.#settings;
    this.#timers.set('probe', after(now, advertInterval > PROBE_PAUSE ? advertInterval : PROBE_PAUSE));
  }

  /** Mastership begins: there is nothing yet that an advert gave. */
  lead(now: Instant): void {
    this.#left = now;
    this.authentication.lead();
  }

  /** Begins to advertise: an advert now, and from now on. */
  begin(now: Instant): void {
    this.send(this.#settings.priority, now);
    this.#timers.set('advert', this.#beat(after(now, this.#settings.advertInterval)));
  }

  /** Sends an advert at once, or, when the last one has just left, as soon as is decent. */
  answer(now: Instant): void {
    const decent = after(this.#sent, micros(this.#settings.advertInterval / ANSWERS_PER_INTERVAL));
    if (now < decent) this.#timers.set('advert', earliest(this.#timers.due('advert'), decent) ?? decent);
    else this.begin(now);
  }

  /** On an absolute schedule, so that lateness does not add up; what was missed is not made up for. */
  due(due: Instant, now: Instant): void {
    const { advertInterval, priority } = this.#settings;
    const next = after(due, advertInterval);
    this.#timers.set('advert', next > now ? next : this.#beat(after(now, advertInterval)));
    this.send(priority, now);
  }

  silentFor(now: Instant): Duration {
    return since(now, this.#sent);
  }

  /** Why a master that slept gives up. */
  stalled(now: Instant): string {
    return `stalled for ${text(this.silentFor(now))}, another may be master`;
  }

  /**
   * Since our last advert the others had time to elect another master. Where they miss one advert only
   * (`down_timer_adverts 1`), each that is a moment late would do: there half an interval is allowed for.
   */
  mayBeReplaced(now: Instant): boolean {
    const { downAdverts, advertInterval } = this.#settings;
    return this.silentFor(now) > Math.max(downAdverts, LATE_ADVERT) * advertInterval;
  }

  /** ... or the kernel to remove the addresses, whose lease each advert renews. */
  overslept(now: Instant): boolean {
    const { lease } = this.#settings;
    return this.mayBeReplaced(now) || (lease > 0 && this.silentFor(now) > lease);
  }
}
