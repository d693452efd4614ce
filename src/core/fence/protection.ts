import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Seal } from '../sealed.ts';
import { after, type Duration, earliest, type Instant, micros, seconds, since } from '../time.ts';
import { Authority, type AuthorityEffect, type AuthorityState, type VoteStatus } from './authority.ts';
import { type ClockNews, Clocks } from './clocks.ts';
import type { EtcdEvent } from './etcd.ts';
import { Heartbeats, type Rejection, type Word } from './heartbeat.ts';
import { type Answer, Voter } from './voter.ts';

/**
 * A director's part in its cluster: its own vote, its heartbeats, and its authority over each claim (a protected
 * virtual router or sync group).
 */
export interface ProtectionSettings {
  readonly cluster: string;
  /** Ours, as the others call it. */
  readonly name: string;
  /** Random, of this start. */
  readonly life: string;
  /** All directors, ourselves among them, in the same order on each. */
  readonly directors: readonly string[];
  readonly witness?: string | undefined;
  /** An etcd cluster in place of a witness: others speak to it for us. */
  readonly etcd?: string | undefined;
  readonly longest: Duration;
  readonly margin: number;
  /** Between two heartbeats. */
  readonly interval: Duration;
  /** The directors that a device can switch off. */
  readonly fenced?: readonly string[];
  /** It may switch off one that it has not heard since its own start: `startup_alone fence`. */
  readonly fencesUnheard?: boolean;
}

export type ProtectionEvent =
  | { readonly type: 'heartbeat'; readonly datagram: Uint8Array; readonly utc: number }
  /** The answer to a word of the effect `etcd`; without one: it lives. */
  | { readonly type: 'etcd'; readonly answer?: Extract<Word, { type: 'answer' }> }
  /** No address of an earlier life is left here: from now on others hear that we live. */
  | { readonly type: 'clean' }
  /** A director was off for certain at that time. */
  | { readonly type: 'fenced'; readonly director: string; readonly at: Instant }
  /** Nobody could switch it off at that time; these claims go on as if it were. */
  | {
      readonly type: 'unfenced';
      readonly director: string;
      readonly at: Instant;
      readonly claims: readonly string[];
    }
  /**
   * VRRP would be master of the claim; `promise`: how long each vote for it lasts; absent: until it is released, in a
   * pair that only fences.
   */
  | {
      readonly type: 'want';
      readonly claim: string;
      readonly priority: number;
      readonly promise?: Duration | undefined;
      readonly why: string;
    }
  /** It would not any more, or has let go: no address is left. */
  | { readonly type: 'let-go'; readonly claim: string; readonly why: string };

export type ProtectionEffect =
  | { readonly type: 'send'; readonly to: string; readonly datagrams: readonly Uint8Array[] }
  /** What is to be said to etcd; `life` is ours. */
  | { readonly type: 'etcd'; readonly word: EtcdWord }
  | { readonly type: 'authorised'; readonly claim: string; readonly until: Instant | undefined }
  | { readonly type: 'lost'; readonly claim: string; readonly why: string }
  | {
      readonly type: 'refused';
      readonly claim: string;
      readonly why: string;
      readonly silent: readonly string[];
    }
  /** A silent director keeps us from a claim: it is to be switched off. */
  | { readonly type: 'fence'; readonly director: string; readonly claim: string; readonly why: string }
  /** Another director would be master of what we hold. */
  | { readonly type: 'challenged'; readonly claim: string; readonly by: string; readonly priority: number }
  /** A heartbeat was dropped; the first of its kind in a minute. */
  | { readonly type: 'dropped'; readonly reason: Rejection; readonly count: number }
  | { readonly type: 'peer'; readonly name: string; readonly heard: boolean }
  /** Its wall clock differs from ours, or does not any more. */
  | ({ readonly type: 'clock'; readonly name: string } & ClockNews);

/** What etcd is told and asked: events of its voter (etcd.ts). */
export type EtcdWord = Extract<EtcdEvent, { type: 'ask' | 'release' | 'fenced' }>;

/** After so many intervals without a heartbeat a peer counts as silent. */
const SILENT_INTERVALS = 3.5;
const REPORT_INTERVAL = seconds(60);

export interface PeerStatus {
  readonly name: string;
  readonly witness: boolean;
  /** Since its last heartbeat; `undefined` when none came. */
  readonly silent: Duration | undefined;
  /** Its wall clock minus ours, as far as one datagram tells. */
  readonly clock: Duration | undefined;
}

export interface ClaimStatus {
  readonly state: AuthorityState;
  /** How many attempts in a row were in vain. */
  readonly vain: number;
  readonly votes: readonly VoteStatus[];
}

interface Peer {
  heardAt: Instant | undefined;
  isHeard: boolean;
  clock: Duration | undefined;
  /** What is to be said to it at the end of this turn. */
  words: Word[];
}

export class Protection implements Machine<ProtectionEvent, ProtectionEffect> {
  readonly #settings: ProtectionSettings;
  readonly #voter: Voter;
  readonly #heartbeats: Heartbeats;
  readonly #clocks = new Clocks();
  readonly #peers = new Map<string, Peer>();
  readonly #authorities = new Map<string, { readonly authority: Authority; priority: number }>();
  /** The life in which each peer was heard last. */
  readonly #lives = new Map<string, string>();
  #etcdHeard: Instant | undefined;
  readonly #dropped = new Map<Rejection, { count: number; told: Instant | undefined }>();
  #next: Instant;
  #clean = false;
  #utc: number;
  #effects: ProtectionEffect[] = [];

  /** `now` and `utc` (microseconds since 1970) are those of the start of this life. */
  constructor(settings: ProtectionSettings, seal: Seal, now: Instant, utc: number) {
    this.#settings = settings;
    const { cluster, name, life, directors, witness } = settings;
    const peers = [...directors.filter((each) => each !== name), ...(witness === undefined ? [] : [witness])];
    this.#voter = new Voter(settings, now);
    this.#heartbeats = new Heartbeats({ cluster, name, life, peers }, seal);
    for (const peer of peers)
      this.#peers.set(peer, { heardAt: undefined, isHeard: false, clock: undefined, words: [] });
    this.#next = now;
    this.#utc = utc - now;
  }

  handle(event: ProtectionEvent, now: Instant): void {
    switch (event.type) {
      case 'heartbeat':
        this.#utc = event.utc - now;
        this.#heartbeat(event.datagram, now);
        break;
      case 'want': {
        const entry = this.#entry(event.claim);
        entry.priority = event.priority;
        const { longest } = this.#settings;
        const promise = event.promise && micros(Math.min(event.promise, longest));
        entry.authority.handle({ type: 'want', promise, why: event.why }, now);
        break;
      }
      case 'let-go':
        this.#authorities.get(event.claim)?.authority.handle({ type: 'let-go', why: event.why }, now);
        break;
      case 'etcd':
        this.#etcdHeard = now;
        if (event.answer !== undefined && this.#settings.etcd !== undefined)
          this.#answered(
            event.answer.claim,
            this.#settings.etcd,
            event.answer.number,
            event.answer.answer,
            now,
          );
        break;
      case 'clean':
        this.#clean = true;
        break;
      case 'fenced':
        this.#fenced(event.director, event.at, now);
        break;
      case 'unfenced':
        this.#unfenced(event, now);
        break;
      default:
        unreachable(event);
    }
    this.#settle(now);
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined = this.#next;
    for (const { authority } of this.#authorities.values()) next = earliest(next, authority.deadline());
    return next;
  }

  timeout(now: Instant): void {
    for (const { authority } of this.#authorities.values()) authority.timeout(now);
    const beat = this.#next <= now;
    if (beat) this.#beat(now);
    this.#settle(now, beat);
  }

  take(): ProtectionEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  peers(now: Instant): PeerStatus[] {
    const { witness, etcd } = this.#settings;
    const silent = (heardAt: Instant | undefined): Duration | undefined => heardAt && since(now, heardAt);
    const peers = Array.from(this.#peers, ([name, { heardAt, clock }]) => ({
      name,
      witness: name === witness,
      silent: silent(heardAt),
      clock,
    }));
    if (etcd === undefined) return peers;
    return [...peers, { name: etcd, witness: true, silent: silent(this.#etcdHeard), clock: undefined }];
  }

  /** The state of a claim and each vote for it. */
  claim(name: string, now: Instant): ClaimStatus {
    const authority = this.#authorities.get(name)?.authority;
    const { state = 'idle', vain = 0 } = authority ?? {};
    return { state, vain, votes: authority?.votes(now) ?? [] };
  }

  #entry(claim: string): { readonly authority: Authority; priority: number } {
    const known = this.#authorities.get(claim);
    if (known !== undefined) return known;
    const { name, life, directors, witness, etcd, longest, interval } = this.#settings;
    const rank = directors.indexOf(name);
    const authority = new Authority({
      claim,
      director: name,
      life,
      voters: [...directors, ...[witness ?? etcd ?? []].flat()],
      directors,
      renewal: interval,
      attempt: micros(interval * (3 + rank)),
      longest,
    });
    const entry = { authority, priority: 0 };
    this.#authorities.set(claim, entry);
    return entry;
  }

  #heartbeat(datagram: Uint8Array, now: Instant): void {
    const accepted = this.#heartbeats.accept(datagram, now);
    if (!accepted.ok) {
      if (accepted.reason !== 'overtaken') this.#drop(accepted.reason, now);
      return;
    }
    const { from, life, utc, words } = accepted.heard;
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    peer.clock = micros(utc - (this.#utc + now));
    const news = this.#clocks.compare(from, peer.clock, now);
    if (news !== undefined) this.#effects.push({ type: 'clock', name: from, ...news });
    if (this.#lives.get(from) !== life) this.#voter.reborn(from, life);
    this.#lives.set(from, life);
    peer.heardAt = now;
    if (!peer.isHeard) this.#hears(from, peer, true);
    for (const word of words) this.#word(from, life, word, peer, now);
  }

  #word(from: string, life: string, word: Word, peer: Peer, now: Instant): void {
    switch (word.type) {
      case 'ask': {
        const { claim, number, duration, priority } = word;
        const answer = this.#voter.ask({ claim, director: from, life, number, duration }, now);
        if (answer !== undefined) peer.words.push({ type: 'answer', claim, number, answer });
        const held = this.#authorities.get(claim)?.authority.state === 'holding';
        if (held) this.#effects.push({ type: 'challenged', claim, by: from, priority });
        break;
      }
      case 'answer':
        this.#answered(word.claim, from, word.number, word.answer, now);
        break;
      case 'release':
        this.#voter.release({ claim: word.claim, director: from, life, number: word.number });
        break;
      case 'fenced':
        this.#voter.fenced(word.director, word.life);
        break;
      default:
        unreachable(word);
    }
  }

  /** Its promises and those to it are gone, with the life that was heard last. */
  #fenced(director: string, at: Instant, now: Instant): void {
    for (const { authority } of this.#authorities.values())
      authority.handle({ type: 'fenced', director, at }, now);
    const life = this.#lives.get(director);
    if (life === undefined) return;
    this.#voter.fenced(director, life);
    this.#sayAll({ type: 'fenced', director, life });
    this.#sayEtcd({ type: 'fenced', director, life });
  }

  /** The operator wants it so. Nobody else is told: that it is off is not known. */
  #unfenced({ director, at, claims }: Extract<ProtectionEvent, { type: 'unfenced' }>, now: Instant): void {
    const life = this.#lives.get(director);
    if (life !== undefined) this.#voter.fenced(director, life, claims);
    for (const claim of claims)
      this.#authorities.get(claim)?.authority.handle({ type: 'fenced', director, at }, now);
  }

  /**
   * A claim is not to be had because of these: who can be switched off, and was heard once, is. One whose heartbeats
   * come is not, though its answers may be lost: it may serve what another claim is for.
   */
  #shoot(claim: string, silent: readonly string[]): void {
    const { fenced = [], fencesUnheard = false } = this.#settings;
    for (const director of silent) {
      if (this.#peers.get(director)?.isHeard) continue;
      if (!fenced.includes(director) || (!this.#lives.has(director) && !fencesUnheard)) continue;
      this.#effects.push({
        type: 'fence',
        director,
        claim,
        why: `it is silent, and ${claim} has no majority of votes`,
      });
    }
  }

  #answered(claim: string, voter: string, number: number, answer: Answer, now: Instant): void {
    this.#authorities.get(claim)?.authority.handle({ type: 'answer', voter, number, answer }, now);
  }

  #drop(reason: Rejection, now: Instant): void {
    const dropped = this.#dropped.get(reason) ?? { count: 0, told: undefined };
    dropped.count += 1;
    this.#dropped.set(reason, dropped);
    if (dropped.told !== undefined && since(now, dropped.told) < REPORT_INTERVAL) return;
    this.#effects.push({ type: 'dropped', reason, count: dropped.count });
    dropped.told = now;
    dropped.count = 0;
  }

  /** Everybody hears that we live, and we look who does. */
  #beat(now: Instant): void {
    const { interval } = this.#settings;
    this.#next = after(now, interval);
    for (const [name, peer] of this.#peers) {
      const silent = peer.heardAt === undefined || since(now, peer.heardAt) > interval * SILENT_INTERVALS;
      if (peer.isHeard && silent) this.#hears(name, peer, false);
    }
  }

  #hears(name: string, peer: Peer, heard: boolean): void {
    peer.isHeard = heard;
    this.#effects.push({ type: 'peer', name, heard });
  }

  /** What the authorities want is done; what is to be said goes out together. */
  #settle(now: Instant, beat = false): void {
    for (const [claim, { authority, priority }] of this.#authorities) {
      for (let effects = authority.take(); effects.length > 0; effects = authority.take()) {
        for (const effect of effects) this.#perform(claim, priority, effect, now);
      }
    }
    for (const [to, peer] of this.#peers) {
      if ((peer.words.length === 0 && !beat) || !this.#clean) continue;
      const datagrams = this.#heartbeats.compose(to, peer.words, now, this.#utc + now);
      peer.words = [];
      this.#effects.push({ type: 'send', to, datagrams });
    }
  }

  #perform(claim: string, priority: number, effect: AuthorityEffect, now: Instant): void {
    switch (effect.type) {
      case 'ask': {
        const { number, duration } = effect.ask;
        this.#sayAll({ type: 'ask', claim, number, duration, priority });
        this.#sayEtcd(effect);
        const answer = this.#voter.ask(effect.ask, now);
        if (answer !== undefined) this.#answered(claim, this.#settings.name, number, answer, now);
        break;
      }
      case 'release':
        this.#voter.release(effect.release);
        this.#sayAll({ type: 'release', claim, number: effect.release.number });
        this.#sayEtcd(effect);
        break;
      default:
        this.#effects.push({ ...effect, claim });
        if (effect.type === 'refused') this.#shoot(claim, effect.silent);
    }
  }

  #sayAll(word: Word): void {
    for (const peer of this.#peers.values()) peer.words.push(word);
  }

  #sayEtcd(word: EtcdWord): void {
    if (this.#settings.etcd !== undefined) this.#effects.push({ type: 'etcd', word });
  }
}
