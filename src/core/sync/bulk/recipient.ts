import { unreachable } from '../../assert.ts';
import type { Machine } from '../../machine.ts';
import { after, type Instant, millis, seconds, since, Timers } from '../../time.ts';
import type { BulkSettings, Got, RecipientEffect, RecipientEvent } from './events.ts';
import { fingerprint, saltOf } from './fingerprint.ts';
import { type BulkMessage, type BulkWord, type Lacks, NO_NONCE, type Nonce, nonceOf } from './message.ts';

interface Session {
  readonly from: string;
  readonly donor: Nonce;
  readonly salt: number;
  readonly begin: Instant;
  heard: Instant;
  records: number;
  datagrams: number;
  connections: number;
  lacks: Lacks;
  /** Of the list that is being compared; 0 before the first. */
  round: number;
  chunks: number;
  /** What our kernel has, while it is read and then. */
  own: Set<number>;
  hasRead: boolean;
  /** Of each chunk that was compared, how many are missing. */
  readonly compared: Map<number, number>;
}

const ASK = seconds(1);
/** After so many requests without an answer it is told, and asked more seldom. */
const ASKED_OFTEN = 10;
const ASK_SELDOM = seconds(10);
/** After a copy that was not complete. */
const ONCE_MORE = seconds(20);
/** Also what keeps the donor going. */
const ACCEPT = seconds(1);
const PATIENCE = seconds(5);
/** The kernel's thread takes in what came, before its table is read. */
const SETTLING = millis(100);

/**
 * The side that wants the connections. Its kernel takes in the records by itself; this machine asks for them, and
 * compares each list of fingerprints with what its kernel has then.
 */
export class Recipient implements Machine<RecipientEvent, RecipientEffect> {
  readonly #settings: BulkSettings;
  readonly #timers = new Timers<'ask' | 'accept' | 'silence' | 'read'>();
  #effects: RecipientEffect[] = [];
  #wanted = false;
  /** Ours, of this request. */
  #nonce: Nonce = NO_NONCE;
  #requests = 0;
  #session: Session | undefined;
  /** The last copy, and its end. */
  #last: { readonly donor: Nonce; readonly at: Instant } | undefined;
  #used = 0;
  #readings = 0;

  constructor(settings: BulkSettings) {
    this.#settings = settings;
  }

  handle(event: RecipientEvent, now: Instant): void {
    switch (event.type) {
      case 'want':
        if (this.#session !== undefined) this.#end(this.#session, 'stopped', now);
        this.#wanted = true;
        this.#askAnew(now);
        break;
      case 'stop':
        this.#wanted = false;
        if (this.#session !== undefined) this.#end(this.#session, 'stopped', now);
        this.#timers.clearAll();
        break;
      case 'heard':
        this.#heard(event.message, now);
        break;
      case 'rows':
        if (this.#session !== undefined && event.reading === this.#readings) this.#rows(this.#session, event);
        break;
      case 'unread':
        if (this.#session !== undefined && event.reading === this.#readings)
          this.#end(this.#session, 'unreadable', now, event.why);
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
      const session = this.#session;
      if (name === 'ask') this.#ask(now);
      else if (session === undefined) return;
      else if (name === 'accept') this.#accept(session, now);
      else if (name === 'silence') this.#checkSilence(session, now);
      else this.#effects.push({ type: 'read', reading: ++this.#readings });
    });
  }

  take(): RecipientEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Whether a copy is wanted or under way, and how far that is. */
  get asking(): { readonly requests: number; readonly from?: string; readonly records?: number } | undefined {
    if (!this.#wanted || (this.#session === undefined && this.#timers.due('ask') === undefined))
      return undefined;
    const requests = this.#requests;
    return this.#session === undefined
      ? { requests }
      : { requests, from: this.#session.from, records: this.#session.records };
  }

  #askAnew(now: Instant): void {
    this.#nonce = nonceOf(this.#settings.life, ++this.#used);
    this.#requests = 0;
    this.#ask(now);
  }

  #ask(now: Instant): void {
    if (this.#session !== undefined || !this.#wanted) return;
    if (this.#requests === ASKED_OFTEN) this.#effects.push({ type: 'unanswered', requests: this.#requests });
    this.#requests++;
    this.#say({ type: 'request' }, '', NO_NONCE);
    this.#timers.set('ask', after(now, this.#requests < ASKED_OFTEN ? ASK : ASK_SELDOM));
  }

  #heard(message: BulkMessage, now: Instant): void {
    const { from, recipient, donor } = message;
    const session = this.#session;
    if (
      session !== undefined &&
      recipient === this.#nonce &&
      session.donor === donor &&
      session.from === from
    ) {
      session.heard = now;
      this.#told(session, message, now);
    } else if (message.type === 'offer' && recipient === this.#nonce && this.#timers.due('ask') !== undefined)
      this.#begin(message, now);
    else if ((session === undefined || recipient !== this.#nonce) && !this.#isLate(donor, now))
      this.#effects.push({ type: 'replayed', from });
  }

  /** Of the last copy, just ended. */
  #isLate(donor: Nonce, now: Instant): boolean {
    return donor === this.#last?.donor && since(now, this.#last.at) <= PATIENCE;
  }

  #begin({ from, donor, recipient }: BulkMessage, now: Instant): void {
    const session: Session = {
      from,
      donor,
      salt: saltOf(recipient, donor),
      begin: now,
      heard: now,
      records: 0,
      datagrams: 0,
      connections: 0,
      lacks: { marks: 0, sequences: 0, left: 0 },
      round: 0,
      chunks: 0,
      own: new Set(),
      hasRead: false,
      compared: new Map(),
    };
    this.#session = session;
    this.#timers.clear('ask');
    this.#timers.set('silence', after(now, PATIENCE));
    this.#accept(session, now);
  }

  #told(session: Session, message: BulkMessage, now: Instant): void {
    if (message.type === 'progress') {
      session.records = Math.max(session.records, message.records);
      session.datagrams = Math.max(session.datagrams, message.datagrams);
    } else if (message.type === 'list') this.#listed(session, message, now);
    else if (message.type === 'done') this.#end(session, message.missing === 0 ? 'complete' : 'missing', now);
  }

  #listed(session: Session, message: BulkMessage & { type: 'list' }, now: Instant): void {
    const { round, chunk, chunks, connections, lacks, fingerprints } = message;
    if (round > session.round) {
      Object.assign(session, { round, chunks, connections, lacks, own: new Set(), hasRead: false });
      session.compared.clear();
      this.#readings++;
      this.#timers.set('read', after(now, SETTLING));
    }
    if (round !== session.round || !session.hasRead) return;
    const places = fingerprints.flatMap((print, place) => (session.own.has(print) ? [] : [place]));
    session.compared.set(chunk, places.length);
    this.#say({ type: 'missing', round, chunk, places }, session.from, session.donor);
  }

  #rows(session: Session, { identities, last }: RecipientEvent & { type: 'rows' }): void {
    for (const identity of identities) session.own.add(fingerprint(identity, session.salt));
    session.hasRead = last;
    if (!last) this.#effects.push({ type: 'read', reading: this.#readings });
  }

  #accept(session: Session, now: Instant): void {
    this.#say({ type: 'accept' }, session.from, session.donor);
    this.#timers.set('accept', after(now, ACCEPT));
  }

  #checkSilence(session: Session, now: Instant): void {
    const until = after(session.heard, PATIENCE);
    if (until > now) this.#timers.set('silence', until);
    else this.#end(session, 'silent', now);
  }

  #end(session: Session, heard: Got['outcome'], now: Instant, why?: string): void {
    const { from, connections, records, datagrams, lacks, compared, chunks, begin } = session;
    const missing = [...compared.values()].reduce((sum, each) => sum + each, 0);
    // Complete is what was compared to the end, whatever the donor says, and if its last word is lost too.
    const complete = heard !== 'unreadable' && missing === 0 && chunks > 0 && compared.size === chunks;
    const outcome = complete ? 'complete' : heard === 'complete' ? 'missing' : heard;
    this.#session = undefined;
    this.#last = { donor: session.donor, at: now };
    this.#timers.clearAll();
    const counts = { connections, records, datagrams, missing, lacks, took: since(now, begin) };
    this.#effects.push({ type: 'got', from, outcome, ...counts, ...(why !== undefined && { why }) });
    if (outcome === 'complete') return;
    this.#nonce = nonceOf(this.#settings.life, ++this.#used);
    this.#requests = 0;
    this.#timers.set('ask', after(now, outcome === 'silent' ? ASK : ONCE_MORE));
  }

  #say(word: BulkWord, to: string, donor: Nonce): void {
    const { name, syncId } = this.#settings;
    const message = { ...word, syncId, recipient: this.#nonce, donor, from: name, to };
    this.#effects.push({ type: 'say', message });
  }
}
