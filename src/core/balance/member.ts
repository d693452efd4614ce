import type { Duration, Instant } from '../time.ts';
import { earliest } from '../time.ts';
import type { Destination } from './model.ts';
import type { Authority, Order } from './orders.ts';
import { authorityOver, weightUnder } from './orders.ts';
import { Ramp } from './ramp.ts';

/** What a pool needs of a `real_server` block. */
export interface PoolServer {
  readonly destination: Destination;
  /** `inhibit_on_failure`: weight 0 instead of removal. */
  readonly inhibit: boolean;
  /** `slow_start` (ours): how long it takes to its full weight when it is back. */
  readonly slowStart?: Duration;
}

/** How a real server begins. */
export interface Beginning {
  readonly up: boolean;
  readonly cause: string;
  readonly weight?: number;
  readonly order?: Order | undefined;
}

/** What is known of one real server. */
export interface ServerStanding {
  readonly name: string;
  readonly up: boolean;
  /** The weight it has in the table while it is up and serving. */
  readonly weight: number;
  /** Why it is as it is: `tcp check of 10.0.0.2:80: connection refused`. */
  readonly cause: string;
  /** It is down, and serves all the same: too few others are up (`min_up`). */
  readonly kept: boolean;
  /** Who gave it the weight; absent: the configuration. */
  readonly by?: Authority | 'check';
  /** It takes no new connections; while it drains it is in the table until those that it has are over. */
  readonly drain?: DrainStanding;
  /** `slow_start`: the weight that it will have, and when. */
  readonly ramp?: { readonly full: number; readonly end: Instant };
}

export interface DrainStanding {
  readonly phase: 'draining' | 'drained';
  readonly by: Authority;
  /** When it is removed with the connections that it has then. */
  readonly until?: Instant;
  /** Active connections at the last count. */
  readonly connections?: number;
}

/**
 * One real server of a pool: what its checks, an order and `slow_start` make of its weight. A server that took no new
 * connections, being down, drained or of weight 0, and takes them again ramps up; at the start and at a reload none
 * does, nor one that served all the time because `min_up` kept it.
 */
export class Member {
  readonly name: string;
  readonly settings: PoolServer;
  #up: boolean;
  #cause: string;
  /** By configuration and checks. */
  #own: number;
  #order: Order | undefined;
  #drained = false;
  #connections: number | undefined;
  #ramp: Ramp | undefined;
  #ramped = 0;
  #next: Instant | undefined;
  /** It began as down (`alpha`) and no check has said so yet: its first success is no return. */
  #unknown: boolean;

  constructor(name: string, settings: PoolServer, beginning: Beginning, before?: Member) {
    this.name = name;
    this.settings = settings;
    this.#up = beginning.up;
    this.#cause = beginning.cause;
    this.#own = beginning.weight ?? settings.destination.weight;
    this.#order = beginning.order;
    this.#unknown = !this.#up && (before === undefined || before.#unknown);
    if (before !== undefined) this.#follow(before);
  }

  /** As it was before a reload. */
  #follow(before: Member): void {
    if (before.drains && this.drains) {
      this.#drained = before.#drained;
      this.#connections = before.#connections;
    }
    if (!this.#takes || this.settings.slowStart === undefined) return;
    this.#ramp = before.#ramp;
    this.#ramped = before.#ramped;
    this.#next = before.#next;
  }

  memory() {
    const ramp = this.#ramp && { begun: this.#ramp.begun, length: this.#ramp.length };
    const [up, cause, own, order, drained] = [this.#up, this.#cause, this.#own, this.#order, this.#drained];
    const [connections, ramped, next, unknown] = [this.#connections, this.#ramped, this.#next, this.#unknown];
    return { up, cause, own, order, drained, connections, ramp, ramped, next, unknown };
  }

  recall(memory: ReturnType<Member['memory']>): void {
    const { ramp } = memory;
    this.#up = memory.up;
    this.#cause = memory.cause;
    this.#own = memory.own;
    this.#order = memory.order;
    this.#drained = memory.drained;
    this.#connections = memory.connections;
    this.#ramp = ramp && new Ramp(ramp.begun, ramp.length);
    this.#ramped = memory.ramped;
    this.#next = memory.next;
    this.#unknown = memory.unknown;
  }

  get up(): boolean {
    return this.#up;
  }

  /** What counts for the quorum: also while it ramps, and 0 while it is drained. */
  get full(): number {
    return weightUnder(this.#order, this.#own);
  }

  /** What it has in the table. */
  get weight(): number {
    return this.#ramp === undefined ? this.full : Math.min(this.#ramped, this.full);
  }

  get drains(): boolean {
    return this.#order?.drain !== undefined;
  }

  get drained(): boolean {
    return this.drains && this.#drained;
  }

  get connections(): number | undefined {
    return this.#connections;
  }

  standing(kept: boolean): ServerStanding {
    const checked = this.#own === this.settings.destination.weight ? undefined : 'check';
    const by = authorityOver(this.#order, this.#own) ?? checked;
    const drain = this.#drainStanding();
    return {
      name: this.name,
      up: this.#up,
      weight: this.weight,
      cause: this.#cause,
      kept,
      ...(by && { by }),
      ...(drain && { drain }),
      ...(this.#ramp && { ramp: { full: this.full, end: this.#ramp.end } }),
    };
  }

  #drainStanding(): DrainStanding | undefined {
    const drain = this.#order?.drain;
    if (drain === undefined) return undefined;
    const connections = this.#connections;
    return {
      phase: this.#drained ? 'drained' : 'draining',
      ...drain,
      ...(connections !== undefined && { connections }),
    };
  }

  /** A check has judged it; `kept`: it serves also while it is down. */
  turn(up: boolean, cause: string, now: Instant, kept: boolean): void {
    this.#change(now, kept, () => {
      this.#up = up;
      this.#cause = cause;
    });
    this.#unknown = false;
  }

  /** A check has found it down that began so. */
  confirm(): void {
    this.#unknown = false;
  }

  weigh(weight: number, cause: string, now: Instant, kept: boolean): void {
    this.#change(now, kept, () => {
      this.#own = weight;
      this.#cause = cause;
    });
  }

  obey(order: Order | undefined, now: Instant, kept: boolean): void {
    this.#change(now, kept, () => {
      if (order?.drain === undefined || !this.drains) {
        this.#drained = false;
        this.#connections = undefined;
      }
      this.#order = order;
    });
  }

  /** The kernel has so many active connections to it: none is the end of a drain. */
  count(connections: number): void {
    if (!this.drains || this.#drained) return;
    this.#connections = connections;
    this.#drained = connections === 0;
  }

  deadline(): Instant | undefined {
    const until = this.#drained ? undefined : this.#order?.drain?.until;
    return earliest(until, this.#ramp === undefined ? undefined : this.#next);
  }

  /** What the time alone changes. */
  advance(now: Instant): void {
    const until = this.#order?.drain?.until;
    if (until !== undefined && until <= now) this.#drained = true;
    if (this.#ramp === undefined) return;
    this.#ramped = this.#ramp.weight(this.full, now);
    this.#next = this.#ramp.next(this.full, now);
    if (this.#next === undefined) this.#ramp = undefined;
  }

  get #takes(): boolean {
    return this.#up && this.full > 0;
  }

  #change(now: Instant, kept: boolean, act: () => void): void {
    const took = (this.#up || kept) && this.full > 0;
    act();
    const { slowStart } = this.settings;
    if (!this.#takes) this.#ramp = undefined;
    else if (!took && !this.#unknown && slowStart !== undefined) this.#ramp = new Ramp(now, slowStart);
    this.advance(now);
  }
}
