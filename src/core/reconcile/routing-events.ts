import type { Ip } from '../ip.ts';
import type { Link } from '../netlink/link.ts';
import type { Request } from '../netlink/message.ts';
import { addRoute, deleteRoute, type Route, type RouteInsertion } from '../netlink/route.ts';
import { addRule, deleteRule, type Rule } from '../netlink/rule.ts';
import type { ChangeResult, ProblemEffect } from './changes.ts';
import type { RouteSettings, RuleSettings } from './settings.ts';

/** The routes and rules of one owner. */
export interface HeldRouting {
  readonly routes: readonly RouteSettings[];
  readonly rules: readonly RuleSettings[];
}

/**
 * Routes may have gone without a word: the kernel says nothing of those that go with a link or an address. In doubt
 * are those through the interfaces with these numbers, those with these source addresses, and those of which it is not
 * known through which interface they lead.
 */
export interface RoutesDoubtful {
  readonly type: 'routes-doubtful';
  readonly ifindexes: ReadonlySet<number>;
  readonly sources: ReadonlySet<Ip>;
}

export type RoutingEvent =
  /** All interfaces there are now. */
  | { readonly type: 'links'; readonly links: readonly Link[] }
  /** All routes of our origin and all rules there are now: after a dump. */
  | { readonly type: 'shown'; readonly routes: readonly Route[]; readonly rules: readonly Rule[] }
  /** The monitor saw a route of our origin: where it leads is known now. */
  | { readonly type: 'route-seen'; readonly route: Route }
  /** The monitor saw a route go, or one that took the place of another. */
  | { readonly type: 'route-gone'; readonly route: Route }
  | { readonly type: 'rule-gone'; readonly rule: Rule }
  | RoutesDoubtful
  /** The owner's routes and rules are exactly these from now on. */
  | ({ readonly type: 'hold'; readonly owner: string } & HeldRouting)
  /** The owner holds nothing more. `leftovers` of an earlier life go too, unless another owner holds them. */
  | { readonly type: 'release'; readonly owner: string; readonly leftovers?: HeldRouting }
  /** Until `resume`, nothing is removed: a reload moves things from one owner to another. */
  | { readonly type: 'pause' | 'resume' }
  /** How changes ended; each is answered once. */
  | { readonly type: 'done'; readonly results: readonly ChangeResult[] };

/** `replace`: instead of the route that is in its place. */
export type RoutingStep =
  | { readonly op: 'add'; readonly route: Route; readonly insertion: RouteInsertion }
  | { readonly op: 'remove'; readonly route: Route }
  | { readonly op: 'add' | 'remove'; readonly rule: Rule };

export type RoutingChange = RoutingStep & { readonly id: number };

/** The change as rtnetlink takes it. */
export function requestOfRouting(step: RoutingStep): Request {
  if ('rule' in step) return step.op === 'add' ? addRule(step.rule) : deleteRule(step.rule);
  return step.op === 'add' ? addRoute(step.route, step.insertion) : deleteRoute(step.route);
}

export type RoutingEffect =
  /** At most MAX_BATCH changes, to be sent at once. */
  | { readonly type: 'apply'; readonly changes: readonly RoutingChange[] }
  /** What was missing although it is held is there (again). */
  | { readonly type: 'restored'; readonly owner: string; readonly what: readonly string[] }
  /** It was there before we added it: it is ours from now on, its removal too. */
  | { readonly type: 'adopted'; readonly owner: string; readonly what: string }
  /** A track group lacks something, or (`undefined`) nothing any more. */
  | { readonly type: 'lacking'; readonly group: string; readonly why: string | undefined }
  | ProblemEffect;
