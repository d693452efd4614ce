import { assert } from '../assert.ts';
import type { Ip } from '../ip.ts';
import { type Machine, memoriesOf, type Remembering, recallAll } from '../machine.ts';
import { after, type Duration, type Instant, since, type Timers } from '../time.ts';
import type { Advertiser } from './advertiser.ts';
import type { Digest } from './auth-digest.ts';
import type { Beat } from './beat.ts';
import type { VrrpEffect, VrrpEvent, VrrpState, VrrpStatus } from './events.ts';
import { heardAsBackup, silenceEnded, weighed } from './following.ts';
import { type Grounds, type GroundsEvent, recovery } from './grounds.ts';
import { isHeir } from './intervals.ts';
import { type Advert, type Datagram, OWNER } from './packet.ts';
import { configureParts, makeParts, standingOf, statusOf, type VrrpParts } from './parts.ts';
import { heardAsMaster } from './rival.ts';
import type { VrrpSettings } from './settings.ts';
import { checkTimers, type TimerName } from './timers.ts';

export type VrrpMemory = ReturnType<VrrpInstance['memory']>;

/**
 * One virtual router: the state machine of RFC 9568, 6.4 and RFC 3768, 6.4, with keepalived's order of
 * effects (become master: advert, addresses, announcements; stop: priority 0, then the addresses).
 *
 * Being late is never evidence: `Silence` has what that means for a backup, `#giveUp` for a master.
 */
export class VrrpInstance implements Machine<VrrpEvent, VrrpEffect>, Remembering<VrrpMemory> {
  /** With the effective priority in place of the configured one. */
  #settings: VrrpSettings;
  readonly #timers: Timers<TimerName>;
  readonly #grounds: Grounds;
  readonly #advertiser: Advertiser;
  readonly #parts: VrrpParts;
  #effects: VrrpEffect[] = [];

  #state: VrrpState = 'INIT';
  #entered = 0 as Instant;
  #cause = 'not started';
  #now = 0 as Instant;
  #started = false;
  /** An earlier process was master until then, and it goes on for that one. */
  #heir: Instant | undefined;

  /**
   * `digest` is needed where adverts are signed (`ah`, `hmac`); `beat`, where other routers advertise too. Throws
   * InvariantError when the settings are not what their types' comments say.
   */
  constructor(settings: VrrpSettings, digest?: Digest, beat?: Beat) {
    this.#settings = settings;
    const emit = (effect: VrrpEffect): void => {
      this.#effects.push(effect);
    };
    this.#parts = makeParts(settings, emit, digest, beat);
    this.#timers = this.#parts.timers;
    this.#grounds = this.#parts.grounds;
    this.#advertiser = this.#parts.mastership.advertiser;
  }

  handle(event: VrrpEvent, now: Instant): void {
    this.#clock(now);
    if (event.type === 'woke') this.#giveUp(now, event.why);
    else if (this.isStale(now)) this.#giveUp(now);
    switch (event.type) {
      case 'start':
        this.#heir = event.heir;
        this.#start(now, event.delay);
        break;
      case 'stop':
        this.#started = false;
        this.#timers.clear('start');
        this.#grounds.silenced = undefined;
        this.#parts.preemption.yields = false;
        // Who has not started yet still has to put away what an earlier run left.
        if (this.#state === 'INIT') this.#parts.mastership.release();
        else this.#leave(now, 'INIT', 'stopped');
        break;
      case 'packet':
        if (this.#state !== 'INIT') this.#packet(event, now);
        break;
      case 'clock':
        this.#advertiser.authentication.setClock(event.utc, now);
        break;
      case 'resign':
      case 'yield':
      case 'truce':
      case 'take':
        this.#planned(event, now);
        break;
      case 'contest':
        if (this.#serving(now)) this.#parts.mastership.announce(now);
        break;
      case 'woke':
        break;
      case 'synced':
        if (this.#parts.preemption.synced(event.complete)) this.#parts.silence.challenge(now);
        break;
      case 'sent':
        this.#sent(now);
        break;
      case 'unsent':
        this.#advertiser.unsent(event, now);
        if (this.#state === 'MASTER' && this.#advertiser.spent(now)) this.#silenced(now);
        break;
      case 'elect':
        if (this.#parts.membership.candidate !== undefined)
          this.#becomeMaster(now, this.#parts.membership.candidate);
        break;
      case 'asked':
      case 'answered':
      case 'carried':
        this.#parts.evidence.hear(event, this.#parts.silence.missing, now);
        break;
      case 'weighed':
        this.#stand(now, weighed(this.#parts, event, now));
        break;
      default:
        this.#regrounded(event, now);
    }
    this.#conclude(now);
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#clock(now);
    if (this.isStale(now)) this.#giveUp(now);
    // Nobody else may have the addresses yet, but the kernel may have removed them.
    else if (this.#state === 'MASTER' && !this.#serving(now))
      this.#parts.mastership.stalled(this.#advertiser.silentFor(now), now);
    this.#timers.drain(now, (name, due) => this.#expired(name, due, now));
    this.#conclude(now);
  }

  take(): VrrpEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Between two events, when all effects were taken. */
  memory() {
    const own = [this.#state, this.#entered, this.#cause, this.#now, this.#started, this.#heir] as const;
    return { priority: this.#settings.priority, own, parts: memoriesOf(this.#parts) };
  }

  /** Of a router with these settings, or that was configured to have others. */
  recall({ priority, own, parts }: VrrpMemory): void {
    this.#grounds.configure(parts.grounds.settings);
    this.#settings = { ...parts.grounds.settings, priority };
    configureParts(this.#parts, this.#settings, false, this.#now);
    recallAll(this.#parts, parts);
    [this.#state, this.#entered, this.#cause, this.#now, this.#started, this.#heir] = own;
  }

  get state(): VrrpState {
    return this.#state;
  }

  /** When a backup takes over unless it hears a master: its master-down timer. */
  get takeover(): Instant | undefined {
    return this.#timers.due('down');
  }

  /** Whether the last advert left. */
  get advertLeft(): boolean {
    return this.#advertiser.advertLeft;
  }

  status(): VrrpStatus {
    const stand = { state: this.#state, since: this.#entered, cause: this.#cause };
    return statusOf(this.#parts, this.#settings, stand);
  }

  // Start, and the grounds: link, tracking, group, settings.

  #start(now: Instant, delay?: Duration): void {
    if (delay !== undefined && delay > 0) this.#timers.set('start', after(now, delay));
    else this.#timers.clear('start');
    this.#started ||= this.#timers.due('start') === undefined;
    if (this.#started && this.#state === 'INIT' && this.#grounds.known) this.#enter(now, 'started');
  }

  #regrounded(event: GroundsEvent, now: Instant): void {
    if (event.type === 'configure') this.#configure(event.settings, now);
    else this.#grounds.hear(event);
    this.#retune(now);
    const { source } = this.#grounds;
    if (source !== undefined) this.#advertiser.source = source;
    if (!this.#started || !this.#grounds.known) return;
    const { faults } = this.#grounds;
    if (faults.length > 0) this.#leave(now, 'FAULT', faults.join('; '));
    else if (this.#state === 'INIT' || this.#state === 'FAULT') this.#enter(now, recovery(event));
  }

  #configure(settings: VrrpSettings, now: Instant): void {
    const serving = this.#serving(now);
    this.#grounds.configure(settings);
    this.#settings = { ...settings, priority: this.#grounds.priority };
    configureParts(this.#parts, this.#settings, serving, now);
    const { candidate } = this.#parts.membership;
    if (settings.group === undefined && candidate !== undefined) this.#becomeMaster(now, candidate);
  }

  /** The effective priority may be another. */
  #retune(now: Instant): void {
    const { priority } = this.#grounds;
    if (priority === this.#settings.priority) return;
    this.#settings = { ...this.#settings, priority };
    this.#parts.hearing.configure(this.#settings);
    this.#parts.mastership.reprioritise(this.#settings, this.#serving(now), now);
    this.#parts.preemption.configure(this.#settings);
    this.#parts.silence.configure(this.#settings, now);
    if (this.#started) this.#effects.push({ type: 'priority', priority });
  }

  /** From INIT or FAULT, by what it stands on. */
  #enter(now: Instant, why: string): void {
    const { faults, source } = this.#grounds;
    const { listensFirst } = this.#advertiser.authentication;
    const heir = this.#state === 'INIT' && !listensFirst && isHeir(this.#settings, this.#heir, now);
    if (source !== undefined) this.#advertiser.source = source;
    if (faults.length > 0) {
      this.#leave(now, 'FAULT', faults.join('; '));
    } else if (heir) {
      // The others of its group are heirs, too, or have the time to become candidates.
      this.#becomeMaster(now, `${why}; goes on for an earlier process, which was master`);
    } else if (this.#settings.priority === OWNER && !listensFirst) {
      this.#stand(now, `${why}; priority ${OWNER} owns the addresses`);
    } else {
      const first = this.#state === 'INIT';
      this.#leave(now, 'BACKUP', why);
      // All of a group have to hear nobody: one that expects to be master says so sooner, as in keepalived.
      const { initial, group, preemptAfterSync } = this.#settings;
      const hurries = initial === 'MASTER' && group !== undefined && preemptAfterSync === undefined;
      if (first && hurries) this.#parts.silence.beginShort(now);
    }
  }

  // States.

  /** Whether it is a master that slept for so long that another one may hold the addresses. */
  isStale(now: Instant): boolean {
    return this.#state === 'MASTER' && this.#advertiser.mayBeReplaced(now);
  }

  /** Master, and awake: what a master has slept past is left to `timeout`. */
  #serving(now: Instant): boolean {
    return this.#state === 'MASTER' && !this.#advertiser.overslept(now);
  }

  /** To any state but MASTER, by our own will: a master says so, unless it is `quiet`. */
  #leave(now: Instant, to: Exclude<VrrpState, 'MASTER'>, cause: string, quiet = false): void {
    if (this.#state === to) return;
    if (this.#state === 'MASTER' && !quiet) this.#parts.mastership.resign(now);
    this.#stepDown(now, to, cause);
    if (to === 'BACKUP') this.#parts.silence.begin(now);
  }

  /**
   * To any state but MASTER without a word on the wire. The addresses are released also when coming from
   * INIT: an earlier run may have left them.
   */
  #stepDown(now: Instant, to: Exclude<VrrpState, 'MASTER'>, cause: string): void {
    const from = this.#state;
    this.#forget();
    this.#parts.truce.end();
    if (from === 'MASTER') this.#parts.reports.statistics.releasedMaster += 1;
    if (from === 'MASTER' || from === 'INIT') this.#parts.mastership.release();
    this.#transition(now, to, cause);
  }

  #forget(): void {
    this.#timers.clearAll();
    this.#parts.silence.forget();
    this.#parts.preemption.reset();
    this.#parts.membership.candidate = undefined;
  }

  #transition(now: Instant, to: VrrpState, cause: string): void {
    this.#effects.push({ type: 'transition', from: this.#state, to, cause });
    this.#state = to;
    this.#entered = now;
    this.#cause = cause;
  }

  /** Nobody else is to be master, for that cause: so are we, or, in a sync group, as soon as all members can be. */
  #stand(now: Instant, cause: string | undefined): void {
    if (cause === undefined) return;
    if (this.#settings.group === undefined) {
      this.#becomeMaster(now, cause);
      return;
    }
    if (this.#state === 'BACKUP') {
      this.#parts.silence.again(now);
    } else {
      this.#stepDown(now, 'BACKUP', cause);
      this.#parts.silence.beginShort(now);
    }
    this.#parts.membership.candidate ??= cause;
  }

  /** After each event: what others are told of it. */
  #conclude(now: Instant): void {
    this.#parts.hearing.look(this.#state, now);
    this.#parts.evidence.look(this.#parts.silence.missing, this.#timers.due('down'));
    this.#parts.membership.tell(this.#settings.group, standingOf(this.#parts, this.#settings, this.#state));
    checkTimers(this.#timers, this.#state, this.#settings.name);
  }

  /** A master's end, and another's beginning, as they were planned. */
  #planned(event: Extract<VrrpEvent, { type: 'resign' | 'yield' | 'truce' | 'take' }>, now: Instant): void {
    const { truce, preemption } = this.#parts;
    if (this.#state !== (event.type === 'take' ? 'BACKUP' : 'MASTER')) return;
    if (event.type === 'take' || event.type === 'truce') truce.begin(event.truce, now);
    if (event.type === 'take') this.#stand(now, event.why);
    else if (event.type !== 'truce') {
      preemption.yields ||= event.type === 'resign';
      this.#leave(now, 'BACKUP', event.why, event.type === 'yield' && event.quiet);
    }
  }

  // Packets.

  #packet(datagram: Datagram, now: Instant): void {
    const followed = this.#state === 'BACKUP' ? this.#parts.silence.master?.address : undefined;
    const advert = this.#parts.hearing.hear(datagram, followed, now);
    if (advert === undefined) return;
    const deaf = this.#settings.priority === OWNER && this.#settings.ownerIgnores === true;
    if (this.#state === 'BACKUP') heardAsBackup(this.#parts, advert, datagram.source, now);
    else if (this.#state === 'MASTER' && !deaf) this.#heardAsMaster(advert, datagram.source, now);
  }

  #heardAsMaster(advert: Advert, source: Ip, now: Instant): void {
    const better = heardAsMaster(this.#parts, advert, source, this.#settings.priority, now);
    if (better === undefined) return;
    this.#parts.mastership.farewell(now);
    this.#stepDown(now, 'BACKUP', better);
    this.#parts.silence.follow(advert, source, now);
  }

  // Master.

  #becomeMaster(now: Instant, cause: string): void {
    this.#forget();
    this.#parts.preemption.yields = false;
    this.#parts.reports.statistics.becameMaster += 1;
    this.#advertiser.lead(now);
    this.#parts.mastership.serve(now);
    this.#transition(now, 'MASTER', cause);
  }

  /**
   * A master that slept past its authority: another may hold the addresses by now. They go before anything is said or
   * answered, and it listens as long as a living master needs to be heard.
   */
  #giveUp(now: Instant, why = this.#advertiser.stalled(now)): void {
    if (this.#state !== 'MASTER') return;
    this.#stepDown(now, 'BACKUP', `${why}: listening before serving again`);
    this.#parts.silence.beginShort(now);
  }

  // Adverts that leave, or do not.

  #sent(now: Instant): void {
    this.#advertiser.sent(now);
    if (this.#grounds.silenced === undefined) return;
    this.#grounds.silenced = undefined;
    this.#timers.clear('probe');
    if (this.#state === 'FAULT' && this.#grounds.faults.length === 0) this.#enter(now, 'adverts leave again');
  }

  /** Nobody hears us, and what the last advert gave is over. */
  #silenced(now: Instant): void {
    this.#grounds.silenced = this.#advertiser.silence(now);
    this.#leave(now, 'FAULT', this.#grounds.silenced);
    this.#advertiser.probeLater(now);
  }

  // Timers and invariants.

  #expired(name: TimerName, due: Instant, now: Instant): void {
    switch (name) {
      case 'start':
        this.#start(now);
        break;
      case 'down':
        this.#stand(now, silenceEnded(this.#parts, since(now, due), now));
        break;
      case 'pulse':
        if (this.#parts.silence.pulse(since(now, due), now)) this.#parts.membership.candidate = undefined;
        break;
      case 'listen':
      case 'ask':
        this.#parts.evidence.expired(name, this.#parts.silence.missing, now);
        break;
      case 'preempt':
      case 'sync':
        if (this.#parts.preemption.expired(name)) this.#parts.silence.challenge(now);
        break;
      default:
        this.#parts.mastership.expired(name, due, now);
        if (name === 'advert' && this.#advertiser.authentication.spent)
          this.#leave(now, 'BACKUP', 'AH sequence used up');
    }
  }

  #clock(now: Instant): void {
    if (now < this.#now) assert(false, `${this.#settings.name}: clock back from ${this.#now} to ${now}`);
    this.#now = now;
  }
}
