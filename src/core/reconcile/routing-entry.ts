import type { Route } from '../netlink/route.ts';
import type { Instant } from '../time.ts';
import { known, NEVER } from './entry.ts';
import type { HeldRouting, RoutesDoubtful } from './routing-events.ts';
import { type Item, placeOf } from './routing-item.ts';

/** One route or rule that is held, or is being removed. */
export interface RoutingEntry {
  readonly key: string;
  item: Item;
  readonly owners: Set<string>;
  /** As far as is known; in doubt, that it has to be removed. */
  installed: boolean;
  /** The route as it was asked for, with its interfaces as numbers, and its place. */
  route?: Route;
  place?: string;
  /** The numbers of the interfaces that it leads through, as the kernel showed it. */
  through?: ReadonlySet<number>;
  pending?: 'add' | 'remove';
  /** What it takes the place of, when its change is done. */
  replaces?: RoutingEntry;
  /** It may have gone: it is asked for once more, which does no harm to one that is there. */
  doubted: boolean;
  /** It was missing while it was held: its return is told. */
  late: boolean;
  /** When it was last put back. */
  restored: Instant;
  /** When a change last failed, and before when it is not tried again. */
  failed: Instant;
  notBefore: Instant;
  problem?: string;
}

export function newRoutingEntry(key: string, item: Item): RoutingEntry {
  const times = { restored: NEVER, notBefore: NEVER, failed: NEVER };
  return { key, item, owners: new Set(), installed: false, doubted: false, late: false, ...times };
}

export const keysOf = (entries: Iterable<RoutingEntry>): string[] => Array.from(entries, ({ key }) => key);

/** An entry as plain data: others by their keys. */
export function remembered({ owners, replaces, ...entry }: RoutingEntry) {
  return { ...entry, owners: [...owners], ...(replaces !== undefined && { replaces: replaces.key }) };
}

/** The entries of a memory, each under its key. */
export function recallEntries(
  memory: readonly ReturnType<typeof remembered>[],
  entries: Map<string, RoutingEntry>,
): void {
  for (const { owners, replaces, ...entry } of memory)
    entries.set(entry.key, { ...entry, owners: new Set(owners) });
  for (const { key, replaces } of memory)
    if (replaces !== undefined) known(entries, key).replaces = known(entries, replaces);
}

/** The routes among the entries, by the place that each was last asked for in. */
export class Places {
  readonly #entries = new Map<string, Set<RoutingEntry>>();

  memory() {
    return Array.from(this.#entries, ([place, here]) => [place, keysOf(here)] as const);
  }

  recall(memory: ReturnType<Places['memory']>, entryOf: (key: string) => RoutingEntry): void {
    for (const [place, keys] of memory) this.#entries.set(place, new Set(keys.map(entryOf)));
  }

  at(route: Route): readonly RoutingEntry[] {
    return [...(this.#entries.get(placeOf(route)) ?? [])];
  }

  /** The entry's route is this one from now on. */
  take(entry: RoutingEntry, route: Route): void {
    const place = placeOf(route);
    if (entry.place !== place) this.leave(entry);
    entry.route = route;
    entry.place = place;
    const here = this.#entries.get(place) ?? new Set();
    this.#entries.set(place, here.add(entry));
  }

  leave(entry: RoutingEntry): void {
    if (entry.place === undefined) return;
    const here = this.#entries.get(entry.place);
    here?.delete(entry);
    if (here?.size === 0) this.#entries.delete(entry.place);
    delete entry.place;
  }
}

export const itemsOf = ({ routes, rules }: HeldRouting): Item[] => [
  ...routes.map((settings): Item => ({ kind: 'route', settings })),
  ...rules.map((settings): Item => ({ kind: 'rule', settings })),
];

/** The interfaces that it names; none of a route that leads by its gateway alone. */
export function devicesOf({ kind, settings }: Item): string[] {
  if (kind === 'rule') return [];
  const { dev, vrf, hops = [] } = settings;
  return [dev, vrf, ...hops.map((hop) => hop.dev)].filter((name) => name !== undefined);
}

/** The numbers of the interfaces that a route leads through. */
export function throughOf({ ifindex, hops = [] }: Route): ReadonlySet<number> {
  return new Set([ifindex, ...hops.map((hop) => hop.ifindex)].filter((number) => number !== undefined));
}

/** Whether the route may have gone; through which interfaces it leads may be unknown. */
export function isDoubtful(
  { item, route, through }: RoutingEntry,
  { ifindexes, sources }: RoutesDoubtful,
): boolean {
  if (item.kind === 'rule') return false;
  if (route?.source !== undefined && sources.has(route.source)) return true;
  return through === undefined || [...through].some((ifindex) => ifindexes.has(ifindex));
}
