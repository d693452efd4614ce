import { BPF, filterOf, load, refuse } from '../bpf.ts';
import { Reader, Writer } from '../bytes.ts';
import { ADDRESS_MESSAGE, decodeAddress, type InterfaceAddress } from './address.ts';
import { decodeLink, LINK_MESSAGE, type Link } from './link.ts';
import { FLAG, type Message } from './message.ts';
import { decodeNeighbour, NEIGHBOUR_MESSAGE, type Neighbour } from './neighbour.ts';
import { decodeRoute, ROUTE_MESSAGE, type Route } from './route.ts';
import { decodeRule, RULE_MESSAGE, type Rule } from './rule.ts';

/** What the routing socket tells by itself: the same messages answer dumps. */

/** Numbers of the multicast groups (enum rtnetlink_groups). */
export const GROUP = {
  link: 1,
  neighbour: 3,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv4Rule: 8,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv6Rule: 19,
} as const;

/** Something that is there now (`present`) or is gone. */
export type RouteEvent =
  | { readonly type: 'link'; readonly present: boolean; readonly link: Link }
  | { readonly type: 'address'; readonly present: boolean; readonly address: InterfaceAddress }
  | {
      readonly type: 'route';
      readonly present: boolean;
      readonly route: Route;
      /** It took the place of another, of which nothing else is said. */
      readonly replaces?: true;
    }
  | { readonly type: 'rule'; readonly present: boolean; readonly rule: Rule }
  | { readonly type: 'neighbour'; readonly present: boolean; readonly neighbour: Neighbour };

/** The event in a message; `undefined` for what is none, is malformed or is of another family. */
export function decodeEvent(message: Message): RouteEvent | undefined {
  switch (message.type) {
    case LINK_MESSAGE.new:
    case LINK_MESSAGE.delete: {
      const link = decodeLink(message);
      return link && { type: 'link', present: message.type === LINK_MESSAGE.new, link };
    }
    case ADDRESS_MESSAGE.new:
    case ADDRESS_MESSAGE.delete: {
      const address = decodeAddress(message);
      return address && { type: 'address', present: message.type === ADDRESS_MESSAGE.new, address };
    }
    case ROUTE_MESSAGE.new:
    case ROUTE_MESSAGE.delete: {
      const route = decodeRoute(message);
      const present = message.type === ROUTE_MESSAGE.new;
      const replaces = present && (message.flags & FLAG.replace) !== 0;
      return route && { type: 'route', present, route, ...(replaces && { replaces }) };
    }
    case RULE_MESSAGE.new:
    case RULE_MESSAGE.delete: {
      const rule = decodeRule(message);
      return rule && { type: 'rule', present: message.type === RULE_MESSAGE.new, rule };
    }
    case NEIGHBOUR_MESSAGE.new:
    case NEIGHBOUR_MESSAGE.delete: {
      const neighbour = decodeNeighbour(message);
      return neighbour && { type: 'neighbour', present: message.type === NEIGHBOUR_MESSAGE.new, neighbour };
    }
    default:
      return undefined;
  }
}

/** Where the requester's port is in a message. */
const PORT_AT = 12;

/** Takes no news of what was asked for from this port, as a filter of a monitor's socket. */
export function withoutNewsOf(port: number): Uint8Array {
  // Filters read numbers in network order; the kernel writes its own.
  const asLoaded = new Reader(new Writer(4).u32host(port).finish()).u32be();
  return filterOf([load(BPF.loadWord, PORT_AT), refuse(BPF.jumpEqual, asLoaded)]);
}

/** Where rtm_protocol is in a message's body. */
const ORIGIN_AT = 5;

/**
 * Whether a message matters to whoever follows the routes of one origin: not that of a routing daemon with a million
 * routes. What takes the place of another may have taken ours.
 */
export function concernsOrigin({ type, flags, body }: Message, origin: number): boolean {
  if (type !== ROUTE_MESSAGE.new && type !== ROUTE_MESSAGE.delete) return true;
  return body[ORIGIN_AT] === origin || (type === ROUTE_MESSAGE.new && (flags & FLAG.replace) !== 0);
}
