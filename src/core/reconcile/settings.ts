import type { Hop } from '../netlink/hop.ts';
import type { Route } from '../netlink/route.ts';
import type { Rule } from '../netlink/rule.ts';
import type { HeldAddress } from './events.ts';

/** What is kept of the kernel's routing, as the configuration has it: interfaces by name. */

/** How a line of `virtual_routes`, `static_routes` or their kin is kept. */
export interface Keeping {
  /** False is `no_track`: what somebody removes stays removed. */
  readonly tracked: boolean;
  /** `track_group`, of static lines: its routers are in FAULT as long as this is not there. */
  readonly group?: string;
}

export interface HopSettings extends Omit<Hop, 'ifindex'> {
  readonly dev?: string;
}

/** A line of `virtual_routes` or `static_routes`. */
export interface RouteSettings extends Omit<Route, 'ifindex' | 'hops'>, Keeping {
  readonly dev?: string;
  /** The table is that of this VRF. */
  readonly vrf?: string;
  readonly hops?: readonly HopSettings[];
  /** Where it goes when there are others for the same destination: `prepend` when absent, as in keepalived. */
  readonly insertion?: 'exclusive' | 'append';
}

/** A line of `virtual_rules` or `static_rules`. */
export interface RuleSettings extends Keeping {
  readonly rule: Rule;
}

/** A line of `static_ipaddress`. */
export interface StaticAddress extends HeldAddress, Pick<Keeping, 'group'> {}

/** What one virtual router keeps while it is master. */
export interface MasterRouting {
  /** Name of the `vrrp_instance`. */
  readonly instance: string;
  readonly routes: readonly RouteSettings[];
  readonly rules: readonly RuleSettings[];
}

/** A `track_group` block. */
export interface TrackGroup {
  readonly name: string;
  /** Names of virtual routers. */
  readonly members: readonly string[];
}

/** What is kept from the start to the stop. */
export interface StaticSettings {
  readonly addresses: readonly StaticAddress[];
  readonly routes: readonly RouteSettings[];
  readonly rules: readonly RuleSettings[];
  readonly groups: readonly TrackGroup[];
}

/** Nothing is static. */
export const NO_STATICS: StaticSettings = { addresses: [], routes: [], rules: [], groups: [] };

/** Whether something is to be kept without any virtual router. */
export const hasStatics = ({ addresses, routes, rules }: StaticSettings): boolean =>
  addresses.length + routes.length + rules.length > 0;
