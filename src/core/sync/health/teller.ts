import { unreachable } from '../../assert.ts';
import type { Machine } from '../../machine.ts';
import { type Instant, seconds, since } from '../../time.ts';
import type { BulkSettings } from '../bulk/events.ts';
import { fingerprint, mixedSaltOf } from '../bulk/fingerprint.ts';
import {
  type BulkMessage,
  type BulkWord,
  MOST_FINGERPRINTS,
  NO_NONCE,
  type Nonce,
  nonceOf,
  SLOTS,
} from '../bulk/message.ts';
import type { TellerEffect, TellerEvent } from './events.ts';

interface Offer {
  readonly to: string;
  readonly donor: Nonce;
  readonly at: Instant;
}

/** A sample that is made, or was made last. */
interface Sample {
  readonly with: string;
  readonly recipient: Nonce;
  readonly donor: Nonce;
  readonly salt: number;
  readonly slots: number;
  readonly reading: number;
  /** Fingerprints of all connections: a reading may have some twice. */
  readonly prints: Set<number>;
  done: boolean;
}

/** More are of somebody who replays. */
const OFFERS_KEPT = 16;
const OFFER_STANDS = seconds(10);
/** Also of a table that has grown a lot since it was counted. */
const MOST_CHUNKS = 64;

/**
 * The master's side of surveys: it counts its connections, and lists the fingerprints of those that a backup chose. A
 * survey costs nothing but the answer, as it may be a replayed one; what is chosen with our nonce is fresh.
 */
export class Teller implements Machine<TellerEvent, TellerEffect> {
  readonly #settings: BulkSettings;
  readonly #offers = new Map<Nonce, Offer>();
  #effects: TellerEffect[] = [];
  #master: { readonly maxlen: number; readonly mtu: number } | undefined;
  #sample: Sample | undefined;
  #connections = 0;
  #used = 0;
  #readings = 0;

  constructor(settings: BulkSettings) {
    this.#settings = settings;
  }

  handle(event: TellerEvent, now: Instant): void {
    switch (event.type) {
      case 'serve':
        this.#master = event.master;
        break;
      case 'heard':
        if (event.message.type === 'survey') this.#count(event.message, event.sent, now);
        else if (event.message.type === 'choose') this.#choose(event.message, now);
        break;
      case 'rows':
        if (this.#sample?.reading === event.reading) this.#rows(this.#sample, event);
        break;
      case 'unread':
        // The backup hears nothing more of it, and asks again.
        if (this.#sample?.reading === event.reading) this.#sample = undefined;
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return undefined;
  }

  timeout(): void {}

  take(): TellerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #count(message: BulkMessage & { type: 'survey' }, sent: number, now: Instant): void {
    const { from, recipient, covered } = message;
    if (this.#master === undefined) return;
    const counts = { sent, ...this.#master, connections: this.#connections };
    if (message.syncId !== this.#settings.syncId) {
      // It learns which one we have, and no more.
      this.#say({ type: 'counts', ...counts }, { with: from, recipient, donor: NO_NONCE });
      return;
    }
    for (const [nonce, { at }] of this.#offers)
      if (since(now, at) > OFFER_STANDS || this.#offers.size >= OFFERS_KEPT) this.#offers.delete(nonce);
    const { donor } = this.#offers.get(recipient) ?? { donor: nonceOf(this.#settings.life, ++this.#used) };
    this.#offers.set(recipient, { to: from, donor, at: now });
    this.#say({ type: 'counts', ...counts }, { with: from, recipient, donor });
    this.#effects.push({
      type: 'told',
      director: from,
      coverage: covered === undefined ? undefined : covered / 10,
    });
  }

  #choose({ from, recipient, donor, slots }: BulkMessage & { type: 'choose' }, now: Instant): void {
    const sample = this.#sample;
    if (sample?.recipient === recipient && sample.donor === donor && sample.with === from) {
      if (sample.done) this.#tell(sample);
      return;
    }
    const offer = this.#offers.get(recipient);
    if (offer?.donor !== donor || offer.to !== from || since(now, offer.at) > OFFER_STANDS) {
      this.#effects.push({ type: 'replayed', from });
      return;
    }
    // One at a time: this one asks again.
    if (sample?.done === false) return;
    this.#offers.delete(recipient);
    this.#sample = {
      ...{
        with: from,
        recipient,
        donor,
        slots,
        salt: mixedSaltOf(recipient, donor),
        reading: ++this.#readings,
      },
      prints: new Set(),
      done: false,
    };
    this.#effects.push({ type: 'read', reading: this.#readings });
  }

  #rows(sample: Sample, { identities, last }: TellerEvent & { type: 'rows' }): void {
    for (const identity of identities) sample.prints.add(fingerprint(identity, sample.salt));
    if (!last) {
      this.#effects.push({ type: 'read', reading: sample.reading });
      return;
    }
    sample.done = true;
    this.#connections = sample.prints.size;
    this.#tell(sample);
  }

  #tell(sample: Sample): void {
    const chosen = [...sample.prints].filter((print) => print % SLOTS < sample.slots);
    const chunks = Math.min(MOST_CHUNKS, Math.max(1, Math.ceil(chosen.length / MOST_FINGERPRINTS)));
    for (let chunk = 0; chunk < chunks; chunk++) {
      const fingerprints = chosen.slice(chunk * MOST_FINGERPRINTS, (chunk + 1) * MOST_FINGERPRINTS);
      const connections = sample.prints.size;
      this.#say({ type: 'sample', chunk, chunks, connections, fingerprints }, sample);
    }
  }

  #say(word: BulkWord, { with: to, recipient, donor }: Pick<Sample, 'with' | 'recipient' | 'donor'>): void {
    const { name, syncId } = this.#settings;
    this.#effects.push({ type: 'say', message: { ...word, syncId, recipient, donor, from: name, to } });
  }
}
