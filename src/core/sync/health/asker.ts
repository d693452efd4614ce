import { unreachable } from '../../assert.ts';
import type { Machine } from '../../machine.ts';
import { after, type Duration, type Instant, micros, millis, seconds, since, Timers } from '../../time.ts';
import type { BulkSettings } from '../bulk/events.ts';
import { fingerprint, mixedSaltOf } from '../bulk/fingerprint.ts';
import { type BulkMessage, type BulkWord, NO_NONCE, type Nonce, nonceOf, SLOTS } from '../bulk/message.ts';
import { type Cause, causeOf, type OwnGroup, otherSyncId, type Window } from './cause.ts';
import { type AskerEffect, type AskerEvent, coverageOf, type Survey } from './events.ts';

export interface AskerSettings extends BulkSettings {
  /** `lvs_sync_alarm`: percent of connections lost; 0 for no alarm. */
  readonly alarm: number;
}

/** A survey under way. */
interface Asked {
  readonly begin: Instant;
  tries: number;
  /** A master with another syncid has answered. */
  other?: { readonly name: string; readonly syncId: number };
  /** Once the master has answered. */
  chosen?: Chosen;
}

interface Chosen {
  readonly from: string;
  readonly donor: Nonce;
  readonly salt: number;
  readonly slots: number;
  readonly window: Window | undefined;
  readonly cause: Cause | undefined;
  readonly parts: Map<number, readonly number[]>;
  chunks: number;
  connections: number;
  /** Of the sample, what was in no reading of our table so far; while it is read, what may be in it. */
  open: Set<number> | undefined;
  /** What the first reading did not have; when it began, and how long it took. */
  absent: number;
  since: Instant;
  cost: Duration;
  readings: number;
}

/** The counts of a master at the survey before. */
interface Known {
  readonly of: string;
  readonly sent: number;
  readonly heard: number;
}

const FIRST = seconds(1);
const PERIOD = seconds(5);
/** A reading takes at most this part of the time: a large table is surveyed more seldom. */
const PAUSE = 20;
const AGAIN = seconds(1);
const TRIES = 3;
/** A master reads a large table for a while. */
const PATIENCE = seconds(30);
/** The kernel holds what it sends back for at most two seconds. */
const LATENESS = millis(2500);
/** Fingerprints that a survey compares, about: four datagrams. */
const SAMPLE = 960;
/** So many surveys in a row are beyond the share before there is an alarm. */
const BEYOND = 2;

/**
 * The backup's side: every few seconds it asks the master, counts what is missing here of a sample of its connections,
 * and judges why.
 */
export class Asker implements Machine<AskerEvent, AskerEffect> {
  readonly #settings: AskerSettings;
  readonly #timers = new Timers<'begin' | 'again' | 'end' | 'read'>();
  #effects: AskerEffect[] = [];
  #on = false;
  #copying = false;
  #asked: Asked | undefined;
  #nonce: Nonce = NO_NONCE;
  #used = 0;
  #reading = 0;
  #known: Known | undefined;
  #covered: number | undefined;
  #beyond = 0;
  #alarmed = false;
  #cause: Cause['kind'] | undefined;

  constructor(settings: AskerSettings) {
    this.#settings = settings;
  }

  handle(event: AskerEvent, now: Instant): void {
    switch (event.type) {
      case 'watch':
        this.#copying = event.copying;
        if (event.on !== this.#on) this.#watch(event.on, now);
        break;
      case 'heard':
        this.#heard(event.message, event.own, now);
        break;
      case 'rows':
        if (this.#asked?.chosen !== undefined && event.reading === this.#reading)
          this.#rows(this.#asked, this.#asked.chosen, event, now);
        break;
      case 'unread':
        if (event.reading !== this.#reading || this.#asked === undefined) break;
        this.#effects.push({ type: 'unreadable', why: event.why });
        this.#rest(PERIOD, now);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#timers.drain(now, (name) => {
      if (name === 'begin') this.#begin(now);
      else if (this.#asked === undefined) return;
      else if (name === 'again') this.#askAgain(this.#asked, now);
      else if (name === 'end') this.#giveUp(this.#asked, now);
      else this.#read();
    });
  }

  take(): AskerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #watch(on: boolean, now: Instant): void {
    this.#on = on;
    this.#timers.clearAll();
    this.#asked = undefined;
    this.#known = undefined;
    this.#covered = undefined;
    this.#beyond = 0;
    if (on) this.#timers.set('begin', after(now, FIRST));
    else {
      this.#judge(undefined);
      this.#alarm(false, undefined);
    }
  }

  #begin(now: Instant): void {
    // What is missing now is on its way.
    if (this.#copying) {
      this.#timers.set('begin', after(now, AGAIN));
      return;
    }
    this.#nonce = nonceOf(this.#settings.life, ++this.#used);
    this.#asked = { begin: now, tries: 0 };
    this.#timers.set('end', after(now, PATIENCE));
    this.#askAgain(this.#asked, now);
  }

  #askAgain(asked: Asked, now: Instant): void {
    const { chosen } = asked;
    if (chosen?.open !== undefined) return;
    this.#timers.set('again', after(now, AGAIN));
    if (chosen !== undefined) this.#say({ type: 'choose', slots: chosen.slots }, chosen.from, chosen.donor);
    else if (++asked.tries > TRIES) this.#giveUp(asked, now);
    else this.#say({ type: 'survey', covered: this.#covered }, '', NO_NONCE);
  }

  #heard(message: BulkMessage, own: OwnGroup, now: Instant): void {
    const asked = this.#asked;
    if (asked === undefined || message.recipient !== this.#nonce) {
      if (!message.recipient.startsWith(this.#settings.life))
        this.#effects.push({ type: 'replayed', from: message.from });
      return;
    }
    const { from: name, syncId } = message;
    if (syncId !== this.#settings.syncId) asked.other = { name, syncId };
    else if (message.type === 'counts') {
      if (asked.chosen === undefined) this.#counted(asked, message, own, now);
    } else if (message.type === 'sample' && asked.chosen?.donor === message.donor)
      this.#sampled(asked.chosen, message, now);
  }

  #counted(asked: Asked, message: BulkMessage & { type: 'counts' }, own: OwnGroup, now: Instant): void {
    const { from, donor, recipient, sent, maxlen, mtu, connections } = message;
    const of = `${from} ${donor.slice(0, this.#settings.life.length)}`;
    const known = this.#known;
    const passed = (later: number, earlier: number): number => (later - earlier) >>> 0;
    let window: Window | undefined;
    if (own.heard !== undefined) {
      if (known?.of === of)
        window = { sent: passed(sent, known.sent), heard: passed(own.heard, known.heard) };
      this.#known = { of, sent, heard: own.heard };
    }
    const slots = Math.min(SLOTS, Math.max(1, Math.floor((SAMPLE * SLOTS) / Math.max(1, connections))));
    asked.chosen = {
      ...{ from, donor, slots, window, salt: mixedSaltOf(recipient, donor) },
      cause: causeOf({ name: from, maxlen, mtu }, own, window),
      parts: new Map(),
      ...{ chunks: 0, connections: 0, absent: 0, since: now, cost: micros(0), readings: 0 },
      open: undefined,
    };
    this.#judge(asked.chosen.cause);
    this.#askAgain(asked, now);
  }

  #sampled(chosen: Chosen, message: BulkMessage & { type: 'sample' }, now: Instant): void {
    const { chunk, chunks, connections, fingerprints } = message;
    if (chosen.open !== undefined) return;
    chosen.parts.set(chunk, fingerprints);
    Object.assign(chosen, { chunks, connections });
    if (chosen.parts.size === chunks) this.#compare(chosen, now);
  }

  #compare(chosen: Chosen, now: Instant): void {
    chosen.open = new Set([...chosen.parts.values()].flat());
    chosen.since = now;
    this.#timers.clear('again');
    this.#timers.clear('end');
    this.#timers.set('read', now);
  }

  #read(): void {
    this.#effects.push({ type: 'read', reading: ++this.#reading });
  }

  #rows(
    asked: Asked,
    chosen: Chosen,
    { identities, last }: AskerEvent & { type: 'rows' },
    now: Instant,
  ): void {
    const open = chosen.open ?? new Set();
    for (const identity of identities) open.delete(fingerprint(identity, chosen.salt));
    if (!last) {
      this.#effects.push({ type: 'read', reading: this.#reading });
      return;
    }
    chosen.readings++;
    if (chosen.readings === 1) chosen.cost = since(now, chosen.since);
    if (chosen.readings > 1 || open.size === 0) this.#finish(asked, chosen, open.size, now);
    else {
      // Some may be on their way, and a reading leaves out some that are there.
      chosen.absent = open.size;
      this.#timers.set('read', after(now, LATENESS));
    }
  }

  #finish({ begin }: Asked, chosen: Chosen, missing: number, now: Instant): void {
    const { from, connections, window, absent, parts } = chosen;
    const took = since(now, begin);
    const sampled = new Set([...parts.values()].flat()).size;
    const survey: Survey = {
      ...{ from, connections, sampled, missing, late: Math.max(0, absent - missing), took },
      ...(window !== undefined && { datagrams: window }),
    };
    this.#effects.push({ type: 'surveyed', ...survey });
    this.#covered = Math.round(coverageOf(survey) * 10);
    const { alarm } = this.#settings;
    this.#beyond = alarm > 0 && 100 - coverageOf(survey) > alarm ? this.#beyond + 1 : 0;
    if (this.#beyond === 0 || this.#beyond >= BEYOND) this.#alarm(this.#beyond > 0, survey);
    this.#rest(micros(Math.max(PERIOD, chosen.cost * PAUSE)), now);
  }

  /** What came of the sample is compared; without any the survey is unanswered. */
  #giveUp({ chosen, other }: Asked, now: Instant): void {
    if (chosen !== undefined && chosen.open === undefined && chosen.parts.size > 0) {
      this.#compare(chosen, now);
      return;
    }
    this.#covered = undefined;
    this.#known = undefined;
    this.#effects.push({ type: 'unanswered' });
    if (other !== undefined) this.#judge(otherSyncId(other.name, other.syncId, this.#settings.syncId));
    this.#rest(PERIOD, now);
  }

  #rest(pause: Duration, now: Instant): void {
    this.#asked = undefined;
    this.#timers.clearAll();
    this.#timers.set('begin', after(now, pause));
  }

  #judge(cause: Cause | undefined): void {
    if (cause?.kind === this.#cause) return;
    this.#cause = cause?.kind;
    this.#effects.push({ type: 'cause', cause });
  }

  #alarm(on: boolean, survey: Survey | undefined): void {
    if (on === this.#alarmed) return;
    this.#alarmed = on;
    this.#effects.push({ type: 'alarm', on, survey });
  }

  #say(word: BulkWord, to: string, donor: Nonce): void {
    const { name, syncId } = this.#settings;
    const message = { ...word, syncId, recipient: this.#nonce, donor, from: name, to };
    this.#effects.push({ type: 'say', message });
  }
}
