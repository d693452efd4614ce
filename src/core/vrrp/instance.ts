import { assert } from '../assert.ts';
import { compareIp, familyOf, type Ip } from '../ip.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, micros, since, Timers } from '../time.ts';
import type { VrrpEffect, VrrpEvent, VrrpState, VrrpStatus } from './events.ts';
import { Holding, type HoldingTimer } from './holding.ts';
import { text } from './intervals.ts';
import type { Advert, Datagram } from './packet.ts';
import { Reports } from './reports.ts';
import type { VrrpSettings } from './settings.ts';
import { Silence, type SilenceTimer } from './silence.ts';
import { Wire } from './wire.ts';

/** The priority of the router that owns the addresses (RFC 9568, 5.2.4), and of one that resigns. */
const OWNER = 255;
const RESIGNING = 0;
/** Adverts are answered with adverts at most so often an interval, however many arrive. */
const ANSWERS_PER_INTERVAL = 50;
type TimerName = 'advert' | SilenceTimer | HoldingTimer;

/**
 * One virtual router: the state machine of RFC 9568, 6.4 and RFC 3768, 6.4, with keepalived's order of
 * effects (become master: advert, addresses, announcements; stop: priority 0, then the addresses).
 *
 * Being late is never evidence: `Silence` has what that means for a backup, `#wake` for a master.
 */
export class VrrpInstance implements Machine<VrrpEvent, VrrpEffect> {
  readonly #settings: VrrpSettings;
  readonly #preempts: boolean;
  readonly #timers = new Timers<TimerName>();
  readonly #wire: Wire;
  readonly #reports: Reports;
  readonly #silence: Silence;
  readonly #holding: Holding;
  #effects: VrrpEffect[] = [];

  #state: VrrpState = 'INIT';
  #entered = 0 as Instant;
  #cause = 'not started';
  #now = 0 as Instant;
  #started = false;
  /** What the last `link` event said; `undefined` before the first. */
  #link: { readonly source: Ip | undefined; readonly why: string } | undefined;
  /** After a planned hand-over: whoever is master then is not preempted. */
  #yields = false;
  /** When our last advert left. */
  #sent = 0 as Instant;

  /** Throws InvariantError when the settings are not what their types' comments say. */
  constructor(settings: VrrpSettings) {
    assert(settings.advertInterval > 0, `${settings.name}: advert interval ${settings.advertInterval}`);
    assert(settings.priority >= 1 && settings.priority <= OWNER, `${settings.name}: ${settings.priority}`);
    this.#settings = settings;
    this.#preempts = settings.preempt || settings.priority === OWNER;
    const emit = (effect: VrrpEffect): void => {
      this.#effects.push(effect);
    };
    this.#wire = new Wire(settings);
    this.#reports = new Reports(emit);
    this.#silence = new Silence(settings, this.#timers, this.#reports);
    this.#holding = new Holding(settings, this.#timers, emit);
  }

  handle(event: VrrpEvent, now: Instant): void {
    this.#clock(now);
    switch (event.type) {
      case 'start':
        this.#started = true;
        if (this.#state === 'INIT' && this.#link !== undefined) this.#enter(now, 'started');
        break;
      case 'stop':
        this.#started = false;
        this.#yields = false;
        this.#leave(now, 'INIT', 'stopped');
        break;
      case 'link':
        this.#linkChanged(event, now);
        break;
      case 'packet':
        if (this.#state === 'BACKUP' || this.#state === 'MASTER') this.#packet(event, now);
        break;
      case 'resign':
        if (this.#state === 'MASTER') {
          this.#yields = true;
          this.#leave(now, 'BACKUP', event.why);
        }
        break;
    }
    this.#check();
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#clock(now);
    if (this.#state === 'MASTER' && this.#overslept(now)) this.#wake(now);
    for (let due = this.#timers.next(); due !== undefined && due <= now; due = this.#timers.next()) {
      const name = this.#timers.expire(now);
      if (name !== undefined) this.#expired(name, due, now);
    }
    this.#check();
  }

  take(): VrrpEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get state(): VrrpState {
    return this.#state;
  }

  status(): VrrpStatus {
    const { name, priority, advertInterval } = this.#settings;
    const { source } = this.#wire;
    const ourselves = source && { address: source, priority, interval: advertInterval, heard: this.#sent };
    return {
      name,
      state: this.#state,
      since: this.#entered,
      cause: this.#cause,
      priority,
      source,
      master: this.#state === 'MASTER' ? ourselves : this.#silence.master,
      deadline: this.deadline(),
      statistics: this.#reports.statistics,
    };
  }

  // Start, stop and link.

  #linkChanged(event: VrrpEvent & { type: 'link' }, now: Instant): void {
    const { name, family } = this.#settings;
    const source = event.up ? (this.#settings.source ?? event.source) : undefined;
    const why = event.up && source === undefined ? `${event.why}, but no address to send from` : event.why;
    this.#link = { source, why };
    if (source !== undefined) {
      assert(familyOf(source) === family, `${name}: IPv${family} adverts from ${source}`);
      this.#wire.source = source;
    }
    if (!this.#started) return;
    if (source === undefined) this.#leave(now, 'FAULT', why);
    else if (this.#state === 'INIT' || this.#state === 'FAULT') this.#enter(now, why);
  }

  /** From INIT or FAULT, by what is known of the link. */
  #enter(now: Instant, why: string): void {
    if (this.#link?.source === undefined) {
      this.#leave(now, 'FAULT', this.#link?.why ?? why);
    } else if (this.#settings.priority === OWNER) {
      this.#becomeMaster(now, `${why}; priority ${OWNER} owns the addresses`);
    } else {
      this.#leave(now, 'BACKUP', why);
    }
  }

  /**
   * To any state but MASTER, by our own will: a master says so with priority 0, so that the best backup
   * follows after no more than its skew.
   */
  #leave(now: Instant, to: Exclude<VrrpState, 'MASTER'>, cause: string): void {
    if (this.#state === to) return;
    if (this.#state === 'MASTER') this.#send(RESIGNING, now);
    this.#stepDown(now, to, cause);
    if (to === 'BACKUP') this.#silence.begin(now);
  }

  /**
   * To any state but MASTER without a word on the wire. The addresses are released also when coming from
   * INIT: an earlier run may have left them.
   */
  #stepDown(now: Instant, to: Exclude<VrrpState, 'MASTER'>, cause: string): void {
    const from = this.#state;
    this.#timers.clearAll();
    this.#silence.forget();
    if (from === 'MASTER') this.#reports.statistics.releasedMaster += 1;
    if (from === 'MASTER' || from === 'INIT') this.#holding.release();
    this.#transition(now, to, cause);
  }

  #transition(now: Instant, to: VrrpState, cause: string): void {
    this.#effects.push({ type: 'transition', from: this.#state, to, cause });
    this.#state = to;
    this.#entered = now;
    this.#cause = cause;
  }

  // Packets.

  #packet(datagram: Datagram, now: Instant): void {
    const { source } = datagram;
    const decoded = this.#wire.decode(datagram);
    if (!decoded.ok) {
      this.#reports.rejected(decoded.reason, source, now);
      return;
    }
    const { advert, notices } = decoded;
    this.#reports.statistics.advertsReceived += 1;
    if (advert.priority === RESIGNING) this.#reports.statistics.priorityZeroReceived += 1;
    for (const notice of notices) this.#reports.noticed(notice, source, now);
    if (advert.priority === OWNER && this.#settings.priority === OWNER) {
      this.#reports.noticed('second-owner', source, now);
    }
    if (this.#state === 'MASTER') this.#heardAsMaster(advert, source, now);
    else this.#heardAsBackup(advert, source, now);
  }

  #heardAsBackup(advert: Advert, source: Ip, now: Instant): void {
    const own = this.#settings.priority;
    if (advert.priority === RESIGNING) {
      this.#silence.resigned(source, now);
    } else if (advert.priority >= own || !this.#preempts || this.#yields) {
      this.#silence.follow(advert, source, now);
    } else {
      this.#silence.lesser(advert.priority, source);
    }
  }

  #heardAsMaster(advert: Advert, source: Ip, now: Instant): void {
    const own = this.#settings.priority;
    let better: string | undefined;
    if (advert.priority > own) {
      better = `higher priority ${advert.priority} from ${source}`;
    } else if (advert.priority === own && this.#hasHigherAddress(source)) {
      better = `equal priority ${own} and higher address from ${source}`;
    }
    if (better !== undefined) {
      this.#giveWay(advert, source, better, now);
    } else if (advert.priority !== RESIGNING && !this.#preempts && this.#mayBeReplaced(now)) {
      const slept = text(since(now, this.#sent));
      this.#giveWay(advert, source, `nopreempt, and stalled for ${slept}: yielding to ${source}`, now);
    } else if (!this.#overslept(now)) {
      // Otherwise better ones may still come; `timeout` follows when all are read.
      this.#contest(advert.priority, now);
    }
  }

  /**
   * Gives way to another master, with a last advert, which has it announce the addresses again: were both of
   * us masters, neighbours may have learned our MAC last. An ordinary advert is lesser than the other's
   * (keepalived's higher_prio_send_advert, always). But when we slept past our authority, the other's advert
   * may be old, and ours might unseat who is master now: then we resign.
   */
  #giveWay(advert: Advert, source: Ip, cause: string, now: Instant): void {
    this.#send(this.#mayBeReplaced(now) ? RESIGNING : this.#settings.priority, now);
    this.#stepDown(now, 'BACKUP', cause);
    this.#silence.follow(advert, source, now);
  }

  #hasHigherAddress(other: Ip): boolean {
    const own = this.#wire.source;
    return own !== undefined && compareIp(other, own) > 0;
  }

  /**
   * A lesser router believes to be master, or just ceased to: RFC 9568, 6.4.3 (a resignation is answered
   * always) and keepalived's garp_lower_prio.
   */
  #contest(priority: number, now: Instant): void {
    if (priority === RESIGNING || !this.#settings.quietToLower) this.#answer(now);
    this.#holding.contest(this.#settings.advertInterval, now);
  }

  /** Sends an advert at once, or, when the last one has just left, as soon as is decent. */
  #answer(now: Instant): void {
    const { advertInterval, priority } = this.#settings;
    const decent = after(this.#sent, micros(advertInterval / ANSWERS_PER_INTERVAL));
    if (now < decent) {
      this.#timers.set('advert', earliest(this.#timers.due('advert'), decent) ?? decent);
    } else {
      this.#send(priority, now);
      this.#timers.set('advert', after(now, advertInterval));
    }
  }

  // Master.

  #becomeMaster(now: Instant, cause: string): void {
    this.#timers.clearAll();
    this.#silence.forget();
    this.#yields = false;
    this.#reports.statistics.becameMaster += 1;
    this.#serve(now);
    this.#transition(now, 'MASTER', cause);
  }

  /** Advert first, then the addresses, then the announcements. */
  #serve(now: Instant): void {
    this.#send(this.#settings.priority, now);
    this.#timers.set('advert', after(now, this.#settings.advertInterval));
    this.#holding.hold(now);
  }

  /** Since our last advert the others had time to elect another master. */
  #mayBeReplaced(now: Instant): boolean {
    return since(now, this.#sent) > this.#settings.downAdverts * this.#settings.advertInterval;
  }

  /** ... or the kernel to remove the addresses, whose lease each advert renews. */
  #overslept(now: Instant): boolean {
    const { lease } = this.#settings;
    return this.#mayBeReplaced(now) || (lease > 0 && since(now, this.#sent) > lease);
  }

  /**
   * A master that slept past its authority. All waiting packets were handled, and no better master was among
   * them. It goes on: the kernel may have removed the addresses, and neighbours may have learned another's
   * MAC. With nopreempt it listens first: who took over in the meantime is to stay.
   */
  #wake(now: Instant): void {
    const slept = since(now, this.#sent);
    if (this.#preempts || !this.#mayBeReplaced(now)) {
      this.#reports.stalled(slept, 'holding and announcing the addresses again', now);
      this.#serve(now);
      return;
    }
    this.#send(RESIGNING, now);
    this.#stepDown(
      now,
      'BACKUP',
      `stalled for ${text(slept)}, and nopreempt: listening before serving again`,
    );
    this.#silence.beginShort(now);
  }

  /** On an absolute schedule, so that lateness does not add up; what was missed is not made up for. */
  #advertIsDue(due: Instant, now: Instant): void {
    const { advertInterval, priority } = this.#settings;
    const next = after(due, advertInterval);
    this.#timers.set('advert', next > now ? next : after(now, advertInterval));
    this.#send(priority, now);
  }

  #send(priority: number, now: Instant): void {
    const advert = this.#wire.advert(priority);
    if (advert === undefined) return;
    this.#sent = now;
    this.#reports.statistics.advertsSent += 1;
    if (priority === RESIGNING) this.#reports.statistics.priorityZeroSent += 1;
    this.#effects.push(advert);
  }

  // Timers and invariants.

  #expired(name: TimerName, due: Instant, now: Instant): void {
    switch (name) {
      case 'down':
        this.#downExpired(since(now, due), now);
        break;
      case 'pulse':
        this.#silence.pulse(since(now, due), now);
        break;
      case 'advert':
        this.#advertIsDue(due, now);
        break;
      default:
        this.#holding.expired(name, now);
        break;
    }
  }

  #downExpired(late: Duration, now: Instant): void {
    const cause = this.#silence.ended(late, now);
    if (cause !== undefined) this.#becomeMaster(now, cause);
  }

  #clock(now: Instant): void {
    if (now < this.#now) assert(false, `${this.#settings.name}: clock back from ${this.#now} to ${now}`);
    this.#now = now;
  }

  #check(): void {
    const armed = (name: TimerName): boolean => this.#timers.due(name) !== undefined;
    const what = `${this.#settings.name}: timers of ${this.#state}`;
    if (this.#state === 'MASTER') assert(armed('advert') && !armed('down') && !armed('pulse'), what);
    else if (this.#state === 'BACKUP') assert(armed('down') && armed('pulse') && !armed('advert'), what);
    else assert(this.#timers.next() === undefined, what);
  }
}
