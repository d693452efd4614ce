import type { Route } from '../netlink/route.ts';
import type { Rule } from '../netlink/rule.ts';
import { isShown, keyOfRule, placeOf } from './routing-item.ts';

/** What the kernel had at the last dump and nobody has claimed yet. */
export class ShownRouting {
  /** By their place. */
  readonly #routes = new Map<string, readonly Route[]>();
  #rules = new Set<string>();

  memory() {
    return { routes: new Map(this.#routes), rules: new Set(this.#rules) };
  }

  recall({ routes, rules }: ReturnType<ShownRouting['memory']>): void {
    for (const [place, here] of routes) this.#routes.set(place, here);
    this.#rules = new Set(rules);
  }

  show(routes: readonly Route[], rules: readonly Rule[]): void {
    const byPlace = new Map<string, Route[]>();
    for (const route of routes) {
      const place = placeOf(route);
      const here = byPlace.get(place);
      if (here === undefined) byPlace.set(place, [route]);
      else here.push(route);
    }
    this.#routes.clear();
    for (const [place, here] of byPlace) this.#routes.set(place, here);
    this.#rules = new Set(rules.map(keyOfRule));
  }

  /** Whether the rule was there. */
  takeRule(key: string): boolean {
    return this.#rules.delete(key);
  }

  /**
   * The route as it was shown, if it was, and those of the same origin in its place that nobody holds. `held`: the
   * routes that are held in this place.
   */
  take(
    route: Route,
    held: readonly Route[],
  ): { readonly ours: Route | undefined; readonly leftover: readonly Route[] } {
    const place = placeOf(route);
    const same = this.#routes.get(place) ?? [];
    const ours = same.find((shown) => isShown(route, shown));
    const isHeld = (shown: Route): boolean => shown === ours || held.some((other) => isShown(other, shown));
    const left = same.filter(isHeld);
    if (left.length > 0) this.#routes.set(place, left);
    else this.#routes.delete(place);
    const leftover = same.filter((shown) => !isHeld(shown) && shown.protocol === route.protocol);
    return { ours, leftover };
  }
}
