import { unreachable } from '../../core/assert.ts';
import type { News } from '../../core/director/news.ts';
import { formatPrefix } from '../../core/ip.ts';
import type { AddressesEvent, HeldAddress } from '../../core/kernel/events.ts';
import type { Interfaces } from '../../core/kernel/interfaces.ts';
import { Routing } from '../../core/kernel/routing.ts';
import type { HeldRouting, RoutingEffect, RoutingEvent } from '../../core/kernel/routing-events.ts';
import { type MasterRouting, NO_STATICS, type StaticSettings } from '../../core/kernel/settings.ts';
import { PROTOCOL_KEEPALIVED } from '../../core/netlink/route.ts';
import { seconds } from '../../core/time.ts';
import type { LinkState } from '../../core/vrrp/links.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { explainOutcome } from '../../io/netlink.ts';
import type { RouteMonitor, RouteSocket } from '../../io/route.ts';
import type { Level } from '../messages.ts';

/** Whose the lines of `static_ipaddress` and its kin are. */
const STATIC = 'static';
const NOTHING: HeldRouting = { routes: [], rules: [] };

/** What the routing tables need of their process. */
interface Around {
  readonly driver: Driver;
  readonly interfaces: Interfaces;
  linkState(name: string): LinkState;
  log(level: Level, message: string): void;
  /** A virtual router's name, by the key that it holds things under. */
  nameOf(owner: string): string;
  /** What hinders these instances may be different. */
  shifted(instances: readonly string[]): void;
}

/** Routes and rules of masters, and what is static: addresses, routes and rules. */
export class Tables {
  readonly #around: Around;
  readonly #route: RouteSocket;
  readonly #monitor: RouteMonitor;
  readonly #addresses: (event: AddressesEvent) => void;
  readonly #routing: Driven<RoutingEvent>;
  /** What each router holds while it is master, by its key. */
  #wanted: ReadonlyMap<string, HeldRouting> = new Map();
  readonly #held = new Set<string>();
  #statics: StaticSettings = NO_STATICS;
  /** Why the routers of a track group cannot serve. */
  readonly #lacking = new Map<string, string>();
  #following = false;

  constructor(
    around: Around,
    route: RouteSocket,
    monitor: RouteMonitor,
    addresses: (event: AddressesEvent) => void,
  ) {
    this.#around = around;
    this.#route = route;
    this.#monitor = monitor;
    this.#addresses = addresses;
    this.#routing = around.driver.attach(new Routing(), (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  /** A reload begins: until `settle`, nothing is removed. `keyOf` gives the key of an instance's name. */
  configure(
    routing: readonly MasterRouting[],
    statics: StaticSettings,
    keyOf: (instance: string) => string | undefined,
  ): void {
    const entries = routing.map(({ instance, ...held }) => [keyOf(instance) ?? instance, held] as const);
    this.#wanted = new Map(entries);
    this.#statics = statics;
    const any = routing.length + statics.routes.length + statics.rules.length > 0;
    if (any && !this.#following) {
      this.#following = true;
      this.#monitor.followRouting(PROTOCOL_KEEPALIVED);
      this.show();
    }
    for (const what of [this.#addresses, this.#tell]) what({ type: 'pause' });
    const { addresses, routes, rules } = statics;
    this.#addresses({ type: 'hold', owner: STATIC, addresses, lease: seconds(0) });
    this.#tell({ type: 'hold', owner: STATIC, routes, rules });
  }

  /** What a router keeps while it is master. */
  wantedOf(owner: string): HeldRouting {
    return this.#wanted.get(owner) ?? NOTHING;
  }

  /** The routers have what they want: what nobody wants any more goes, the addresses last. */
  settle(): void {
    for (const owner of this.#held) {
      this.#tell({ type: 'hold', owner, ...this.wantedOf(owner) });
    }
    for (const what of [this.#tell, this.#addresses]) what({ type: 'resume' });
  }

  /** A router holds its addresses: its routes follow, then its rules. */
  hold(owner: string): void {
    this.#held.add(owner);
    this.#tell({ type: 'hold', owner, ...this.wantedOf(owner) });
  }

  /** A router gives up its addresses: before them go its rules and routes. */
  release(owner: string): void {
    this.#held.delete(owner);
    this.#tell({ type: 'release', owner, leftovers: this.wantedOf(owner) });
  }

  /** What is static goes, too. */
  stop(): void {
    this.#tell({ type: 'release', owner: STATIC });
    this.#addresses({ type: 'release', owner: STATIC });
  }

  /** Reads what the kernel has. */
  show(): void {
    this.#tell({ type: 'links', links: this.#around.interfaces.all() });
    if (!this.#following) return;
    const routes = this.#route.routesOf(PROTOCOL_KEEPALIVED);
    this.#tell({ type: 'shown', routes, rules: [...this.#route.rules(4), ...this.#route.rules(6)] });
  }

  /** News of the kernel, after the interfaces have taken it in. */
  heard({ links, routes, rulesGone, doubtful }: News): void {
    if (!this.#following) return;
    if (links) this.#tell({ type: 'links', links: this.#around.interfaces.all() });
    for (const { route, gone } of routes) this.#tell({ type: gone ? 'route-gone' : 'route-seen', route });
    for (const rule of rulesGone) this.#tell({ type: 'rule-gone', rule });
    if (doubtful.ifindexes.size + doubtful.sources.size > 0)
      this.#tell({ type: 'routes-doubtful', ...doubtful });
  }

  /** Addresses were put back: routes may have gone with them. */
  restored(addresses: readonly HeldAddress[]): void {
    const { interfaces } = this.#around;
    const ifindexes = new Set(addresses.flatMap(({ dev }) => interfaces.named(dev)?.ifindex ?? []));
    const sources = new Set(addresses.map(({ address }) => address.ip));
    this.#tell({ type: 'routes-doubtful', ifindexes, sources });
  }

  /** Why an instance cannot serve: something static that its track group has is not there. */
  hindrance(instance: string): string | undefined {
    for (const { name, members } of this.#statics.groups) {
      const why = members.includes(instance) ? this.#lack(name) : undefined;
      if (why !== undefined) return `track_group ${name}: ${why}`;
    }
    return undefined;
  }

  /** What a track group lacks: a route, a rule, an address, or the interface of one. */
  #lack(group: string): string | undefined {
    const missing = this.#lacking.get(group);
    if (missing !== undefined) return missing;
    const { addresses, routes } = this.#statics;
    for (const { dev, address, group: own } of addresses) {
      if (own === group && !this.#around.interfaces.has(dev, address))
        return `${dev} has not got ${formatPrefix(address)}`;
    }
    for (const { dev, group: own } of [...addresses, ...routes]) {
      if (own !== group || dev === undefined) continue;
      const { up, why } = this.#around.linkState(dev);
      if (!up) return why;
    }
    return undefined;
  }

  readonly #tell = (event: RoutingEvent): void => this.#routing.handle(event);

  #perform(effect: RoutingEffect): void {
    const around = this.#around;
    switch (effect.type) {
      case 'apply': {
        const outcomes = this.#route.apply(effect.changes.map(({ request }) => request));
        const results = effect.changes.map(({ id }, i) => ({ id, ...(outcomes[i] ?? { errno: 0 }) }));
        this.#tell({ type: 'done', results });
        break;
      }
      case 'restored':
        around.log(
          'warning',
          `${around.nameOf(effect.owner)}: put back what was gone: ${effect.what.join(', ')}`,
        );
        break;
      case 'adopted':
        around.log('notice', `${around.nameOf(effect.owner)}: ${effect.what} was there already`);
        break;
      case 'lacking':
        if (effect.why === undefined) this.#lacking.delete(effect.group);
        else this.#lacking.set(effect.group, effect.why);
        around.shifted(this.#statics.groups.find(({ name }) => name === effect.group)?.members ?? []);
        break;
      case 'problem':
        around.log(
          'error',
          `${around.nameOf(effect.owner ?? 'routing')}: ${effect.what}: ${explainOutcome(effect)}`,
        );
        break;
      default:
        unreachable(effect);
    }
  }
}
