import { assert } from '../assert.ts';
import type { Beginning } from '../balance/member.ts';
import type { Service, ServiceKey, TableEntry } from '../balance/model.ts';
import { endpointName, serviceName } from '../balance/model.ts';
import type { Order } from '../balance/orders.ts';
import { drainedInWords, orderInWords, sameOrder } from '../balance/orders.ts';
import type { PoolEffect } from '../balance/pool.ts';
import { Pool, poolName } from '../balance/pool.ts';
import type { Health } from '../check/verdict.ts';
import type { CheckHappening, Happening } from '../notify/happening.ts';
import type { Instant } from '../time.ts';
import { earliest } from '../time.ts';
import { connectionsTo, countsByName, type ServiceCount } from './connections.ts';
import type { Occasion } from './happenings.ts';
import {
  checkHappening,
  guardHappening,
  guardInWords,
  quorumHappening,
  serverHappening,
} from './happenings.ts';
import { isServedAs, isTimed, type Served, servedAgain, unchecked } from './served.ts';
import type { RealServerSettings, VirtualServerSettings } from './settings.ts';

/** What becomes of the pools, for others to hear. */
export type PoolsEffect =
  | { readonly type: 'happening'; readonly happening: Happening }
  | { readonly type: 'log'; readonly level: 'error' | 'warning' | 'notice'; readonly message: string };

/** The checker's name of a real server in a pool. */
export const targetName = (pool: string, server: string): string => `${pool} ${server}`;

/**
 * The pools of all virtual servers, what the table should hold for them, and what an administrator hears of their
 * changes: when keepalived would run scripts, write to its FIFO or mail.
 */
export class Pools {
  #served = new Map<string, Served>();
  /** Of servers that have checks: the checker's name to its pool and its name there. */
  #servers = new Map<string, { readonly served: Served; readonly name: string }>();
  /** Who has a service, by its name: several for a mark in a group of several virtual servers. */
  #owners = new Map<string, Pool[]>();
  /** What operator and schedule want, also of servers that are not there yet. */
  #orders: ReadonlyMap<string, Order> = new Map();
  /** Those that the pools have been told. */
  #obeyed: ReadonlyMap<string, Order> = new Map();
  /** Those in which a drain or a ramp goes on, by their names. */
  readonly #timed = new Map<string, Served>();
  #effects: PoolsEffect[] = [];

  all(): Served[] {
    return Array.from(this.#served.values());
  }

  memory() {
    const served = Array.from(this.#served.values(), ({ settings, pool }) => ({
      settings,
      pool: pool.memory(),
    }));
    const timed = Array.from(this.#timed.keys());
    return { served, timed, orders: this.#orders, obeyed: this.#obeyed };
  }

  /** Who is asked for news or owns a service follows from the pools. */
  recall({ served, timed, orders, obeyed }: ReturnType<Pools['memory']>): void {
    this.#orders = orders;
    this.#obeyed = obeyed;
    for (const { settings, pool } of served) {
      const again = servedAgain(settings, pool);
      this.#served.set(again.pool.name, again);
      this.#know(again.pool.name, again);
    }
    this.#timed.clear();
    for (const name of timed) {
      const waiting = this.#served.get(name);
      if (waiting !== undefined) this.#timed.set(name, waiting);
    }
  }

  take(): PoolsEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Exactly these from now on; `health` knows how a real server stands. */
  configure(
    all: readonly VirtualServerSettings[],
    health: (target: string) => Health | undefined,
    initNotifies: boolean,
  ): void {
    const before = this.#served;
    this.#served = new Map();
    this.#servers = new Map();
    this.#owners = new Map();
    this.#timed.clear();
    for (const settings of all) {
      const name = poolName(settings);
      const old = before.get(name);
      const served = isServedAs(old, settings) ? old : this.#build(name, settings, old, health);
      this.#served.set(name, served);
      this.#know(name, served);
      if (initNotifies && served !== old) this.#sayUp(served, old);
    }
    for (const [name, old] of before) {
      const fresh = this.#served.get(name);
      if (fresh !== old) this.#sayGone(old, fresh);
    }
  }

  /** Who is asked when a check or a service has news. */
  #know(name: string, served: Served): void {
    for (const [server, { checks }] of served.servers) {
      if (checks.length > 0) this.#servers.set(targetName(name, server), { served, name: server });
    }
    for (const { key } of served.pool.services) {
      const owners = this.#owners.get(serviceName(key));
      if (owners === undefined) this.#owners.set(serviceName(key), [served.pool]);
      else owners.push(served.pool);
    }
    if (isTimed(served)) this.#timed.set(name, served);
  }

  #build(
    name: string,
    settings: VirtualServerSettings,
    before: Served | undefined,
    healthOf: (target: string) => Health | undefined,
  ): Served {
    const servers = new Map<string, RealServerSettings>();
    const health = new Map<string, Beginning>();
    for (const server of settings.realServers) {
      const { address, port } = server.destination;
      const known = endpointName(address, port);
      servers.set(known, server);
      const checked = server.checks.length === 0 ? undefined : healthOf(targetName(name, known));
      const order = this.#orders.get(targetName(name, known));
      health.set(known, { ...(checked ?? unchecked(server)), order });
    }
    const served = { settings, servers, pool: new Pool(settings, health, before?.pool) };
    this.#sayStart(served, before);
    if (before !== undefined) this.#sayUnchecked(served, before);
    return served;
  }

  /** A server that was down and has no checks any more is up. */
  #sayUnchecked({ settings, pool, servers }: Served, before: Served): void {
    for (const { name, up } of before.pool.servers()) {
      const server = servers.get(name);
      if (up || server === undefined || server.checks.length > 0) continue;
      const standing = { up: true, cause: 'not checked (reload)' };
      this.#log('notice', `${pool.name}: real server ${name} is up: ${standing.cause}`);
      this.#notify(serverHappening(settings, server, standing, 'change'));
    }
  }

  /** keepalived's rules of what is said at a start: a quorum that is not there only where a sorry server serves. */
  #sayStart({ settings, pool }: Served, before: Served | undefined): void {
    for (const effect of pool.take()) {
      if (effect.type === 'guard') this.#sayGuard(effect, settings);
      if (effect.type !== 'quorum' || before?.pool.held === effect.held) continue;
      if (!effect.held) this.#sayQuorum(effect);
      if (before === undefined && !effect.held && settings.sorry === undefined) continue;
      this.#notify(quorumHappening(settings, effect, before === undefined ? 'start' : 'change'));
    }
  }

  /** What a reload takes out goes down. */
  #sayGone(old: Served, fresh: Served | undefined): void {
    const cause = 'removed from the configuration';
    const stays = new Set(fresh?.pool.servers().map(({ name }) => name));
    this.#sayDown(old, 'removal', cause, (name) => !stays.has(name));
    if (fresh === undefined && old.pool.held) this.#sayLost(old, 'change', cause);
  }

  #sayDown(
    { settings, pool, servers }: Served,
    occasion: Occasion,
    cause: string,
    which = (_: string) => true,
  ): void {
    for (const { name, up } of pool.servers()) {
      const server = servers.get(name);
      if (!up || server === undefined || !which(name)) continue;
      this.#notify(serverHappening(settings, server, { up: false, cause }, occasion));
    }
  }

  #sayLost({ settings }: Served, occasion: Occasion, cause: string): void {
    const threshold = settings.quorum - settings.hysteresis;
    this.#notify(quorumHappening(settings, { held: false, weight: 0, threshold, cause }, occasion));
  }

  /** `rs_init_notifies`: of the servers that are new, those that are up. */
  #sayUp({ settings, pool, servers }: Served, before: Served | undefined): void {
    const known = new Set(before?.pool.servers().map(({ name }) => name));
    for (const standing of pool.servers()) {
      const server = servers.get(standing.name);
      if (!standing.up || server === undefined || known.has(standing.name)) continue;
      this.#notify(serverHappening(settings, server, standing, 'start'));
    }
  }

  /** A real server went up or down: the entries of the table that change. */
  turn(target: string, health: Pick<Health, 'up' | 'cause'>, now: Instant): TableEntry[] {
    const found = this.#servers.get(target);
    assert(found !== undefined, `no pool has the server ${target}`);
    const { served, name } = found;
    const { pool, settings, servers } = served;
    const { up, cause } = health;
    this.#log(
      up ? 'notice' : 'warning',
      `${pool.name}: real server ${name} is ${up ? 'up' : 'down'}: ${cause}`,
    );
    const server = servers.get(name);
    if (server !== undefined) this.#notify(serverHappening(settings, server, health, 'change'));
    // A reload's pools know it from the start, and then have nothing to say.
    pool.handle({ type: 'health', server: name, up, cause }, now);
    return this.#fromPool(served);
  }

  #fromPool(served: Served): TableEntry[] {
    const { pool, settings } = served;
    if (isTimed(served)) this.#timed.set(pool.name, served);
    else this.#timed.delete(pool.name);
    return pool.take().flatMap((said) => {
      if (said.type === 'entries') return pool.services.map((service) => this.#entryOf(service));
      if (said.type === 'guard') {
        this.#sayGuard(said, settings);
        return [];
      }
      if (said.type === 'drained') {
        this.#log(
          'notice',
          `${pool.name}: real server ${said.server} is drained: ${drainedInWords(said.connections)}`,
        );
        return [];
      }
      this.#sayQuorum(said);
      this.#notify(quorumHappening(settings, said, 'change'));
      return [];
    });
  }

  /** The checks of a real server give it another weight. */
  weigh(target: string, { weight, cause }: Pick<Health, 'weight' | 'cause'>, now: Instant): TableEntry[] {
    const found = this.#servers.get(target);
    assert(found !== undefined, `no pool has the server ${target}`);
    const { served, name } = found;
    const { pool } = served;
    this.#log('notice', `${pool.name}: real server ${name} has weight ${weight}: ${cause}`);
    pool.handle({ type: 'weight', server: name, weight, cause }, now);
    return this.#fromPool(served);
  }

  /** A server that begins as down (`alpha`) is found to be so: keepalived notifies of that, too. */
  confirm(target: string, cause: string, now: Instant): void {
    const found = this.#servers.get(target);
    const server = found?.served.servers.get(found.name);
    if (found === undefined || server === undefined) return;
    const { pool, settings } = found.served;
    pool.handle({ type: 'confirmed', server: found.name }, now);
    this.#notify(serverHappening(settings, server, { up: false, cause }, 'start'));
  }

  /** One checker of a server changed its mind: a mail says so. */
  alert(
    target: string,
    check: Pick<CheckHappening, 'text' | 'cause' | 'turned'> & { readonly up: boolean },
  ): void {
    const found = this.#servers.get(target);
    const server = found?.served.servers.get(found.name);
    if (found !== undefined && server !== undefined)
      this.#notify(checkHappening(found.served.settings, server, check));
  }

  /** All orders that there are from now on; `configure` builds with them, and `order` carries them out. */
  prepare(orders: readonly Order[]): void {
    this.#orders = new Map(orders.map((order) => [targetName(order.service, order.server), order]));
  }

  /** Gives the servers their new orders: the entries of the table that change. */
  order(now: Instant): TableEntry[] {
    const before = this.#obeyed;
    this.#obeyed = this.#orders;
    const concerned = new Map([...before, ...this.#orders]);
    return Array.from(concerned).flatMap(([target, { service, server }]) => {
      const served = this.#served.get(service);
      const [old, order] = [before.get(target), this.#orders.get(target)];
      if (served?.servers.has(server) !== true || sameOrder(old, order)) return [];
      this.#log('notice', `${service}: real server ${server} ${orderInWords(order)}`);
      served.pool.handle({ type: 'order', server, order }, now);
      return this.#fromPool(served);
    });
  }

  /** The services whose servers are waited for, until nobody is connected to them. */
  draining(): ServiceKey[] {
    return Array.from(this.#timed.values()).flatMap(({ pool }) =>
      pool.draining().length > 0 ? pool.services.map(({ key }) => key) : [],
    );
  }

  /** What the kernel counted for those services. */
  count(counts: readonly ServiceCount[], now: Instant): TableEntry[] {
    const byService = countsByName(counts);
    return Array.from(this.#timed.values()).flatMap((served) => {
      const { pool } = served;
      // Without a count of all of them nothing is known.
      if (!pool.services.every(({ key }) => byService.has(serviceName(key)))) return [];
      for (const { destination } of pool.draining()) {
        const server = endpointName(destination.address, destination.port);
        pool.handle(
          { type: 'counted', server, connections: connectionsTo(destination, pool, byService).active },
          now,
        );
      }
      return this.#fromPool(served);
    });
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { pool } of this.#timed.values()) next = earliest(next, pool.deadline());
    return next;
  }

  timeout(now: Instant): TableEntry[] {
    return Array.from(this.#timed.values()).flatMap((served) => {
      served.pool.timeout(now);
      return this.#fromPool(served);
    });
  }

  /** The daemon ends: `omega` says goodbye. */
  stop(): void {
    const cause = 'the daemon stops';
    for (const served of this.#served.values()) {
      if (served.settings.omega !== true) continue;
      this.#sayDown(served, 'stop', cause);
      this.#sayLost(served, 'stop', cause);
    }
  }

  /** The whole table, each service once. */
  entries(): TableEntry[] {
    const names = new Set<string>();
    return Array.from(this.#served.values()).flatMap(({ pool }) =>
      pool.services.flatMap((service) => {
        const name = serviceName(service.key);
        if (names.has(name)) return [];
        names.add(name);
        return [this.#entryOf(service)];
      }),
    );
  }

  /** What the table should hold for a service: of several owners all servers, one of several with its weight. */
  #entryOf(service: Service): TableEntry {
    const owners = this.#owners.get(serviceName(service.key)) ?? [];
    const [first, ...others] = owners.map((pool) => pool.entry(service));
    assert(first !== undefined, `nobody owns ${serviceName(service.key)}`);
    if (others.length === 0) return first;
    const all = [first, ...others].flatMap(({ destinations }) => destinations);
    // The table takes the first of several.
    return { service, destinations: all.toSorted((a, b) => b.weight - a.weight) };
  }

  #sayQuorum(effect: Extract<PoolEffect, { type: 'quorum' }>): void {
    const { service, held, weight, threshold, cause } = effect;
    const words = `quorum ${held ? 'gained' : 'lost'}: weight ${weight} alive, ${threshold} needed`;
    this.#log(held ? 'notice' : 'warning', `${service}: ${words} (${cause})`);
  }

  #sayGuard(
    { service, kept, up }: Extract<PoolEffect, { type: 'guard' }>,
    settings: VirtualServerSettings,
  ): void {
    const words = guardInWords(settings, kept, up);
    this.#log(kept.length === 0 ? 'notice' : 'error', `${service}: ${words}`);
    this.#notify(guardHappening(settings, kept.length > 0, words));
  }

  #log(level: 'error' | 'warning' | 'notice', message: string): void {
    this.#effects.push({ type: 'log', level, message });
  }

  #notify(happening: Happening): void {
    this.#effects.push({ type: 'happening', happening });
  }
}
