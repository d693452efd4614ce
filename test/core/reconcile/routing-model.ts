import { decodeEvent } from '../../../src/core/netlink/events.ts';
import { FLAG } from '../../../src/core/netlink/message.ts';
import { ROUTE_MESSAGE, type Route } from '../../../src/core/netlink/route.ts';
import { RULE_MESSAGE, type Rule } from '../../../src/core/netlink/rule.ts';
import { type RoutingStep, requestOfRouting } from '../../../src/core/reconcile/routing-events.ts';
import { isShown, keyOfRule, placeOf } from '../../../src/core/reconcile/routing-item.ts';

/** What the monitor hears. */
export type Sighting =
  | { readonly type: 'route-seen' | 'route-gone'; readonly route: Route }
  | { readonly type: 'rule-gone'; readonly rule: Rule };

const ERRNO = { noEntry: 2, noRoute: 3, exists: 17, noDevice: 19 } as const;

/**
 * How Linux keeps IPv4 routes and rules: several routes may have the same place, the first one counts; those of an
 * interface go with it without a word. It reads the very messages that are sent.
 */
export class ModelTables {
  readonly links = new Set<number>([1, 2]);
  routes: Route[] = [];
  rules: Rule[] = [];
  heard: Sighting[] = [];
  /** The next changes fail with these. */
  failures: number[] = [];

  /** The errno of the change. */
  apply(step: RoutingStep): number {
    const request = requestOfRouting(step);
    const failure = this.failures.shift();
    if (failure !== undefined) return failure;
    const heard = decodeEvent({ ...request, sequence: 0, port: 0 });
    if (heard?.type === 'rule') return this.#rule(heard.rule, request.type === RULE_MESSAGE.new);
    if (heard?.type !== 'route') return ERRNO.noEntry;
    const { route } = heard;
    return request.type === ROUTE_MESSAGE.new ? this.#add(route, request.flags) : this.#remove(route);
  }

  #rule(rule: Rule, add: boolean): number {
    const at = this.rules.findIndex((known) => keyOfRule(known) === keyOfRule(rule));
    if (add && at >= 0) return ERRNO.exists;
    if (!add && at < 0) return ERRNO.noEntry;
    if (add) this.rules.push(rule);
    else
      this.heard.push(
        ...this.rules.splice(at, 1).map((gone): Sighting => ({ type: 'rule-gone', rule: gone })),
      );
    return 0;
  }

  #add(route: Route, flags: number): number {
    if (route.ifindex !== undefined && !this.links.has(route.ifindex)) return ERRNO.noDevice;
    const place = placeOf(route);
    const first = this.routes.findIndex((known) => placeOf(known) === place);
    if (first >= 0 && (flags & FLAG.exclusive) !== 0) return ERRNO.exists;
    if (this.routes.some((known) => isShown(route, known))) {
      return (flags & FLAG.replace) !== 0 && this.routes.findIndex((known) => isShown(route, known)) === first
        ? 0
        : ERRNO.exists;
    }
    if (first >= 0 && (flags & FLAG.replace) !== 0) this.routes[first] = route;
    else this.routes.splice(first < 0 ? this.routes.length : first, 0, route);
    this.heard.push({ type: 'route-seen', route });
    return 0;
  }

  #remove(route: Route): number {
    const at = this.routes.findIndex((known) => isShown({ ...route, scope: known.scope }, known));
    if (at < 0) return ERRNO.noRoute;
    this.heard.push(
      ...this.routes.splice(at, 1).map((gone): Sighting => ({ type: 'route-gone', route: gone })),
    );
    return 0;
  }

  /** Somebody else removes one. */
  steal(index: number): void {
    const route = this.routes[index % Math.max(1, this.routes.length)];
    if (route !== undefined) this.#remove(route);
  }

  stealRule(index: number): void {
    const rule = this.rules[index % Math.max(1, this.rules.length)];
    if (rule !== undefined) this.#rule(rule, false);
  }

  /** The link is set down: its routes are gone, and nobody says so. */
  unplug(ifindex: number): void {
    this.links.delete(ifindex);
    this.routes = this.routes.filter((route) => route.ifindex !== ifindex);
  }
}
