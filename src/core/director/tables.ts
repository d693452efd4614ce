import { unreachable } from '../assert.ts';
import { formatPrefix } from '../ip.ts';
import type { Link } from '../netlink/link.ts';
import type { AddressesEvent, HeldAddress } from '../reconcile/events.ts';
import type { Interfaces } from '../reconcile/interfaces.ts';
import { Routing } from '../reconcile/routing.ts';
import type { HeldRouting, RoutingEffect, RoutingEvent } from '../reconcile/routing-events.ts';
import { type MasterRouting, NO_STATICS, type StaticSettings } from '../reconcile/settings.ts';
import { seconds } from '../time.ts';
import type { LinkState } from '../vrrp/links.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect, KernelDump } from './events.ts';
import type { News } from './news.ts';

/** Whose the lines of `static_ipaddress` and its kin are. */
const STATIC = 'static';
const NOTHING: HeldRouting = { routes: [], rules: [] };

/** What the routing tables ask the others of their director. */
export interface TablesTies {
  readonly ensemble: Ensemble;
  readonly interfaces: Interfaces;
  emit(effect: DirectorEffect): void;
  linkState(name: string): LinkState;
  addresses(event: AddressesEvent): void;
  /** A virtual router's name, by the key that it holds things under. */
  nameOf(owner: string | undefined): string;
  /** What hinders these instances may be different. */
  shifted(instances: readonly string[]): void;
}

/** Routes and rules of masters, and what is static: addresses, routes and rules. */
export class Tables {
  readonly #ties: TablesTies;
  readonly #routing = new Routing();
  readonly #actor: Actor<RoutingEvent>;
  /** What each router holds while it is master, by its key. */
  #wanted: ReadonlyMap<string, HeldRouting> = new Map();
  readonly #held = new Set<string>();
  #statics: StaticSettings = NO_STATICS;
  /** Why the routers of a track group cannot serve. */
  readonly #lacking = new Map<string, string>();
  #following = false;

  constructor(ties: TablesTies) {
    this.#ties = ties;
    this.#actor = ties.ensemble.join(
      this.#routing,
      (effects) => {
        for (const effect of effects) this.#perform(effect);
      },
      { kind: 'routing', name: 'routes and rules', machine: this.#routing },
    );
  }

  memory() {
    return {
      routing: this.#routing.memory(),
      wanted: this.#wanted,
      held: new Set(this.#held),
      statics: this.#statics,
      lacking: new Map(this.#lacking),
      following: this.#following,
    };
  }

  recall({ routing, wanted, held, statics, lacking, following }: ReturnType<Tables['memory']>): void {
    this.#routing.recall(routing);
    this.#wanted = wanted;
    for (const owner of held) this.#held.add(owner);
    this.#statics = statics;
    for (const [group, why] of lacking) this.#lacking.set(group, why);
    this.#following = following;
  }

  /** Whether there is anything to keep in the routing tables, and nothing is heard of them yet. */
  needsToFollow(routing: readonly MasterRouting[], statics: StaticSettings): boolean {
    return !this.#following && routing.length + statics.routes.length + statics.rules.length > 0;
  }

  /** Routes and rules are followed, and these are there; or all was read anew. */
  show(links: readonly Link[], routing: KernelDump['routing']): void {
    this.handle({ type: 'links', links });
    if (routing === undefined) return;
    this.#following = true;
    const { routes, rules } = routing;
    this.handle({ type: 'shown', routes, rules });
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
    this.#ties.addresses({ type: 'pause' });
    this.handle({ type: 'pause' });
    const { addresses, routes, rules } = statics;
    this.#ties.addresses({ type: 'hold', owner: STATIC, addresses, lease: seconds(0) });
    this.handle({ type: 'hold', owner: STATIC, routes, rules });
  }

  /** What a router keeps while it is master. */
  wantedOf(owner: string): HeldRouting {
    return this.#wanted.get(owner) ?? NOTHING;
  }

  /** The routers have what they want: what nobody wants any more goes, the addresses last. */
  settle(): void {
    for (const owner of this.#held) this.handle({ type: 'hold', owner, ...this.wantedOf(owner) });
    this.handle({ type: 'resume' });
    this.#ties.addresses({ type: 'resume' });
  }

  /** A router holds its addresses: its routes follow, then its rules. */
  hold(owner: string): void {
    this.#held.add(owner);
    this.handle({ type: 'hold', owner, ...this.wantedOf(owner) });
  }

  /** A router gives up its addresses: before them go its rules and routes. */
  release(owner: string): void {
    this.#held.delete(owner);
    this.handle({ type: 'release', owner, leftovers: this.wantedOf(owner) });
  }

  /** What is static goes, too. */
  stop(): void {
    this.handle({ type: 'release', owner: STATIC });
    this.#ties.addresses({ type: 'release', owner: STATIC });
  }

  /** News of the kernel, after the interfaces have taken it in. */
  heard({ links, routes, rulesGone, doubtful }: News): void {
    if (!this.#following) return;
    if (links) this.handle({ type: 'links', links: this.#ties.interfaces.all() });
    for (const { route, gone } of routes) this.handle({ type: gone ? 'route-gone' : 'route-seen', route });
    for (const rule of rulesGone) this.handle({ type: 'rule-gone', rule });
    if (doubtful.ifindexes.size + doubtful.sources.size > 0)
      this.handle({ type: 'routes-doubtful', ...doubtful });
  }

  /** Addresses were put back: routes may have gone with them. */
  restored(addresses: readonly HeldAddress[]): void {
    const { interfaces } = this.#ties;
    const ifindexes = new Set(addresses.flatMap(({ dev }) => interfaces.named(dev)?.ifindex ?? []));
    const sources = new Set(addresses.map(({ address }) => address.ip));
    this.handle({ type: 'routes-doubtful', ifindexes, sources });
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
      if (own === group && !this.#ties.interfaces.has(dev, address))
        return `${dev} has not got ${formatPrefix(address)}`;
    }
    for (const { dev, group: own } of [...addresses, ...routes]) {
      if (own !== group || dev === undefined) continue;
      const { up, why } = this.#ties.linkState(dev);
      if (!up) return why;
    }
    return undefined;
  }

  readonly handle = (event: RoutingEvent): void => this.#actor.handle(event);

  #perform(effect: RoutingEffect): void {
    const { emit, nameOf, shifted } = this.#ties;
    switch (effect.type) {
      case 'apply':
        emit({ type: 'routing', changes: effect.changes });
        break;
      case 'restored': {
        const message = `${nameOf(effect.owner)}: ${effect.what.join(', ')} removed by someone else; added again`;
        emit({ type: 'log', level: 'warning', message });
        break;
      }
      case 'adopted':
        emit({
          type: 'log',
          level: 'notice',
          message: `${nameOf(effect.owner)}: ${effect.what} was there already`,
        });
        break;
      case 'lacking':
        if (effect.why === undefined) this.#lacking.delete(effect.group);
        else this.#lacking.set(effect.group, effect.why);
        shifted(this.#statics.groups.find(({ name }) => name === effect.group)?.members ?? []);
        break;
      case 'problem':
        emit({ ...effect, type: 'refused', what: `${nameOf(effect.owner ?? 'routing')}: ${effect.what}` });
        break;
      default:
        unreachable(effect);
    }
  }
}
