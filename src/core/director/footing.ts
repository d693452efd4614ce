import { type Family, formatPrefix, type Ip } from '../ip.ts';
import { describeRoute } from '../netlink/route.ts';
import { describeRule } from '../netlink/rule.ts';
import type { Footing, Interfaces } from '../reconcile/interfaces.ts';
import type { HeldRouting } from '../reconcile/routing-events.ts';
import type { StaticSettings } from '../reconcile/settings.ts';
import { deviceOf } from '../reconcile/vmac-wants.ts';
import type { LinkEvent } from '../vrrp/events.ts';
import type { LinkState } from '../vrrp/links.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import type { TrackEvent } from '../vrrp/track.ts';

/** A virtual router, and what it keeps in the kernel's tables while it is master. */
export interface Grounded {
  readonly settings: VrrpSettings;
  readonly routing: HeldRouting;
}

/** An interface that a router needs for something of its own: an address, a route or a rule. */
interface Need {
  readonly dev: string;
  /** What it is for, as people name it. */
  readonly what: string;
}

/** What a router is to be told of what it stands on. */
export interface Look {
  readonly key: string;
  readonly tracked: readonly TrackEvent[];
  readonly link: LinkEvent;
}

type FootingOf = (name: string, family: Family, source: Ip | undefined, state: LinkState) => Footing;

interface Known extends Grounded {
  readonly needs: readonly Need[];
}

/**
 * What virtual routers stand on: the links and addresses that let each of them serve, and which of them some news
 * concerns.
 */
export class Footings {
  readonly #interfaces: Interfaces;
  readonly #linkState: (name: string) => LinkState;
  #routers: ReadonlyMap<string, Known> = new Map();
  readonly #concerned = new Map<string, Set<string>>();
  /** Interfaces that were there once. */
  readonly #seen = new Set<string>();

  /** `linkState`: whether a link is believed to be up. */
  constructor(interfaces: Interfaces, linkState: (name: string) => LinkState) {
    this.#interfaces = interfaces;
    this.#linkState = linkState;
  }

  memory() {
    const concerned = Array.from(this.#concerned, ([name, keys]) => [name, new Set(keys)] as const);
    return { routers: this.#routers, concerned: new Map(concerned), seen: new Set(this.#seen) };
  }

  recall({ routers, concerned, seen }: ReturnType<Footings['memory']>): void {
    this.#routers = routers;
    for (const [name, keys] of concerned) this.#concerned.set(name, new Set(keys));
    for (const name of seen) this.#seen.add(name);
  }

  /** From now on exactly these, by their keys; `keyOf` gives the key of an instance's name, for track groups. */
  configure(
    routers: ReadonlyMap<string, Grounded>,
    { addresses, routes, groups }: StaticSettings,
    keyOf: (instance: string) => string | undefined,
  ): void {
    this.#routers = new Map(
      Array.from(routers, ([key, known]) => [key, { ...known, needs: needsOf(known) }]),
    );
    this.#concerned.clear();
    for (const [key, { settings, needs }] of this.#routers) {
      for (const { dev } of needs) this.#concern(dev, key);
      for (const name of this.#ownLinks(settings)) this.#concern(name, key);
      for (const { kind, name } of settings.track ?? []) if (kind === 'interface') this.#concern(name, key);
    }
    for (const { dev, group } of [...addresses, ...routes]) {
      const members = groups.find(({ name }) => name === group)?.members ?? [];
      for (const key of members.flatMap((member) => keyOf(member) ?? [])) {
        if (dev !== undefined) this.#concern(dev, key);
      }
    }
  }

  /** Every interface that any router needs. */
  get interfaces(): ReadonlySet<string> {
    return new Set(this.#concerned.keys());
  }

  /** The routers that news of these interfaces concerns. */
  concernedBy(interfaces: Iterable<string>): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const name of interfaces) for (const key of this.#concerned.get(name) ?? []) keys.add(key);
    return keys;
  }

  /**
   * What these routers are to be told: how the interfaces are that each tracks, and whether its links let it serve.
   * `moved` are all addresses that VRRP moves: none of them is a source of adverts.
   */
  look(keys: Iterable<string>, moved: ReadonlySet<Ip>): Look[] {
    // Hundreds of routers stand on the same interface.
    const known = new Map<string, Footing>();
    const footing: FootingOf = (name, family, source, state) => {
      const key = `${name} ${family} ${source} ${state.up} ${state.why}`;
      const found = known.get(key) ?? this.#interfaces.footing(name, family, source, moved, state);
      known.set(key, found);
      return found;
    };
    return [...keys].flatMap((key) => {
      const router = this.#routers.get(key);
      // One that a reload takes out stands on nothing any more.
      if (router === undefined) return [];
      return [{ key, tracked: this.#tracked(router), link: this.#link(router, footing) }];
    });
  }

  #tracked({ settings: { track = [] } }: Known): TrackEvent[] {
    return track
      .filter(({ kind }) => kind === 'interface')
      .map(({ name }): TrackEvent => {
        const { up: good, why } = this.#linkState(name);
        return { type: 'track', kind: 'interface', name, good, why };
      });
  }

  #link({ settings, needs }: Known, footingOf: FootingOf): LinkEvent {
    const { interface: device, family, source, virtual, trackPrimary = true } = settings;
    const states = this.#ownLinks(settings).map(this.#linkState);
    const state = states.find(({ up }) => !up) ?? this.#linkState(device);
    const believed =
      trackPrimary || state.up ? state : { up: true, why: `${state.why}, which does not matter` };
    // An ipvlan has an address of its own; a VMAC speaks with that of the interface below.
    const seat = virtual?.sort.kind === 'ipvlan' ? virtual.name : device;
    const footing = footingOf(seat, family, virtual?.address?.ip ?? source, believed);
    const lacking = footing.up ? this.#lacking(needs) : undefined;
    if (lacking === undefined) return { type: 'link', ...footing };
    return { type: 'link', up: false, source: footing.source, why: lacking };
  }

  #ownLinks({ interface: device, virtual }: VrrpSettings): string[] {
    return virtual === undefined ? [device] : [device, virtual.name];
  }

  #concern(name: string, key: string): void {
    const known = this.#concerned.get(name) ?? new Set();
    this.#concerned.set(name, known.add(key));
  }

  /** Why a need is not met. An interface that was never there is waited for without that: what is to be there waits. */
  #lacking(needs: readonly Need[]): string | undefined {
    for (const { dev, what } of needs) {
      if (this.#interfaces.named(dev) !== undefined) this.#seen.add(dev);
      if (!this.#seen.has(dev)) continue;
      const { up, why } = this.#linkState(dev);
      if (!up) return `${why} (for ${what})`;
    }
    return undefined;
  }
}

/**
 * The interfaces that a router needs beside its own, as keepalived has it: those of its addresses, of its routes and
 * rules, unless `no_track` is said. With `dont_track_primary`, addresses on its own interface do not make it matter.
 */
function needsOf({ settings, routing: { routes, rules } }: Grounded): Need[] {
  const { interface: device, virtual, addresses, excluded, trackPrimary = true } = settings;
  const own = [device, ...(virtual === undefined ? [] : [virtual.name])];
  const needs = [...addresses, ...excluded].flatMap((address): Need[] => {
    const dev = deviceOf(address, settings);
    if (address.tracked === false || own.includes(dev)) return [];
    return [{ dev, what: formatPrefix(address.address) }];
  });
  for (const route of routes) {
    if (route.tracked && route.dev !== undefined && !(trackPrimary && own.includes(route.dev)))
      needs.push({ dev: route.dev, what: describeRoute(route) });
  }
  for (const { tracked, rule } of rules) {
    for (const dev of [rule.iif, rule.oif]) {
      if (tracked && dev !== undefined && !(trackPrimary && own.includes(dev)))
        needs.push({ dev, what: describeRule(rule) });
    }
  }
  const first = new Map(needs.toReversed().map((need) => [need.dev, need]));
  return needs.filter((need) => first.get(need.dev) === need);
}
