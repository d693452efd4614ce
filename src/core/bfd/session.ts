import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Prng } from '../prng.ts';
import { after, type Duration, type Instant, micros, seconds, since, Timers, toMillis } from '../time.ts';
import type { BfdEffect, BfdEvent, BfdStatus } from './events.ts';
import { type BfdState, type ControlPacket, type Diagnostic, encodeControl } from './packet.ts';
import type { BfdSettings } from './settings.ts';

/** Until a session is up, a packet a second is the most (RFC 5880, 6.8.3). */
const SLOWEST_START = seconds(1);
/** Parts of the interval that are taken off at random (RFC 5880, 6.8.7), so that sessions do not march in step. */
const JITTER = { least: 0, most: 0.25 };
/** With a multiplier of 1 a late packet would be a missed one, so it may not be late. */
const JITTER_OF_ONE = { least: 0.1, most: 0.25 };

/** A neighbour that has lost us says so within this. */
const TOLD_WITHIN = seconds(2);
/** A session that fell because we were silent may take so long to come back before the path counts as lost. */
const COMES_BACK = seconds(5);

type TimerName = 'transmit' | 'detect' | 'farewell' | 'return';

/**
 * One BFD session in asynchronous mode: RFC 5880, 6.8. The neighbour is up when it hears us and we hear it;
 * it is down when nothing came for the detection time.
 */
export class BfdSession implements Machine<BfdEvent, BfdEffect> {
  /** Ours for this session: what the neighbour puts into `yours`. Not 0, and no other session's. */
  readonly discriminator: number;
  #settings: BfdSettings;
  readonly #prng: Prng;
  readonly #timers = new Timers<TimerName>();
  #effects: BfdEffect[] = [];
  #state: BfdState = 'AdminDown';
  #diagnostic: Diagnostic = 'no diagnostic';
  #cause = 'not started';
  #since = 0 as Instant;
  #reachable = false;
  /** What the neighbour said last, as long as it is believed to be there. */
  #neighbor: ControlPacket | undefined;
  /** Our parameters changed, and the neighbour has not confirmed that it knows. */
  #polling = false;
  /** ... and they changed again since the poll began: its answer may be to the older ones. */
  #pollAgain = false;
  /** The intervals that are in force: a change that the neighbour must know of first waits for its answer. */
  #minTx: Duration;
  #minRx: Duration;
  /** When the last packet left that was no answer to a poll. */
  #sentAt = 0 as Instant;
  /** When we noticed that we had been silent for longer than the neighbour waits: this process stood still. */
  #wasSilent: Instant | undefined;
  /** The pace that the timer is set for. */
  #scheduledFor: Duration = micros(0);
  readonly #counters = { sent: 0, received: 0, wentUp: 0, wentDown: 0 };

  constructor(settings: BfdSettings, discriminator: number, prng: Prng) {
    assert(discriminator > 0 && discriminator <= 0xffff_ffff, `${settings.name}: ${discriminator}`);
    assert(settings.multiplier > 0, `${settings.name}: multiplier ${settings.multiplier}`);
    this.#settings = settings;
    this.discriminator = discriminator;
    this.#prng = prng;
    this.#minTx = this.#desiredMinTx;
    this.#minRx = settings.minRx;
  }

  get settings(): BfdSettings {
    return this.#settings;
  }

  handle(event: BfdEvent, now: Instant): void {
    switch (event.type) {
      case 'start':
        if (this.#state !== 'AdminDown') break;
        this.#timers.clearAll();
        this.#neighbor = undefined;
        this.#enter('Down', 'no diagnostic', 'started', now);
        break;
      case 'stop':
        this.#stop(now);
        break;
      case 'packet':
        this.#noticeSilence(now);
        if (this.#state !== 'AdminDown') this.#packet(event.packet, now);
        break;
      case 'change':
        this.#change(event.settings, now);
        break;
    }
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#noticeSilence(now);
    this.#timers.drain(now, (name) => {
      if (name === 'transmit') this.#transmit(now);
      else if (name === 'detect') this.#silence(now);
      else if (name === 'return') this.#lose();
      else this.#timers.clearAll();
    });
  }

  take(): BfdEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get state(): BfdState {
    return this.#state;
  }

  /**
   * Whether those who track it may count on the path: since it was up, and until it failed. A neighbour that
   * ends the session by its own will has not failed (RFC 5882, 3.2; keepalived tells nobody of it either).
   */
  get reachable(): boolean {
    return this.#reachable;
  }

  status(): BfdStatus {
    return {
      name: this.#settings.name,
      neighbor: this.#settings.neighbor,
      tells: this.#settings.tells,
      state: this.#state,
      reachable: this.#reachable,
      since: this.#since,
      cause: this.#cause,
      diagnostic: this.#diagnostic,
      neighborState: this.#neighbor?.state,
      neighborDiagnostic: this.#neighbor?.diagnostic,
      transmitInterval: this.#transmitInterval,
      detectionTime: this.#detectionTime,
      ...this.#counters,
    };
  }

  memory() {
    return {
      settings: this.#settings,
      prng: this.#prng.memory(),
      timers: this.#timers.memory(),
      state: this.#state,
      diagnostic: this.#diagnostic,
      cause: this.#cause,
      since: this.#since,
      reachable: this.#reachable,
      neighbor: this.#neighbor,
      polling: this.#polling,
      pollAgain: this.#pollAgain,
      minTx: this.#minTx,
      minRx: this.#minRx,
      sentAt: this.#sentAt,
      wasSilent: this.#wasSilent,
      scheduledFor: this.#scheduledFor,
      counters: { ...this.#counters },
    };
  }

  recall(memory: ReturnType<BfdSession['memory']>): void {
    this.#settings = memory.settings;
    this.#prng.recall(memory.prng);
    this.#timers.recall(memory.timers);
    [this.#state, this.#diagnostic, this.#cause] = [memory.state, memory.diagnostic, memory.cause];
    [this.#since, this.#reachable, this.#neighbor] = [memory.since, memory.reachable, memory.neighbor];
    [this.#polling, this.#pollAgain] = [memory.polling, memory.pollAgain];
    [this.#minTx, this.#minRx] = [memory.minTx, memory.minRx];
    [this.#sentAt, this.#wasSilent] = [memory.sentAt, memory.wasSilent];
    this.#scheduledFor = memory.scheduledFor;
    Object.assign(this.#counters, memory.counters);
  }

  // What is in force.

  /** bfd.DesiredMinTxInterval. */
  get #desiredMinTx(): Duration {
    const { minTx, idleTx } = this.#settings;
    return this.#state === 'Up' ? minTx : (Math.max(idleTx, SLOWEST_START) as Duration);
  }

  get #transmitInterval(): Duration {
    return Math.max(this.#minTx, this.#neighbor?.minRx ?? 0) as Duration;
  }

  /** After so long without a packet the neighbour is gone (RFC 5880, 6.8.4); 0 while it has not spoken. */
  get #detectionTime(): Duration {
    if (this.#neighbor === undefined) return micros(0);
    const { multiplier, minTx } = this.#neighbor;
    return micros(multiplier * Math.max(this.#minRx, minTx));
  }

  // What happens.

  /** Says goodbye, and goes on to say it until the neighbour must have heard (RFC 5880, 6.8.16). */
  #stop(now: Instant): void {
    if (this.#state === 'AdminDown') return;
    const farewell = this.#detectionTime;
    this.#enter('AdminDown', 'administratively down', 'stopped', now);
    this.#timers.clear('detect');
    this.#timers.clear('return');
    // There may be no later: the process ends.
    if (this.#sentAt !== now) this.#transmit(now);
    if (farewell > 0) this.#timers.set('farewell', after(now, farewell));
    else this.#timers.clearAll();
  }

  /** A reload: what the neighbour must know first comes into force when it has confirmed (RFC 5880, 6.8.3). */
  #change(settings: BfdSettings, now: Instant): void {
    const { minTx, minRx, multiplier } = this.#settings;
    this.#settings = settings;
    if (minTx === settings.minTx && minRx === settings.minRx && multiplier === settings.multiplier) return;
    if (this.#state !== 'AdminDown') this.#renegotiate(now);
  }

  /** Takes over new intervals, at once where that is safe, and polls where the neighbour is to know. */
  #renegotiate(now: Instant): void {
    const up = this.#state === 'Up';
    const { minRx } = this.#settings;
    const minTx = this.#desiredMinTx;
    if (!up || minTx < this.#minTx) this.#minTx = minTx;
    if (!up || minRx > this.#minRx) this.#minRx = minRx;
    this.#pollAgain = up && this.#polling;
    this.#polling = up;
    this.#schedule(now);
  }

  #confirmed(): void {
    this.#polling = this.#pollAgain;
    this.#pollAgain = false;
    if (this.#polling) return;
    this.#minTx = this.#desiredMinTx;
    this.#minRx = this.#settings.minRx;
  }

  /** RFC 5880, 6.8.6, from where a session was found. */
  #packet(packet: ControlPacket, now: Instant): void {
    this.#counters.received += 1;
    this.#neighbor = packet;
    if (packet.final && this.#polling) this.#confirmed();
    this.#follow(packet, now);
    this.#timers.set('detect', after(now, this.#detectionTime));
    if (packet.poll) this.#send(true);
    if (this.#scheduledFor !== this.#pace) this.#schedule(now);
  }

  /** The state machine: RFC 5880, 6.2 and 6.8.6. */
  #follow({ state, diagnostic }: ControlPacket, now: Instant): void {
    const own = this.#state;
    const why = `the neighbour is ${state} (${diagnostic})`;
    if (state === 'AdminDown' || (state === 'Down' && own === 'Up')) {
      if (own !== 'Down') this.#enter('Down', 'neighbour signalled session down', why, now);
    } else if (own === 'Down') {
      if (state === 'Down') this.#enter('Init', 'no diagnostic', 'the neighbour was heard', now);
      else if (state === 'Init') this.#enter('Up', 'no diagnostic', 'both hear each other', now);
    } else if (own === 'Init' && state !== 'Down') {
      this.#enter('Up', 'no diagnostic', 'both hear each other', now);
    }
  }

  /** The detection time went by. Also what was learned of the neighbour is no longer true. */
  #silence(now: Instant): void {
    const cause = `nothing heard of the neighbour for ${toMillis(this.#detectionTime)} ms`;
    this.#neighbor = undefined;
    if (this.#state === 'Up' || this.#state === 'Init') {
      this.#enter('Down', 'control detection time expired', cause, now);
    } else {
      this.#schedule(now);
    }
  }

  /** A neighbour that did not hear us for its detection time takes the session down; the path is as good as ever. */
  #noticeSilence(now: Instant): void {
    if (this.#state !== 'Up') return;
    const spoke = Math.max(this.#sentAt, this.#since) as Instant;
    const { multiplier } = this.#settings;
    // 0: the neighbour wants to hear nothing.
    if (this.#pace > 0 && since(now, spoke) > multiplier * this.#pace) this.#wasSilent = now;
  }

  #lose(): void {
    this.#reachable = false;
    this.#effects.push({
      type: 'unreachable',
      cause: `it did not come back within ${toMillis(COMES_BACK) / 1e3} s`,
    });
  }

  #enter(to: BfdState, diagnostic: Diagnostic, cause: string, now: Instant): void {
    const from = this.#state;
    this.#state = to;
    this.#diagnostic = diagnostic;
    this.#cause = cause;
    this.#since = now;
    if (to === 'Up') this.#counters.wentUp += 1;
    if (from === 'Up') this.#counters.wentDown += 1;
    if (to === 'Up') {
      this.#reachable = true;
      this.#timers.clear('return');
    } else if (from === 'Up' && this.#neighbor?.state !== 'AdminDown') {
      const ours = this.#wasSilent !== undefined && since(now, this.#wasSilent) <= TOLD_WITHIN;
      if (ours) this.#timers.set('return', after(now, COMES_BACK));
      else this.#reachable = false;
    }
    this.#effects.push({ type: 'transition', from, to, diagnostic, cause });
    this.#renegotiate(now);
    this.#hurry(now);
  }

  // Sending.

  /**
   * The interval of our packets before jitter; 0 for none. RFC 5880, 6.8.7: a passive session waits to be spoken
   * to, some neighbours want no packets, and one in demand mode only polls while both are up.
   */
  get #pace(): Duration {
    const neighbor = this.#neighbor;
    if (neighbor === undefined) return this.#settings.passive ? micros(0) : this.#transmitInterval;
    const bothUp = this.#state === 'Up' && neighbor.state === 'Up';
    if (neighbor.minRx === 0 || (neighbor.demand && bothUp && !this.#polling)) return micros(0);
    return this.#transmitInterval;
  }

  /**
   * The neighbour should know of a change before the next turn (RFC 5880, 6.8.7), but never sooner than it can
   * take packets: on a wire that doubles them, changes that answer changes would be a storm.
   */
  #hurry(now: Instant): void {
    const decent = after(this.#sentAt, this.#neighbor?.minRx ?? micros(0));
    const due = this.#timers.due('transmit');
    if (due === undefined) return;
    if (decent <= now) this.#transmit(now);
    else if (decent < due) this.#timers.set('transmit', decent);
  }

  #transmit(now: Instant): void {
    if (this.#pace > 0) {
      this.#sentAt = now;
      this.#send(false);
    }
    this.#schedule(now);
  }

  /** The next packet comes when the interval since the last one has gone by, less the jitter. */
  #schedule(now: Instant): void {
    this.#scheduledFor = this.#pace;
    this.#timers.clear('transmit');
    if (this.#scheduledFor === 0) return;
    const { least, most } = this.#settings.multiplier === 1 ? JITTER_OF_ONE : JITTER;
    const part = 1 - least - this.#prng.unit() * (most - least);
    const due = after(this.#sentAt, micros(Math.max(1, this.#scheduledFor * part)));
    this.#timers.set('transmit', due > now ? due : now);
  }

  #send(final: boolean): void {
    const { multiplier, minRx } = this.#settings;
    this.#counters.sent += 1;
    const payload = encodeControl({
      state: this.#state,
      diagnostic: this.#diagnostic,
      poll: this.#polling && !final,
      final,
      demand: false,
      multiplier,
      mine: this.discriminator,
      yours: this.#neighbor?.mine ?? 0,
      minTx: this.#desiredMinTx,
      minRx,
    });
    this.#effects.push({ type: 'send', payload });
  }
}
