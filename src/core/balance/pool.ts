import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { Guard } from './guard.ts';
import type { Destination, Service, ServiceKey, TableEntry } from './model.ts';
import { endpointName, serviceName } from './model.ts';

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

export interface PoolServer {
  readonly destination: Destination;
  /** `inhibit_on_failure`: weight 0 instead of removal. */
  readonly inhibit: boolean;
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
}

export type PoolEvent =
  | { readonly type: 'health'; readonly server: string; readonly up: boolean; readonly cause: string }
  /** A checker or the operator changes the weight (0 drains the server); the server itself stays up. */
  | { readonly type: 'weight'; readonly server: string; readonly weight: number; readonly cause: string };

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
  /** What the kernel's table should hold for its services has changed: see `entry`. */
  | { readonly type: 'entries'; readonly cause: string };

type Server = Omit<ServerStanding, 'kept'> & { readonly settings: PoolServer };

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
 * - a server that `min_up` keeps serves, and counts for the quorum.
 *
 * A quorum that the configured weights cannot reach is lowered to what they can, as keepalived does; we do the
 * same with the sum at which it is regained, which otherwise could lock the sorry server in for ever.
 */
export class Pool implements Machine<PoolEvent, PoolEffect> {
  readonly name: string;
  readonly #settings: PoolSettings;
  readonly #servers = new Map<string, Server>();
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
  constructor(
    settings: PoolSettings,
    initial: ReadonlyMap<string, { readonly up: boolean; readonly cause: string; readonly weight?: number }>,
    before?: Pool,
  ) {
    this.#settings = settings;
    this.#held = before?.held ?? false;
    this.name = poolName(settings);
    let total = 0;
    for (const server of settings.realServers) {
      const name = endpointName(server.destination.address, server.destination.port);
      if (this.#servers.has(name)) continue;
      const { up, cause, weight } = initial.get(name) ?? { up: true, cause: 'not checked' };
      const configured = server.destination.weight;
      this.#servers.set(name, { name, up, weight: weight ?? configured, cause, settings: server });
      total += configured;
    }
    this.#quorum = Math.max(1, Math.min(settings.quorum, total));
    const hysteresis = Math.min(settings.hysteresis, this.#quorum - 1);
    this.#lose = this.#quorum - hysteresis;
    this.#regain = Math.max(this.#quorum, Math.min(this.#quorum + hysteresis, total));
    const kept = before?.servers().flatMap(({ name, kept }) => (kept && this.#isDown(name) ? [name] : []));
    this.#guard = new Guard(settings.minUp ?? 0, this.#servers.size, kept);
    this.#judgeGuard();
    this.#judgeQuorum('start', true);
    this.#effects.push({ type: 'entries', cause: 'start' });
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
    return Array.from(this.#servers.values(), ({ name, up, weight, cause }) => {
      return { name, up, weight, cause, kept: this.#kept.has(name) };
    });
  }

  /** Sum of the weights of the servers that are up, or kept. */
  aliveWeight(): number {
    let sum = 0;
    for (const server of this.#servers.values()) if (this.#serves(server)) sum += server.weight;
    return sum;
  }

  /** Whether the quorum holds by what the checks say, without a guard. */
  get sound(): boolean {
    return this.#held && this.#kept.size === 0;
  }

  #serves({ up, name }: Server): boolean {
    return up || this.#kept.has(name);
  }

  #isDown(name: string): boolean {
    return this.#servers.get(name)?.up === false;
  }

  handle(event: PoolEvent): void {
    const server = this.#servers.get(event.server);
    assert(server !== undefined, `${this.name} has no real server ${event.server}`);
    const { cause } = event;
    const changed =
      event.type === 'health'
        ? { ...server, up: event.up, cause }
        : { ...server, weight: event.weight, cause };
    this.#servers.set(event.server, changed);
    if (changed.up === server.up && changed.weight === server.weight) return;
    if (changed.up !== server.up) this.#guard.turned(server.name, changed.up);
    this.#judgeGuard();
    this.#judgeQuorum(`${server.name}: ${cause}`, false);
    this.#effects.push({ type: 'entries', cause: `${server.name}: ${cause}` });
  }

  deadline(): undefined {
    return undefined;
  }

  timeout(): void {}

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
      if (this.#serves(server) && !this.sorry) destinations.push({ ...destination, weight: server.weight });
      else if (inhibit) destinations.push({ ...destination, weight: 0 });
    }
    if (sorry !== undefined && !this.sorry && sorryInhibit === true) {
      if (!destinations.some((d) => sameEndpoint(d, sorry))) destinations.push({ ...sorry, weight: 0 });
    }
    return destinations;
  }

  #judgeGuard(): void {
    const up = Array.from(this.#servers.values()).filter((server) => server.up).length;
    const kept = this.#guard.kept(up);
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

/** Only NAT rewrites ports: DR and TUN keep the service's, and a mark has none. */
const placed = (destination: Destination, key: ServiceKey): Destination =>
  destination.method === 'nat'
    ? destination
    : { ...destination, port: key.kind === 'address' ? key.port : 0 };

const sameEndpoint = (a: Destination, b: Destination): boolean =>
  a.address === b.address && a.port === b.port;
