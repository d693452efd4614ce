import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, micros, since } from '../time.ts';
import type { Authority, AuthorityEffect } from './authority.ts';
import { Clocks } from './clocks.ts';
import { Drops } from './drops.ts';
import { Heartbeats, type Rejection } from './heartbeat.ts';
import type { Heartbeat, Word } from './heartbeat-codec.ts';
import { type Parts, REAL_PARTS } from './parts.ts';
import type {
  ClaimStatus,
  EtcdWord,
  PeerStatus,
  ProtectionEffect,
  ProtectionEvent,
  ProtectionSettings,
  Unfenced,
} from './protection-events.ts';
import { isSilent, mayWithSilent } from './silence.ts';
import type { Voter } from './voter.ts';

/** So many heartbeats may come of a life that does not answer us, before they are told of as replayed. */
const UNPROVEN_MOST = 32;

interface Peer {
  heardAt: Instant | undefined;
  isHeard: boolean;
  clock: Duration | undefined;
  /** How many heartbeats came of lives that have not answered us, since it is in its present one. */
  unproven: number;
  /** What is to be said to it at the end of this turn. */
  words: Word[];
}

/**
 * A director's part in its cluster: its own vote, its heartbeats, and its authority over each claim (a protected
 * virtual router or sync group).
 */
export class Protection implements Machine<ProtectionEvent, ProtectionEffect> {
  readonly #settings: ProtectionSettings;
  readonly #parts: Parts;
  readonly #voter: Voter;
  readonly #heartbeats: Heartbeats;
  readonly #clocks = new Clocks();
  readonly #peers = new Map<string, Peer>();
  readonly #authorities = new Map<string, { readonly authority: Authority; priority: number }>();
  /** The life in which each peer was heard last. */
  readonly #lives = new Map<string, string>();
  #etcdHeard: Instant | undefined;
  readonly #drops = new Drops();
  #next: Instant;
  #clean = false;
  #utc: number;
  #effects: ProtectionEffect[] = [];

  /** `now` and `utc` (microseconds since 1970) are those of the start of this life. */
  constructor(settings: ProtectionSettings, now: Instant, utc: number, parts = REAL_PARTS) {
    this.#settings = settings;
    this.#parts = parts;
    const { name, life, directors, witness } = settings;
    const peers = [...directors.filter((each) => each !== name), ...(witness === undefined ? [] : [witness])];
    this.#voter = parts.voter(settings, now);
    this.#heartbeats = new Heartbeats({ name, life, peers });
    for (const peer of peers)
      this.#peers.set(peer, { heardAt: undefined, isHeard: false, clock: undefined, unproven: 0, words: [] });
    this.#next = now;
    this.#utc = utc - now;
  }

  handle(event: ProtectionEvent, now: Instant): void {
    switch (event.type) {
      case 'heartbeat':
        this.#utc = event.utc - now;
        this.#heartbeat(event.heartbeat, now);
        break;
      case 'unreadable':
        this.#drop(event.why, now);
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
          this.#answered(this.#settings.etcd, event.answer, now);
        break;
      case 'say':
        this.#say(event);
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

  memory() {
    return {
      voter: this.#voter.memory(),
      heartbeats: this.#heartbeats.memory(),
      clocks: this.#clocks.memory(),
      peers: Array.from(this.#peers, ([name, peer]) => [name, { ...peer, words: [...peer.words] }] as const),
      authorities: Array.from(this.#authorities, ([claim, { authority, priority }]) => ({
        claim,
        priority,
        authority: authority.memory(),
      })),
      lives: new Map(this.#lives),
      etcdHeard: this.#etcdHeard,
      dropped: this.#drops.memory(),
      next: this.#next,
      clean: this.#clean,
      utc: this.#utc,
    };
  }

  recall(memory: ReturnType<Protection['memory']>): void {
    this.#voter.recall(memory.voter);
    this.#heartbeats.recall(memory.heartbeats);
    this.#clocks.recall(memory.clocks);
    for (const [name, peer] of memory.peers) this.#peers.set(name, { ...peer, words: [...peer.words] });
    for (const { claim, priority, authority } of memory.authorities) {
      const made = this.#authorityOver(claim);
      made.recall(authority);
      this.#authorities.set(claim, { authority: made, priority });
    }
    for (const [name, life] of memory.lives) this.#lives.set(name, life);
    this.#drops.recall(memory.dropped);
    [this.#etcdHeard, this.#next] = [memory.etcdHeard, memory.next];
    [this.#clean, this.#utc] = [memory.clean, memory.utc];
  }

  /** How many heartbeats were dropped, by the reason. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#drops.counts;
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

  /** Whether another director is heard. */
  get hears(): boolean {
    return Array.from(this.#peers).some(([name, { isHeard }]) => isHeard && name !== this.#settings.witness);
  }

  /** Whether a voter is heard, says that it is master of the claim (it has our vote), and may be switched off. */
  standing(name: string, claim: string, now: Instant) {
    const at = name === this.#settings.etcd ? this.#etcdHeard : this.#peers.get(name)?.heardAt;
    const claims = this.#voter.holder(claim, now)?.director === name;
    return { heard: !isSilent(at, this.#settings, now), claims, fenced: this.#mayWith(name) === 'fence' };
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
    const entry = { authority: this.#authorityOver(claim), priority: 0 };
    this.#authorities.set(claim, entry);
    return entry;
  }

  #authorityOver(claim: string): Authority {
    const { name, life, directors, witness, etcd, longest, interval } = this.#settings;
    const rank = directors.indexOf(name);
    return this.#parts.authority({
      claim,
      director: name,
      life,
      voters: [...directors, ...[witness ?? etcd ?? []].flat()],
      directors,
      renewal: interval,
      attempt: micros(interval * (3 + rank)),
      longest,
    });
  }

  #heartbeat(heartbeat: Heartbeat, now: Instant): void {
    const accepted = this.#heartbeats.accept(heartbeat, now);
    if (!accepted.ok) {
      if (accepted.reason !== 'overtaken') this.#drop(accepted.reason, now);
      return;
    }
    const { from, life, utc, proven, words } = accepted.heard;
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    if (!proven) {
      // A director that starts needs a few until it answers.
      peer.unproven += 1;
      if (peer.unproven > UNPROVEN_MOST) this.#drop('replayed', now);
      return;
    }
    peer.clock = micros(utc - (this.#utc + now));
    const news = this.#clocks.compare(from, peer.clock, now);
    if (news !== undefined) this.#effects.push({ type: 'clock', name: from, ...news });
    if (this.#lives.get(from) !== life) {
      this.#voter.reborn(from, life);
      peer.unproven = 0;
    }
    this.#lives.set(from, life);
    peer.heardAt = now;
    if (!peer.isHeard) this.#hears(from, peer, true);
    for (const word of words) this.#word(from, life, word, peer, now);
    const spoken = words.filter((word) => word.type === 'hand-over');
    if (spoken.length > 0) this.#effects.push({ type: 'said', from, words: spoken });
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
        this.#answered(from, word, now);
        break;
      case 'release':
        this.#voter.release({ claim: word.claim, director: from, life, number: word.number });
        break;
      case 'fenced':
        this.#voter.fenced(word.director, word.life);
        break;
      case 'hand-over':
        // All of a heartbeat are told together.
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
  #unfenced({ director, at, claims }: Unfenced, now: Instant): void {
    const life = this.#lives.get(director);
    if (life !== undefined) this.#voter.fenced(director, life, claims);
    for (const claim of claims)
      this.#authorities.get(claim)?.authority.handle({ type: 'fenced', director, at }, now);
  }

  /** A claim is not to be had because of these. */
  #shoot(claim: string, silent: readonly string[], now: Instant): void {
    for (const director of silent) {
      const may = this.#mayWith(director);
      if (may === 'fence') {
        const why = `it is silent, and ${claim} has no majority of votes`;
        this.#effects.push({ type: 'fence', director, claim, why });
      } else if (may === 'believe') {
        this.#effects.push({ type: 'believed', director, claim });
        this.#unfenced({ director, at: now, claims: [claim] }, now);
      }
    }
  }

  /** Its answers may be lost although its heartbeats come: it may serve what another claim is for. */
  #mayWith(director: string): ReturnType<typeof mayWithSilent> {
    const isHeard = this.#peers.get(director)?.isHeard ?? false;
    return mayWithSilent(director, this.#settings, { isHeard, wasHeard: this.#lives.has(director) });
  }

  #answered(voter: string, { claim, number, answer }: Extract<Word, { type: 'answer' }>, now: Instant): void {
    this.#authorities.get(claim)?.authority.handle({ type: 'answer', voter, number, answer }, now);
  }

  #drop(reason: Rejection, now: Instant): void {
    const count = this.#drops.note(reason, now);
    if (count !== undefined) this.#effects.push({ type: 'dropped', reason, count });
  }

  /** Everybody hears that we live, and we look who does. */
  #beat(now: Instant): void {
    const { interval } = this.#settings;
    this.#next = after(now, interval);
    for (const [name, peer] of this.#peers) {
      if (peer.isHeard && isSilent(peer.heardAt, this.#settings, now)) this.#hears(name, peer, false);
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
      const heartbeat = this.#heartbeats.compose(to, peer.words, now, this.#utc + now);
      peer.words = [];
      this.#effects.push({ type: 'send', heartbeat });
    }
  }

  #perform(claim: string, priority: number, effect: AuthorityEffect, now: Instant): void {
    switch (effect.type) {
      case 'ask': {
        const { number, duration } = effect.ask;
        this.#sayAll({ type: 'ask', claim, number, duration, priority });
        this.#sayEtcd(effect);
        const answer = this.#voter.ask(effect.ask, now);
        if (answer !== undefined)
          this.#answered(this.#settings.name, { type: 'answer', claim, number, answer }, now);
        break;
      }
      case 'release':
        this.#voter.release(effect.release);
        this.#sayAll({ type: 'release', claim, number: effect.release.number });
        this.#sayEtcd(effect);
        break;
      default:
        this.#effects.push({ ...effect, claim });
        if (effect.type === 'refused') this.#shoot(claim, effect.silent, now);
    }
  }

  /** Who is told to take over may hear of it before it hears that the votes are free: it hears both at once. */
  #say({ to, words }: Extract<ProtectionEvent, { type: 'say' }>): void {
    const said = words.flatMap((word): Word[] => {
      const number = word.step === 'take' ? this.#authorities.get(word.unit)?.authority.released : undefined;
      return number === undefined ? [word] : [{ type: 'release', claim: word.unit, number }, word];
    });
    for (const [name, peer] of this.#peers)
      if (name !== this.#settings.witness && (to ?? name) === name) peer.words.push(...said);
  }

  #sayAll(word: Word): void {
    for (const peer of this.#peers.values()) peer.words.push(word);
  }

  #sayEtcd(word: EtcdWord): void {
    if (this.#settings.etcd !== undefined) this.#effects.push({ type: 'etcd', word });
  }
}
