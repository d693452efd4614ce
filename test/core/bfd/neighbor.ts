import type { BfdEffect, BfdEvent } from '../../../src/core/bfd/events.ts';
import { type ControlPacket, decodeControl } from '../../../src/core/bfd/packet.ts';
import { BfdSession } from '../../../src/core/bfd/session.ts';
import type { BfdSettings } from '../../../src/core/bfd/settings.ts';
import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import { type Instant, instant, millis, seconds } from '../../../src/core/time.ts';

export const SETTINGS: BfdSettings = {
  name: 'peer',
  neighbor: ip('10.0.0.2'),
  minRx: millis(10),
  minTx: millis(10),
  idleTx: seconds(1),
  multiplier: 5,
  passive: false,
  ttl: 255,
  maxHops: 0,
  multihop: false,
  tells: 'both',
};

/** Our discriminator in these tests, and the neighbour's. */
export const OURS = 11;
export const THEIRS = 22;

/** The clock's reading `ms` milliseconds into a test. */
export const at = (ms: number): Instant => instant(1e9 + ms * 1e3);

/** A session with what it does told in short words, and a neighbour that says what the test wants. */
export class Talk {
  readonly session: BfdSession;
  /** The packets that it sent. */
  readonly sent: ControlPacket[] = [];

  constructor(settings: Partial<BfdSettings> = {}) {
    this.session = new BfdSession({ ...SETTINGS, ...settings }, OURS, new Prng(1));
  }

  static started(settings: Partial<BfdSettings> = {}): Talk {
    const talk = new Talk(settings);
    talk.event({ type: 'start' }, 0);
    return talk;
  }

  /** Up at 0 ms, poll not answered yet. */
  static up(settings: Partial<BfdSettings> = {}, neighbor: Partial<ControlPacket> = {}): Talk {
    const talk = new Talk(settings);
    talk.event({ type: 'start' }, -1000);
    talk.hears({ ...neighbor, state: 'Init' }, 0);
    return talk;
  }

  get last(): ControlPacket | undefined {
    return this.sent[this.sent.length - 1];
  }

  event(event: BfdEvent, ms: number): string[] {
    this.session.handle(event, at(ms));
    return this.effects();
  }

  /** A packet of the neighbour, which knows us unless the test says otherwise. */
  hears(packet: Partial<ControlPacket>, ms: number): string[] {
    const whole: ControlPacket = {
      state: 'Up',
      diagnostic: 'no diagnostic',
      poll: false,
      final: false,
      demand: false,
      multiplier: 5,
      mine: THEIRS,
      yours: OURS,
      minTx: millis(10),
      minRx: millis(10),
      ...packet,
    };
    return this.event({ type: 'packet', packet: whole }, ms);
  }

  /** All timers up to `ms`, each on time: what happened, with the times in milliseconds. */
  until(ms: number): string[] {
    const told: string[] = [];
    for (
      let due = this.session.deadline();
      due !== undefined && due <= at(ms);
      due = this.session.deadline()
    ) {
      this.session.timeout(due);
      const when = (due - 1e9) / 1e3;
      told.push(...this.effects().map((effect) => `${when.toFixed(1)} ${effect}`));
    }
    return told;
  }

  effects(): string[] {
    return this.session.take().map((effect) => this.#tell(effect));
  }

  #tell(effect: BfdEffect): string {
    if (effect.type === 'transition') return `${effect.from} -> ${effect.to}: ${effect.cause}`;
    if (effect.type === 'unreachable') return `unreachable: ${effect.cause}`;
    const decoded = decodeControl(effect.payload);
    if (!decoded.ok) return `sends what is discarded: ${decoded.reason}`;
    const { packet } = decoded;
    this.sent.push(packet);
    return `says ${packet.state}${packet.poll ? ' P' : ''}${packet.final ? ' F' : ''}`;
  }
}
