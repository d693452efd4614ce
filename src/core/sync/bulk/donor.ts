import { unreachable } from '../../assert.ts';
import type { Machine } from '../../machine.ts';
import { after, type Instant, millis, seconds, since, Timers } from '../../time.ts';
import type { SyncedConnection } from '../connection.ts';
import { encodeMessage, packMessages } from '../message.ts';
import type { DonorEffect, DonorEvent, DonorSettings, Given } from './events.ts';
import { fingerprint, saltOf } from './fingerprint.ts';
import {
  type BulkMessage,
  type BulkWord,
  type Lacks,
  MOST_FINGERPRINTS,
  type Nonce,
  nonceOf,
} from './message.ts';

/** An offer that nobody has accepted yet. */
interface Offer {
  readonly to: string;
  readonly donor: Nonce;
  readonly at: Instant;
}

interface Session {
  readonly with: string;
  readonly recipient: Nonce;
  readonly donor: Nonce;
  readonly salt: number;
  readonly begin: Instant;
  heard: Instant;
  /** Readings of the table so far; the first is followed by a second, for what came meanwhile. */
  pass: number;
  /** The number by which the shell knows the present one. */
  reading: number;
  /** Whether the shell reads, and whether there is more to read. */
  asked: boolean;
  readAll: boolean;
  /** What is to be sent, the next at the end; and what is sent after all others. */
  waiting: SyncedConnection[];
  later: SyncedConnection[];
  /** Fingerprints of what the recipient was told. */
  readonly told: Set<number>;
  /** Of this reading, and of the one before: what ends moves others in the listing, which leaves some out. */
  listed: Set<number>;
  before: Set<number>;
  lacks: Lacks;
  records: number;
  datagrams: number;
  round: number;
  /** Absent while the table is read. */
  list?: Listing;
}

/** A list, and what of it is answered. */
interface Listing {
  readonly chunks: readonly (readonly number[])[];
  readonly answered: Set<number>;
  missing: number;
}

/** So many requests may wait for their accept: more are of somebody who replays. */
const OFFERS_KEPT = 16;
const OFFER_STANDS = seconds(5);
/** A recipient says each second that it is there. */
const PATIENCE = seconds(5);
const PROGRESS = millis(500);
/** At most ten datagrams: a kernel's receive queue has room for ninety, and its thread empties it faster than this. */
const BURST_RECORDS = 200;
const PACE = millis(1);
/** Chunks on their way. */
const WINDOW = 16;
const AGAIN = millis(250);
const MOST_ROUNDS = 8;
/** The last word is not answered: one of these arrives. */
const LAST_WORDS = 3;
const NOTHING_LACKS: Lacks = { marks: 0, sequences: 0, left: 0 };

/**
 * The side that has the connections. It reads its table, sends the records to the recipient's kernel, reads the table
 * again, sends what came to it meanwhile (and what the kernel left out: entries that it lists piece by piece move), and
 * lists fingerprints of all, chunk by chunk; what the recipient misses of a list it sends again, with a new list.
 */
export class Donor implements Machine<DonorEvent, DonorEffect> {
  readonly #settings: DonorSettings;
  readonly #timers = new Timers<'silence' | 'progress' | 'pace' | 'again'>();
  readonly #offers = new Map<Nonce, Offer>();
  #effects: DonorEffect[] = [];
  #session: Session | undefined;
  #maxlen: number | undefined;
  /** The last copy, and its end. */
  #last: { readonly donor: Nonce; readonly at: Instant } | undefined;
  #used = 0;
  #readings = 0;

  constructor(settings: DonorSettings) {
    this.#settings = settings;
  }

  handle(event: DonorEvent, now: Instant): void {
    switch (event.type) {
      case 'serve':
        this.#maxlen = event.maxlen;
        if (event.maxlen === undefined) this.#stop(now);
        break;
      case 'heard':
        if (this.#maxlen !== undefined) this.#heard(event.message, now);
        break;
      case 'rows':
        if (this.#session?.reading === event.reading) this.#rows(this.#session, event, now);
        break;
      case 'unread':
        if (this.#session?.reading === event.reading)
          this.#end(this.#session, 'unreadable', now, { why: event.why });
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
      if (session === undefined) return;
      if (name === 'silence') this.#checkSilence(session, now);
      else if (name === 'progress') this.#progress(session, now);
      else if (name === 'pace') this.#tell(session, now);
      else this.#sayList(session, now);
    });
  }

  take(): DonorEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #stop(now: Instant): void {
    this.#offers.clear();
    if (this.#session !== undefined) this.#end(this.#session, 'stopped', now);
  }

  #heard(message: BulkMessage, now: Instant): void {
    const session = this.#session;
    const { type, from, recipient, donor } = message;
    const isOurs = session?.recipient === recipient && session.donor === donor && session.with === from;
    if (session !== undefined && isOurs) session.heard = now;
    if (type === 'request') this.#offer(message, now);
    else if (type === 'accept') {
      if (!isOurs) this.#accepted(message, now);
    } else if (type === 'missing') {
      if (session !== undefined && isOurs) this.#answered(session, message, now);
      else this.#outdated(message, now);
    }
  }

  /** An offer costs nothing: a request may be a replayed one. */
  #offer({ from, recipient }: BulkMessage, now: Instant): void {
    for (const [nonce, { at }] of this.#offers)
      if (since(now, at) > OFFER_STANDS || this.#offers.size >= OFFERS_KEPT) this.#offers.delete(nonce);
    // Another one waits: the records are for all who listen, and its own request comes again.
    if (this.#session !== undefined && this.#session.with !== from) return;
    if (this.#session?.recipient === recipient) return;
    const known = this.#offers.get(recipient);
    const donor = known?.donor ?? this.#nonce();
    if (known === undefined) this.#offers.set(recipient, { to: from, donor, at: now });
    this.#say({ type: 'offer' }, { with: from, recipient, donor });
  }

  #accepted(message: BulkMessage, now: Instant): void {
    const { from, recipient, donor } = message;
    const offer = this.#offers.get(recipient);
    if (offer?.donor !== donor || offer.to !== from || since(now, offer.at) > OFFER_STANDS) {
      this.#outdated(message, now);
      return;
    }
    if (this.#session !== undefined && this.#session.with !== from) return;
    // It began anew.
    if (this.#session !== undefined) this.#end(this.#session, 'silent', now);
    // What it accepted before, and was delayed, is of no use to it.
    for (const [nonce, { to }] of this.#offers) if (to === from) this.#offers.delete(nonce);
    this.#begin({ with: from, recipient, donor }, now);
  }

  /** A late one of the last copy is no attack. */
  #outdated({ donor, from }: BulkMessage, now: Instant): void {
    const isLate = donor === this.#last?.donor && since(now, this.#last.at) <= PATIENCE;
    if (!isLate) this.#effects.push({ type: 'replayed', from });
  }

  #begin(who: Pick<Session, 'with' | 'recipient' | 'donor'>, now: Instant): void {
    const session: Session = {
      ...who,
      salt: saltOf(who.recipient, who.donor),
      begin: now,
      heard: now,
      pass: 0,
      reading: 0,
      asked: false,
      readAll: false,
      waiting: [],
      later: [],
      told: new Set(),
      listed: new Set(),
      before: new Set(),
      lacks: NOTHING_LACKS,
      records: 0,
      datagrams: 0,
      round: 0,
    };
    this.#session = session;
    this.#timers.set('silence', after(now, PATIENCE));
    this.#read(session, now);
  }

  /** Reads the table from its beginning. */
  #read(session: Session, now: Instant): void {
    session.pass++;
    session.reading = ++this.#readings;
    session.readAll = false;
    session.before = session.listed;
    session.listed = new Set();
    session.lacks = NOTHING_LACKS;
    delete session.list;
    this.#timers.clear('again');
    this.#progress(session, now);
    this.#readOn(session);
  }

  #readOn(session: Session): void {
    session.asked = true;
    this.#effects.push({ type: 'read', reading: session.reading });
  }

  #rows(session: Session, { carried, last }: DonorEvent & { type: 'rows' }, now: Instant): void {
    session.asked = false;
    session.readAll = last;
    const untold = (connections: readonly SyncedConnection[]): SyncedConnection[] =>
      connections.filter((connection) => {
        const print = fingerprint(connection, session.salt);
        session.listed.add(print);
        if (session.told.has(print)) return false;
        session.told.add(print);
        return true;
      });
    session.waiting.push(...untold(carried.first));
    session.later.push(...untold(carried.later));
    const { marks, sequences, left } = session.lacks;
    const { lacks } = carried;
    session.lacks = {
      marks: marks + lacks.marks,
      sequences: sequences + lacks.sequences,
      left: left + lacks.left,
    };
    this.#tell(session, now);
  }

  /** Sends the next records, reads on when there are none, and lists when all is read. */
  #tell(session: Session, now: Instant): void {
    if (session.list !== undefined || this.#maxlen === undefined) return;
    if (session.readAll && session.waiting.length === 0) {
      session.waiting = session.later;
      session.later = [];
    }
    if (session.waiting.length > 0) {
      this.#burst(session, session.waiting.splice(0, BURST_RECORDS), this.#maxlen);
      this.#timers.set('pace', after(now, PACE));
    } else if (!session.readAll) {
      if (!session.asked) this.#readOn(session);
    } else if (session.pass < 2) this.#read(session, now);
    else this.#list(session, now);
  }

  #burst(session: Session, connections: readonly SyncedConnection[], maxlen: number): void {
    const { syncId } = this.#settings;
    const datagrams = [...packMessages(connections, { version: 1, syncId, maxlen })].map(encodeMessage);
    session.records += connections.length;
    session.datagrams += datagrams.length;
    this.#effects.push({ type: 'tell', datagrams });
  }

  #list(session: Session, now: Instant): void {
    const { chunk: size = MOST_FINGERPRINTS } = this.#settings;
    const prints = [...new Set([...session.listed, ...session.before])];
    const count = Math.max(1, Math.ceil(prints.length / size));
    const chunks = Array.from({ length: count }, (_, i) => prints.slice(i * size, (i + 1) * size));
    session.round++;
    this.#progress(session, now);
    session.list = { chunks, answered: new Set(), missing: 0 };
    this.#timers.clear('progress');
    this.#sayList(session, now);
  }

  /** The first chunks that are not answered. */
  #sayList(session: Session, now: Instant): void {
    const { list } = session;
    if (list === undefined) return;
    const open = list.chunks.flatMap((_, chunk) => (list.answered.has(chunk) ? [] : [chunk]));
    for (const chunk of open.slice(0, WINDOW)) this.#sayChunk(session, list, chunk);
    this.#timers.set('again', after(now, AGAIN));
  }

  #answered(session: Session, message: BulkMessage & { type: 'missing' }, now: Instant): void {
    const { list } = session;
    const { round, chunk, places } = message;
    const prints = list?.chunks[chunk];
    if (list === undefined || prints === undefined || round !== session.round) return;
    if (list.answered.has(chunk)) return;
    list.answered.add(chunk);
    for (const place of places) {
      const print = prints[place];
      if (print !== undefined && session.told.delete(print)) list.missing++;
    }
    if (list.answered.size === list.chunks.length) this.#settle(session, list.missing, now);
    else this.#sayNext(session, list);
  }

  /** The chunk that comes into the window when one is answered. */
  #sayNext(session: Session, list: Listing): void {
    const next = list.answered.size + WINDOW - 1;
    if (next < list.chunks.length && !list.answered.has(next)) this.#sayChunk(session, list, next);
  }

  #sayChunk(session: Session, { chunks }: Listing, chunk: number): void {
    const { round, lacks, listed } = session;
    const counts = { round, chunk, chunks: chunks.length, connections: listed.size, lacks };
    this.#say({ type: 'list', ...counts, fingerprints: chunks[chunk] ?? [] }, session);
  }

  #settle(session: Session, missing: number, now: Instant): void {
    if (missing > 0 && session.round < MOST_ROUNDS) {
      this.#read(session, now);
      return;
    }
    for (let i = 0; i < LAST_WORDS; i++) this.#say({ type: 'done', missing }, session);
    this.#end(session, missing === 0 ? 'complete' : 'missing', now, { missing });
  }

  #checkSilence(session: Session, now: Instant): void {
    const until = after(session.heard, PATIENCE);
    if (until > now) this.#timers.set('silence', until);
    else this.#end(session, 'silent', now);
  }

  #progress(session: Session, now: Instant): void {
    const { records, datagrams } = session;
    this.#say({ type: 'progress', records, datagrams }, session);
    this.#timers.set('progress', after(now, PROGRESS));
  }

  #end(
    session: Session,
    outcome: Given['outcome'],
    now: Instant,
    more: { readonly missing?: number; readonly why?: string } = {},
  ): void {
    const { with: to, listed, records, datagrams, round: rounds, begin } = session;
    this.#timers.clearAll();
    this.#session = undefined;
    this.#last = { donor: session.donor, at: now };
    this.#effects.push({
      type: 'given',
      ...{ to, outcome, connections: listed.size, records, datagrams, rounds },
      took: since(now, begin),
      missing: more.missing ?? 0,
      ...(more.why !== undefined && { why: more.why }),
    });
  }

  #say(word: BulkWord, { with: to, recipient, donor }: Pick<Session, 'with' | 'recipient' | 'donor'>): void {
    const { name, syncId } = this.#settings;
    this.#effects.push({ type: 'say', message: { ...word, syncId, recipient, donor, from: name, to } });
  }

  #nonce(): Nonce {
    return nonceOf(this.#settings.life, ++this.#used);
  }
}
