import {
  Authority,
  type AuthorityEffect,
  type AuthorityEvent,
  type AuthoritySettings,
} from '../../../src/core/fence/authority.ts';
import {
  type Answer,
  type Ask,
  type Release,
  Voter,
  type VoterSettings,
} from '../../../src/core/fence/voter.ts';
import type { Machine } from '../../../src/core/machine.ts';
import { type Duration, type Instant, instant, micros } from '../../../src/core/time.ts';
import type { World } from '../world.ts';

/** What nodes of a cluster say to each other. */
type Word =
  | { readonly type: 'ask'; readonly ask: Ask }
  | { readonly type: 'answer'; readonly number: number; readonly answer: Answer }
  | { readonly type: 'release'; readonly release: Release }
  | { readonly type: 'fenced'; readonly director: string; readonly fencedLife: string }
  /** `holds`: it has the addresses, as adverts say. */
  | { readonly type: 'beat'; readonly holds: boolean };
export type Message = Word & { readonly from: string; readonly life: string };

/** What a broken cluster has in place of the real parts. */
export interface Parts {
  readonly voter: (settings: VoterSettings, started: Instant) => Voter;
  readonly authority: (
    settings: AuthoritySettings,
  ) => Machine<AuthorityEvent, AuthorityEffect> & Pick<Authority, 'state'>;
}
export const REAL: Parts = {
  voter: (settings, started) => new Voter(settings, started),
  authority: (settings) => new Authority(settings),
};

export interface NodeSettings {
  readonly name: string;
  readonly isDirector: boolean;
  readonly rank: number;
  readonly voters: readonly string[];
  readonly voter: VoterSettings;
  readonly promise: Duration | undefined;
  readonly renewal: Duration;
  readonly fences: boolean;
  /** Local seconds in a true second, and where the local clock began. */
  readonly clockRate: number;
  readonly clockOffset: number;
}

/** What a node needs of the simulation around it. */
export interface Environment {
  readonly world: World;
  readonly parts: Parts;
  send(message: Message, to: string | undefined): void;
  /** Switches a node off; calls back when its device has said so. */
  fence(by: Node, target: string): void;
  /** Whether the device says that the node is off. */
  isOff(target: string): boolean;
  /** An address came or went. */
  look(): void;
}

const CLAIM = 'VI_1';
/** Renewals without a holder's beat after which a director wants to be it. */
const DOWN_BEATS = 4;

/**
 * A director or a witness: a kernel that keeps addresses for as long as it was told, and a process that may sleep or
 * die. VRRP is here as much as matters: who hears no holder for a while wants to be it.
 */
export class Node {
  readonly settings: NodeSettings;
  readonly #environment: Environment;
  /** The process's, gone when it is dead. */
  #voter: Voter | undefined;
  #authority: ReturnType<Parts['authority']> | undefined;
  #life = 0;
  /** The machine has power. */
  on = false;
  #asleepUntil = 0;
  #inbox: Message[] = [];
  /** True time at which the kernel takes the addresses away. */
  #holdsUntil = 0;
  #quietSince = 0;
  #lives = new Map<string, string>();
  #heard = false;
  /** The last that was heard to hold. */
  #holder: string | undefined;
  #fencing: string | undefined;
  readonly #fenced = new Set<string>();
  #timer = 0;

  constructor(settings: NodeSettings, environment: Environment) {
    this.settings = settings;
    this.#environment = environment;
  }

  get #true(): number {
    return this.#environment.world.now;
  }
  get #now(): Instant {
    return instant(this.settings.clockOffset + this.#true * this.settings.clockRate);
  }
  #trueOf(local: number): number {
    return (local - this.settings.clockOffset) / this.settings.clockRate;
  }

  /** Whether its kernel would answer for the addresses now. */
  get holds(): boolean {
    return this.on && this.#holdsUntil > this.#true;
  }
  get alive(): boolean {
    return this.on && this.#voter !== undefined;
  }
  get life(): string {
    return `${this.settings.name}#${this.#life}`;
  }

  boot(): void {
    if (this.alive) return;
    this.on = true;
    this.#life += 1;
    // What an earlier life left in the kernel goes before anything is said.
    this.#keep(0);
    const { settings } = this;
    const { parts, world } = this.#environment;
    this.#voter = parts.voter(settings.voter, this.#now);
    this.#heard = false;
    this.#fencing = undefined;
    this.#fenced.clear();
    this.#inbox = [];
    this.#lives.clear();
    this.#quietSince = world.now;
    if (settings.isDirector) {
      this.#authority = parts.authority({
        claim: CLAIM,
        director: settings.name,
        life: this.life,
        voters: settings.voters,
        directors: settings.voters.filter((name) => name !== 'w'),
        renewal: settings.renewal,
        attempt: micros(settings.renewal * (3 + settings.rank)),
        longest: settings.voter.longest,
      });
    }
    this.#beat(this.#life);
  }

  /** SIGKILL: the kernel keeps the addresses for as long as it was told. */
  crash(): void {
    this.#voter = undefined;
    this.#authority = undefined;
    this.#inbox = [];
    this.#timer += 1;
  }

  /** The power goes. */
  powerOff(): void {
    this.crash();
    this.on = false;
    this.#keep(0);
  }

  sleep(duration: number): void {
    this.#asleepUntil = Math.max(this.#asleepUntil, this.#true + duration);
    this.#environment.world.at(this.#asleepUntil, () => this.#wake());
  }

  /** A clean stop: the addresses go first. */
  stop(): void {
    if (!this.alive || this.#true < this.#asleepUntil) return;
    this.#keep(0);
    this.#tell({ type: 'let-go', why: 'stopped' });
    this.crash();
  }

  /** A planned hand-over: it lives on, and may want to be it again at once. */
  yield(): void {
    if (!this.alive || this.#true < this.#asleepUntil) return;
    this.#keep(0);
    this.#tell({ type: 'let-go', why: 'hand-over' });
  }

  receive(message: Message): void {
    if (!this.alive) return;
    this.#inbox.push(message);
    this.#wake();
  }

  /** The device said that it is off, to a question asked at this true time. */
  fenceDone(target: string, asked: number, worked: boolean): void {
    if (!this.alive || this.#fencing !== target) return;
    this.#fencing = undefined;
    if (!worked) return;
    const life = this.#lives.get(target);
    if (life !== undefined) {
      this.#voter?.fenced(target, life);
      this.#say({ type: 'fenced', director: target, fencedLife: life });
    }
    const at = instant(this.settings.clockOffset + asked * this.settings.clockRate);
    this.#fenced.add(target);
    this.#tell({ type: 'fenced', director: target, at });
  }

  #wake(): void {
    if (!this.alive || this.#true < this.#asleepUntil) return;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const message of inbox) this.#take(message);
    const due = this.#authority?.deadline();
    if (due !== undefined && due <= this.#now) this.#authority?.timeout(this.#now);
    this.#settle();
  }

  #take(message: Message): void {
    const { from, life } = message;
    this.#heard ||= this.settings.voters.includes(from);
    if (this.#lives.get(from) !== life) {
      this.#lives.set(from, life);
      this.#voter?.reborn(from, life);
    }
    this.#fenced.delete(from);
    switch (message.type) {
      case 'ask': {
        const answer = this.#voter?.ask(message.ask, this.#now);
        if (answer !== undefined) this.#say({ type: 'answer', number: message.ask.number, answer }, from);
        break;
      }
      case 'answer':
        this.#tell({ type: 'answer', voter: from, number: message.number, answer: message.answer });
        break;
      case 'release':
        this.#voter?.release(message.release);
        break;
      case 'fenced':
        this.#voter?.fenced(message.director, message.fencedLife);
        break;
      case 'beat':
        if (!message.holds) break;
        this.#quietSince = this.#true;
        this.#holder = from;
        break;
    }
  }

  #tell(event: AuthorityEvent): void {
    this.#authority?.handle(event, this.#now);
    this.#settle();
  }

  #settle(): void {
    const authority = this.#authority;
    if (authority === undefined) return;
    for (let effects = authority.take(); effects.length > 0; effects = authority.take()) {
      for (const effect of effects) this.#perform(effect);
    }
    const due = authority.deadline();
    this.#timer += 1;
    const timer = this.#timer;
    if (due === undefined) return;
    const at = Math.max(this.#trueOf(due), this.#true + 100);
    this.#environment.world.at(at, () => {
      if (timer === this.#timer) this.#wake();
    });
  }

  #perform(effect: AuthorityEffect): void {
    switch (effect.type) {
      case 'ask': {
        const answer = this.#voter?.ask(effect.ask, this.#now);
        this.#say({ type: 'ask', ask: effect.ask });
        const { number } = effect.ask;
        if (answer !== undefined)
          this.#authority?.handle({ type: 'answer', voter: this.settings.name, number, answer }, this.#now);
        break;
      }
      case 'release':
        this.#voter?.release(effect.release);
        this.#say({ type: 'release', release: effect.release });
        break;
      case 'authorised':
        this.#keep(effect.until === undefined ? Number.POSITIVE_INFINITY : this.#trueOf(effect.until));
        break;
      case 'lost':
        this.#keep(0);
        this.#quietSince = this.#true;
        break;
      case 'refused':
        this.#quietSince = this.#true;
        this.#shoot(effect.silent);
        break;
    }
  }

  #keep(until: number): void {
    this.#holdsUntil = until;
    this.#environment.look();
    if (until > this.#true && until !== Number.POSITIVE_INFINITY)
      this.#environment.world.at(until, () => this.#environment.look());
  }

  #say(word: Word, to?: string): void {
    this.#environment.send({ ...word, from: this.settings.name, life: this.life }, to);
  }

  /** The votes are not to be had: who gives no answer is shut out, once anybody was heard in this life. */
  #shoot(silent: readonly string[]): void {
    const { fences, voters, name } = this.settings;
    if (!fences || !this.#heard || this.#fencing !== undefined) return;
    const suspects = voters.filter(
      (voter) => voter !== name && voter.startsWith('d') && silent.includes(voter),
    );
    const standing = suspects.filter((other) => !this.#fenced.has(other));
    const target = standing.find((other) => other === this.#holder) ?? standing[0];
    if (target === undefined) return;
    this.#fencing = target;
    this.#environment.fence(this, target);
  }

  /** Every renewal, while this life lasts: adverts, and the wish to be master. */
  #beat(life: number): void {
    if (life !== this.#life || !this.alive) return;
    const { renewal, rank } = this.settings;
    this.#environment.world.at(this.#true + renewal, () => this.#beat(life));
    if (this.#true < this.#asleepUntil) return;
    this.#say({ type: 'beat', holds: this.holds });
    const authority = this.#authority;
    if (authority === undefined) return;
    for (const director of this.#fenced)
      if (this.#environment.isOff(director)) this.#tell({ type: 'fenced', director, at: this.#now });
    const patience = renewal * (DOWN_BEATS + rank / 2);
    if (authority.state === 'idle' && this.#true - this.#quietSince > patience)
      this.#tell({ type: 'want', promise: this.settings.promise, why: 'nobody is heard' });
  }
}
