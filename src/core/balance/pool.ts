import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Instant } from '../time.ts';
import { earliest } from '../time.ts';
import { Guard } from './guard.ts';
import type { Beginning, PoolServer, ServerStanding } from './member.ts';
import { Member } from './member.ts';
import type { Destination, Service, ServiceKey, TableEntry } from './model.ts';
import { endpointName, serviceName } from './model.ts';
import type { Order } from './orders.ts';

export type { ServerStanding } from './member.ts';

/** What a pool needs of a `virtual_server` block. */
export interface PoolSettings {
  /** One, or all those of its group: they have the same servers, checks and quorum. */
  readonly services: readonly Service[];
  readonly group?: { readonly name: string };
  readonly realServers: readonly PoolServer[];
  /** `sorry_server`: serves while the quorum is lost. */
  readonly sorry?: Destination;
  /** `sorry_server_inhibit`: while the quorum holds it stays in the table with weight 0. */
  readonly sorryInhibit?: boolean;
  /** `quorum`: alive weight that is needed, at least 1. */
  readonly quorum: number;
  /** `hysteresis`: lost below quorum - hysteresis, regained from quorum + hysteresis. */
  readonly hysteresis: number;
  /** `min_up` (ours): percent of the real servers that checks must leave in service; 0 or absent: none. */
  readonly minUp?: number;
}

export type PoolEvent =
  | { readonly type: 'health'; readonly server: string; readonly up: boolean; readonly cause: string }
  /** A server that began as down is found to be so. */
  | { readonly type: 'confirmed'; readonly server: string }
  /** A checker changes the weight; the server itself stays up. */
  | { readonly type: 'weight'; readonly server: string; readonly weight: number; readonly cause: string }
  /** What operator and schedule want of it from now on. */
  | { readonly type: 'order'; readonly server: string; readonly order: Order | undefined }
  /** Active connections to it in the kernel, over all services. */
  | { readonly type: 'counted'; readonly server: string; readonly connections: number };

export type PoolEffect =
  | {
      readonly type: 'quorum';
      readonly service: string;
      readonly held: boolean;
      /** Sum of the weights of the servers that are up, and the sum that the change was measured against. */
      readonly weight: number;
      readonly threshold: number;
      readonly cause: string;
    }
  /** `min_up` keeps these servers in service although they are down; none: it has no more to keep. */
  | {
      readonly type: 'guard';
      readonly service: string;
      readonly kept: readonly string[];
      readonly up: number;
    }
  /** Nobody is connected to it any more, or its time is over: it leaves the table. */
  | { readonly type: 'drained'; readonly server: string; readonly connections: number | undefined }
  /** What the kernel's table should hold for its services has changed: see `entry`. */
  | { readonly type: 'entries'; readonly cause: string };

/** The pool's name in the log and in `status`: its service's, or `group web tcp`. */
export function poolName({ services, group }: Pick<PoolSettings, 'services' | 'group'>): string {
  const [first] = services;
  assert(first !== undefined, 'a virtual server without services');
  if (group === undefined) return serviceName(first.key);
  const key = services.find((service) => service.key.kind === 'address')?.key ?? first.key;
  return `group ${group.name} ${key.kind === 'address' ? key.protocol : `inet${key.family === 6 ? '6' : ''}`}`;
}

/**
 * One virtual server: from the health of its real servers to its entry in the IPVS table. The rules are
 * keepalived's (`quorum`, `hysteresis`, `sorry_server`, `inhibit_on_failure`):
 *
 * - the quorum holds while the weight of the servers that are up is at least quorum - hysteresis and not 0; it
 *   is regained at quorum + hysteresis; at the start it counts as not yet gained;
 * - while it is lost and there is a sorry server, that one serves instead of all real servers, also of those
 *   that are up; without a sorry server what is up goes on serving;
 * - a server that does not serve is absent, or has weight 0 with `inhibit_on_failure`;
 * - a server that `min_up` keeps serves, and counts for the quorum;
 * - a server that somebody drains has weight 0, beside a sorry server too, until its connections are over or its time
 *   is; then it is absent. It counts for nothing. One that ramps counts with its full weight.
 *
 * A quorum that the configured weights cannot reach is lowered to what they can, as keepalived does; we do the
 * same with the sum at which it is regained, which otherwise could lock the sorry server in for ever.
 */
export class Pool implements Machine<PoolEvent, PoolEffect> {
  readonly name: string;
  readonly #settings: PoolSettings;
  readonly #servers = new Map<string, Member>();
  readonly #guard: Guard;
  #kept: ReadonlySet<string> = new Set();
  readonly #quorum: number;
  readonly #regain: number;
  readonly #lose: number;
  #held: boolean;
  #effects: PoolEffect[] = [];

  /**
   * `initial` says how each real server starts, by `endpointName`; one that it does not name starts up. `before`: the
   * pool as it was before a reload, for the hysteresis and the guard. How it begins is among the effects at once.
   */
  constructor(settings: PoolSettings, initial: ReadonlyMap<string, Beginning>, before?: Pool) {
    this.#settings = settings;
    this.#held = before?.held ?? false;
    this.name = poolName(settings);
    const known = before === undefined ? new Map<string, Member>() : before.#servers;
    let total = 0;
    for (const server of settings.realServers) {
      const name = endpointName(server.destination.address, server.destination.port);
      if (this.#servers.has(name)) continue;
      const beginning = initial.get(name) ?? { up: true, cause: 'not checked' };
      this.#servers.set(name, new Member(name, server, beginning, known.get(name)));
      total += server.destination.weight;
    }
    this.#quorum = Math.max(1, Math.min(settings.quorum, total));
    const hysteresis = Math.min(settings.hysteresis, this.#quorum - 1);
    this.#lose = this.#quorum - hysteresis;
    this.#regain = Math.max(this.#quorum, Math.min(this.#quorum + hysteresis, total));
    const kept = before?.servers().flatMap(({ name, kept }) => (kept && this.#isDown(name) ? [name] : []));
    this.#guard = new Guard(settings.minUp ?? 0, kept);
    this.#judgeGuard();
    this.#judgeQuorum('start', true);
    this.#effects.push({ type: 'entries', cause: 'start' });
  }

  memory() {
    const servers = new Map(Array.from(this.#servers, ([name, server]) => [name, server.memory()]));
    return { servers, guard: this.#guard.memory(), kept: this.#kept, held: this.#held };
  }

  /** With these settings; what it has to say of its beginning was said. */
  recall({ servers, guard, kept, held }: ReturnType<Pool['memory']>): void {
    for (const [name, memory] of servers) this.#servers.get(name)?.recall(memory);
    this.#guard.recall(guard);
    this.#kept = kept;
    this.#held = held;
    this.#effects = [];
  }

  get held(): boolean {
    return this.#held;
  }

  /** Whether the sorry server serves. */
  get sorry(): boolean {
    return !this.#held && this.#settings.sorry !== undefined;
  }

  /** The real servers in the configuration's order. */
  servers(): ServerStanding[] {
    return Array.from(this.#servers.values(), (server) => server.standing(this.#kept.has(server.name)));
  }

  /** Those that are waited for: their connections are to be counted. */
  draining(): PoolServer[] {
    return Array.from(this.#servers.values()).flatMap(({ drains, drained, settings }) =>
      drains && !drained ? [settings] : [],
    );
  }

  /** Sum of the weights of the servers that are up, or kept. */
  aliveWeight(): number {
    let sum = 0;
    for (const server of this.#servers.values()) if (this.#serves(server)) sum += server.full;
    return sum;
  }

  /** Whether the quorum holds by what the checks say, without a guard. */
  get sound(): boolean {
    return this.#held && this.#kept.size === 0;
  }

  #serves({ up, name }: Member): boolean {
    return up || this.#kept.has(name);
  }

  #isDown(name: string): boolean {
    return this.#servers.get(name)?.up === false;
  }

  handle(event: PoolEvent, now: Instant): void {
    const server = this.#servers.get(event.server);
    assert(server !== undefined, `${this.name} has no real server ${event.server}`);
    if (event.type === 'confirmed') server.confirm();
    else this.#change(server, causeOf(event), () => this.#tell(server, event, now));
  }

  #tell(server: Member, event: Exclude<PoolEvent, { type: 'confirmed' }>, now: Instant): void {
    const kept = this.#kept.has(server.name);
    switch (event.type) {
      case 'health':
        if (event.up !== server.up) this.#guard.turned(server.name, event.up);
        server.turn(event.up, event.cause, now, kept);
        break;
      case 'weight':
        server.weigh(event.weight, event.cause, now, kept);
        break;
      case 'order':
        server.obey(event.order, now, kept);
        break;
      case 'counted':
        server.count(event.connections);
        break;
    }
  }

  /** Says what follows for the table when `act` has changed the server. */
  #change(server: Member, cause: string, act: () => void): void {
    const { up, full, weight, drains, drained } = server;
    act();
    if (server.drained && !drained) {
      this.#effects.push({ type: 'drained', server: server.name, connections: server.connections });
    }
    const stays = up === server.up && full === server.full && weight === server.weight;
    if (stays && drains === server.drains && drained === server.drained) return;
    this.#judgeGuard();
    this.#judgeQuorum(`${server.name}: ${cause}`, false);
    this.#effects.push({ type: 'entries', cause: `${server.name}: ${cause}` });
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const server of this.#servers.values()) next = earliest(next, server.deadline());
    return next;
  }

  timeout(now: Instant): void {
    for (const server of this.#servers.values()) {
      const due = server.deadline();
      if (due !== undefined && due <= now) this.#change(server, 'as time passes', () => server.advance(now));
    }
  }

  take(): PoolEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  get services(): readonly Service[] {
    return this.#settings.services;
  }

  /** What the kernel's table should hold for one of its services now. */
  entry(service: Service): TableEntry {
    return { service, destinations: this.#destinations().map((each) => placed(each, service.key)) };
  }

  #destinations(): Destination[] {
    const { sorry, sorryInhibit } = this.#settings;
    const destinations: Destination[] = [];
    if (sorry !== undefined && this.sorry) destinations.push(sorry);
    for (const server of this.#servers.values()) {
      const { destination, inhibit } = server.settings;
      // One address and port is one destination in the kernel: a sorry server that is also a real server.
      if (this.sorry && sorry !== undefined && sameEndpoint(destination, sorry)) continue;
      if (server.drained) continue;
      const serves = this.#serves(server);
      if (serves && !this.sorry) destinations.push({ ...destination, weight: server.weight });
      else if (inhibit || (serves && server.drains)) destinations.push({ ...destination, weight: 0 });
    }
    if (sorry !== undefined && !this.sorry && sorryInhibit === true) {
      if (!destinations.some((d) => sameEndpoint(d, sorry))) destinations.push({ ...sorry, weight: 0 });
    }
    return destinations;
  }

  #judgeGuard(): void {
    const counted = Array.from(this.#servers.values()).filter(({ drains }) => !drains);
    const up = counted.filter((server) => server.up).length;
    const kept = this.#guard.kept(counted);
    if (kept.length === this.#kept.size && kept.every((name) => this.#kept.has(name))) return;
    this.#kept = new Set(kept);
    this.#effects.push({ type: 'guard', service: this.name, kept, up });
  }

  #judgeQuorum(cause: string, first: boolean): void {
    const weight = this.aliveWeight();
    const threshold = this.#held ? this.#lose : this.#regain;
    const held = weight > 0 && weight >= threshold;
    if (held === this.#held && !first) return;
    this.#held = held;
    this.#effects.push({ type: 'quorum', service: this.name, held, weight, threshold, cause });
  }
}

const causeOf = (event: PoolEvent): string => {
  if ('cause' in event) return event.cause;
  if (event.type !== 'order') return 'its connections are over';
  if (event.order === undefined) return 'no longer drained or weighted by the operator';
  return event.order.drain === undefined ? 'weighted' : `drained by the ${event.order.drain.by}`;
};

/** Only NAT rewrites ports: DR and TUN keep the service's, and a mark has none. */
export const placed = (destination: Destination, key: ServiceKey): Destination =>
  destination.method === 'nat'
    ? destination
    : { ...destination, port: key.kind === 'address' ? key.port : 0 };

const sameEndpoint = (a: Destination, b: Destination): boolean =>
  a.address === b.address && a.port === b.port;
