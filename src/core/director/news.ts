import type { Ip } from '../ip.ts';
import { familyOf } from '../ip.ts';
import type { InterfaceAddress } from '../netlink/address.ts';
import type { RouteEvent } from '../netlink/events.ts';
import { isUp, LINK_FLAG, type Link } from '../netlink/link.ts';
import type { Route } from '../netlink/route.ts';
import type { Rule } from '../netlink/rule.ts';
import type { Interfaces } from '../reconcile/interfaces.ts';

/** What some news of the kernel come to: to be acted on once, however many there were. */
export interface News {
  /** Interfaces of which something is not as before: those whose links or addresses the news were about. */
  readonly interfaces: ReadonlySet<string>;
  /** Any of the links is not as before. */
  readonly links: boolean;
  /** Those that can send again, or with another MAC address: neighbours do not know that. */
  readonly risen: ReadonlySet<string>;
  readonly addresses: readonly { readonly address: InterfaceAddress; readonly present: boolean }[];
  readonly routes: readonly { readonly route: Route; readonly gone: boolean }[];
  readonly rulesGone: readonly Rule[];
  /** Routes through these, or with these sources, may have gone without a word. */
  readonly doubtful: { readonly ifindexes: ReadonlySet<number>; readonly sources: ReadonlySet<Ip> };
}

/**
 * Sums up news of the kernel, and notes them in `interfaces`. `moved`: addresses that VRRP moves are no news for any
 * router's footing.
 */
export function sumUp(events: readonly RouteEvent[], interfaces: Interfaces, moved: ReadonlySet<Ip>): News {
  const names = new Set<string>();
  const risen = new Set<string>();
  const addresses: News['addresses'][number][] = [];
  const routes: News['routes'][number][] = [];
  const rulesGone: Rule[] = [];
  const [ifindexes, sources] = [new Set<number>(), new Set<Ip>()];
  let links = false;
  for (const event of events) {
    switch (event.type) {
      case 'link': {
        const before = interfaces.numbered(event.link.ifindex);
        const after = event.present ? event.link : undefined;
        for (const name of namesOf(before, interfaces)) names.add(name);
        interfaces.link(event.link, event.present);
        for (const name of namesOf(after, interfaces)) names.add(name);
        if (wasSetUp(before) && !wasSetUp(after)) ifindexes.add(event.link.ifindex);
        if (after !== undefined && hasRisen(before, after)) risen.add(after.name);
        links = true;
        break;
      }
      case 'address': {
        const { address, present } = event;
        interfaces.address(address, present);
        addresses.push({ address, present });
        if (!present) {
          sources.add(address.address.ip);
          if (!interfaces.hasAny(address.ifindex, familyOf(address.address.ip)))
            ifindexes.add(address.ifindex);
        }
        if (moved.has(address.address.ip)) break;
        for (const name of namesOf(interfaces.numbered(address.ifindex), interfaces)) names.add(name);
        break;
      }
      case 'route':
        routes.push({ route: event.route, gone: !event.present || event.replaces === true });
        break;
      case 'rule':
        if (!event.present) rulesGone.push(event.rule);
        break;
      default:
        break;
    }
  }
  return { interfaces: names, links, risen, addresses, routes, rulesGone, doubtful: { ifindexes, sources } };
}

/** An interface, and the one that it belongs to: a VRF speaks with the addresses of its members. */
function namesOf(link: Link | undefined, interfaces: Interfaces): string[] {
  if (link === undefined) return [];
  const above = link.master === undefined ? undefined : interfaces.numbered(link.master);
  return above === undefined ? [link.name] : [link.name, above.name];
}

const wasSetUp = (link: Link | undefined): boolean => link !== undefined && (link.flags & LINK_FLAG.up) !== 0;

function hasRisen(before: Link | undefined, after: Link): boolean {
  if (!isUp(after)) return false;
  return before === undefined || !isUp(before) || before.mac !== after.mac || before.name !== after.name;
}
