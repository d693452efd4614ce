import type { Ip } from '../ip.ts';
import { Interfaces } from '../reconcile/interfaces.ts';
import type { StaticSettings } from '../reconcile/settings.ts';
import { type LinkState, LinkWatch, type LinkWatchEvent } from '../vrrp/links.ts';
import type { LinkDelays } from '../vrrp/settings.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect, KernelDump } from './events.ts';
import { Footings, type Grounded } from './footing.ts';
import { type News, sumUp } from './news.ts';
import type { Router } from './router.ts';
import { Seats } from './seats.ts';

/** What the ground is there for. */
interface Ties {
  readonly ensemble: Ensemble;
  readonly routers: ReadonlyMap<string, Router>;
  emit(effect: DirectorEffect): void;
  /** A reason not to serve that no interface gives. */
  hindrance(instance: string): string | undefined;
}

/** What virtual routers stand on: interfaces and their addresses as the kernel last told, and sockets. */
export class Ground {
  readonly interfaces = new Interfaces();
  readonly #ties: Ties;
  readonly #links = new LinkWatch();
  readonly #linkActor: Actor<LinkWatchEvent>;
  readonly #footings = new Footings(this.interfaces, (name) => this.linkState(name));
  readonly #seats: Seats;
  /** Every address that VRRP moves: no source for adverts, and no news for a router. */
  #moved: ReadonlySet<Ip> = new Set();
  /** Who needs which sockets may be different. */
  #stale = true;

  constructor(ties: Ties) {
    this.#ties = ties;
    const { ensemble, emit } = ties;
    this.#linkActor = ensemble.join(
      this.#links,
      (effects) => this.reground(this.#footings.concernedBy(effects.map((effect) => effect.interface))),
      { kind: 'links', name: 'links', machine: this.#links },
    );
    this.#seats = new Seats(ensemble, this.interfaces, emit, () => this.reground(this.#seats.waiting()));
  }

  memory() {
    return {
      interfaces: this.interfaces.memory(),
      links: this.#links.memory(),
      footings: this.#footings.memory(),
      seats: this.#seats.memory(),
      moved: this.#moved,
      stale: this.#stale,
    };
  }

  recall(memory: ReturnType<Ground['memory']>): void {
    this.interfaces.recall(memory.interfaces);
    this.#links.recall(memory.links);
    this.#footings.recall(memory.footings);
    this.#seats.recall(memory.seats);
    this.#moved = memory.moved;
    this.#stale = memory.stale;
  }

  /** Whether a link is believed to be up. */
  linkState(name: string): LinkState {
    return this.#links.believed(name) ?? this.interfaces.state(name);
  }

  /** Exactly these virtual routers, by their keys; `keyOf` gives the key of an instance's name. */
  configure(
    routers: ReadonlyMap<string, Grounded>,
    statics: StaticSettings,
    delays: readonly LinkDelays[],
    keyOf: (instance: string) => string | undefined,
  ): void {
    const settings = Array.from(routers.values(), (router) => router.settings);
    const held = settings.flatMap(({ addresses, excluded }) => [...addresses, ...excluded]);
    this.#moved = new Set(held.map(({ address }) => address.ip));
    this.#footings.configure(routers, statics, keyOf);
    const { interfaces } = this.#footings;
    this.#linkActor.handle({ type: 'watch', interfaces: [...interfaces], delays });
    this.#show(interfaces);
  }

  /** All was read anew. */
  read({ links, addresses }: KernelDump): void {
    this.interfaces.clear();
    for (const link of links) this.interfaces.link(link, true);
    for (const address of addresses) this.interfaces.address(address, true);
    this.#show(this.#footings.interfaces);
    this.regroundAll();
  }

  sumUp(events: Parameters<typeof sumUp>[0]): News {
    return sumUp(events, this.interfaces, this.#moved);
  }

  /** The routers whom the news concern look at what they stand on. */
  hear({ links, interfaces }: News): void {
    if (links) this.#show(interfaces);
    const concerned = this.#footings.concernedBy(interfaces);
    if (links && concerned.size > 0) this.#stale = true;
    this.reground(concerned);
  }

  /** The sockets that virtual routers need were opened, or not. */
  opened(failed: ReadonlyMap<string, string>): void {
    this.#seats.done(failed);
  }

  /** The routers that have something on these interfaces. */
  on(interfaces: Iterable<string>): Router[] {
    return [...this.#footings.concernedBy(interfaces)].flatMap((key) => this.#ties.routers.get(key) ?? []);
  }

  /** After what they are, or need, has changed. */
  regroundAll(occasion?: string): void {
    this.#stale = true;
    this.reground(this.#ties.routers.keys(), occasion);
  }

  /** `occasion`: why they are looked at, where no interface says so. */
  reground(keys: Iterable<string>, occasion?: string): void {
    const { routers, hindrance } = this.#ties;
    if (this.#stale) this.#seats.want(Array.from(routers.values(), ({ settings }) => settings));
    this.#stale = false;
    const there = [...keys].filter((key) => routers.has(key));
    for (const look of this.#footings.look(there, this.#moved)) {
      const router = routers.get(look.key);
      if (router === undefined) continue;
      const seat = this.#seats.seat(router);
      if (seat === 'opening') continue;
      router.reground(look, { ...seat, hindrance: hindrance(router.settings.name), occasion });
    }
  }

  /** How the kernel shows these interfaces, where a router needs them. */
  #show(interfaces: Iterable<string>): void {
    const watched = this.#footings.interfaces;
    for (const name of interfaces) {
      if (!watched.has(name)) continue;
      this.#linkActor.handle({ type: 'shown', interface: name, state: this.interfaces.state(name) });
    }
  }
}
