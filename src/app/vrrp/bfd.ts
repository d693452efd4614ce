import { Demultiplexer } from '../../core/bfd/demultiplexer.ts';
import { type BfdEffect, type BfdEvent, type BfdStatus, describeSession } from '../../core/bfd/events.ts';
import type { DiscardReason } from '../../core/bfd/packet.ts';
import { BfdSession } from '../../core/bfd/session.ts';
import type { BfdSettings } from '../../core/bfd/settings.ts';
import { familyOf } from '../../core/ip.ts';
import { Prng } from '../../core/prng.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import { type BfdHandlers, BfdReceiver, BfdSender, newDiscriminator } from '../../io/bfd.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { SystemError } from '../../io/errno.ts';
import type { Level } from '../messages.ts';

/** What comes of the sessions: for virtual routers that track one, and that the status shows something else. */
export type BfdTold = { readonly type: 'tracked'; readonly event: TrackEvent } | { readonly type: 'changed' };
type Tell = (news: BfdTold) => void;
type Log = (level: Level, message: string) => void;

/** What makes another session, with another neighbour or port, rather than a change of one. */
const identity = ({ neighbor, source, ttl, multihop }: BfdSettings): string =>
  JSON.stringify([neighbor, source, ttl, multihop]);
const portKey = ({ neighbor, multihop }: BfdSettings): string => `${familyOf(neighbor)} ${multihop}`;

/** A session and the socket that it speaks through. */
class Speaker {
  readonly session: BfdSession;
  readonly #tell: Tell;
  readonly #log: Log;
  readonly #driven: Driven<BfdEvent>;
  #sender: BfdSender | undefined;
  #trouble: string | undefined;

  constructor(settings: BfdSettings, driver: Driver, tell: Tell, log: Log) {
    this.#tell = tell;
    this.#log = log;
    const birth = { settings, discriminator: newDiscriminator(), seed: newDiscriminator() };
    this.session = new BfdSession(birth.settings, birth.discriminator, new Prng(birth.seed));
    this.#driven = driver.record(
      this.session,
      (effects) => {
        for (const effect of effects) this.#perform(effect);
      },
      { kind: 'bfd', name: settings.name, birth },
    );
  }

  handle(event: BfdEvent): void {
    this.#driven.handle(event);
  }

  /** Tells those who track it, where they are to hear of it. */
  tell(): void {
    const status = this.session.status();
    const { name, tells, reachable } = status;
    if (tells === 'checker') return;
    const why = describeSession(status);
    this.#tell({ type: 'tracked', event: { type: 'track', kind: 'bfd', name, good: reachable, why } });
  }

  close(): void {
    this.handle({ type: 'stop' });
    this.#driven.detach();
    this.#sender?.close();
  }

  #perform(effect: BfdEffect): void {
    if (effect.type === 'send') {
      this.#send(effect.payload);
      return;
    }
    const { name } = this.session.settings;
    const what = effect.type === 'transition' ? `${effect.from} -> ${effect.to}` : effect.type;
    this.#log('notice', `BFD ${name}: ${what}: ${effect.cause}`);
    this.tell();
    this.#tell({ type: 'changed' });
  }

  /** The socket is opened when it is first needed, and again while its address is not there yet. */
  #send(payload: Uint8Array): void {
    const { name, neighbor, source, ttl, multihop } = this.session.settings;
    try {
      this.#sender ??= new BfdSender(neighbor, source, ttl, multihop);
      this.#sender.send(payload);
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // Once for each kind of trouble: it comes back with every packet.
      if (this.#trouble !== error.message) {
        this.#log('error', `BFD ${name}: no packet sent: ${error.message}`);
      }
      this.#trouble = error.message;
    }
  }
}

/** All BFD sessions of the process. */
export class BfdSpeakers {
  readonly #make: (settings: BfdSettings) => Speaker;
  readonly #log: Log;
  readonly #speakers = new Map<string, Speaker>();
  readonly #receivers = new Map<string, BfdReceiver>();
  readonly #demultiplexer = new Demultiplexer();
  readonly #handlers: BfdHandlers;

  constructor(driver: Driver, tell: Tell, log: Log) {
    this.#make = (settings) => new Speaker(settings, driver, tell, log);
    this.#log = log;
    this.#handlers = {
      datagram: (datagram) => {
        const sessions = Array.from(this.#speakers.values(), ({ session }) => session);
        const found = this.#demultiplexer.find(datagram, sessions);
        if (found === undefined) return;
        this.#speakers.get(found.session.settings.name)?.handle({ type: 'packet', packet: found.packet });
      },
      error: (error) => log('error', error.message),
    };
  }

  /** Packets that were for no session, or not to be believed, by reason. */
  get discarded(): Readonly<Record<DiscardReason, number>> {
    return this.#demultiplexer.discarded;
  }

  status(): BfdStatus[] {
    return Array.from(this.#speakers.values(), ({ session }) => session.status());
  }

  /** From now on exactly these sessions; those that stay go on. Tells the state of each. */
  configure(sessions: readonly BfdSettings[]): void {
    const wanted = new Map(sessions.map((settings) => [settings.name, settings]));
    for (const [name, speaker] of this.#speakers) {
      const settings = wanted.get(name);
      if (settings !== undefined && identity(settings) === identity(speaker.session.settings)) continue;
      speaker.close();
      this.#speakers.delete(name);
    }
    this.#listen(sessions);
    for (const [name, settings] of wanted) {
      const known = this.#speakers.get(name);
      if (known !== undefined) {
        known.handle({ type: 'change', settings });
        known.tell();
        continue;
      }
      const speaker = this.#make(settings);
      this.#speakers.set(name, speaker);
      speaker.handle({ type: 'start' });
    }
  }

  /** Says goodbye to all neighbours. */
  stop(): void {
    this.configure([]);
  }

  #listen(sessions: readonly BfdSettings[]): void {
    const wanted = new Map(sessions.map((settings) => [portKey(settings), settings]));
    for (const [key, receiver] of this.#receivers) {
      if (wanted.has(key)) continue;
      receiver.close();
      this.#receivers.delete(key);
    }
    for (const [key, { neighbor, multihop }] of wanted) {
      if (this.#receivers.has(key)) continue;
      try {
        this.#receivers.set(key, new BfdReceiver(familyOf(neighbor), multihop, this.#handlers));
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        this.#log('error', `BFD hears nothing: ${error.message}`);
      }
    }
  }
}
