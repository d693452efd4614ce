import { release } from 'node:os';
import type { Family } from '../core/ip.ts';
import { decodeAddress, dumpAddresses, type InterfaceAddress } from '../core/netlink/address.ts';
import {
  concernsOrigin,
  decodeEvent,
  GROUP,
  type RouteEvent,
  withoutNewsOf,
} from '../core/netlink/events.ts';
import { decodeLink, dumpLinks, type Link } from '../core/netlink/link.ts';
import type { Outcome, Request } from '../core/netlink/message.ts';
import { decodeNeighbour, dumpNeighbours, type Neighbour } from '../core/netlink/neighbour.ts';
import { decodeRoute, dumpRoutes, dumpRoutesOf, type Route } from '../core/netlink/route.ts';
import { decodeRule, dumpRules, type Rule } from '../core/netlink/rule.ts';
import { NETLINK, NetlinkMonitor, NetlinkSocket } from './netlink.ts';

/** Since then the kernel keeps who made an address (IFA_PROTO). */
const MAKERS_SINCE = [5, 18] as const;

/** Whether this kernel keeps who made an address. */
export function keepsMakers(): boolean {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return major > MAKERS_SINCE[0] || (major === MAKERS_SINCE[0] && minor >= MAKERS_SINCE[1]);
}

/** Links, addresses, routes, rules and neighbours of this network namespace. */
export class RouteSocket {
  readonly #socket = new NetlinkSocket(NETLINK.ROUTE, 'rtnetlink');

  /** What the kernel knows it by. */
  get port(): number {
    return this.#socket.port;
  }

  links(): Link[] {
    return this.#socket.list(dumpLinks(), decodeLink);
  }
  addresses(family?: Family): InterfaceAddress[] {
    return this.#socket.list(dumpAddresses(family), decodeAddress);
  }
  routes(): Route[] {
    return this.#socket.list(dumpRoutes(), decodeRoute);
  }
  /** The routes of one origin, of both families. */
  routesOf(origin: number): Route[] {
    const both = [dumpRoutesOf(4, origin), dumpRoutesOf(6, origin)];
    return both
      .flatMap((dump) => this.#socket.list(dump, decodeRoute))
      .filter((route) => route.protocol === origin);
  }
  rules(family: Family): Rule[] {
    return this.#socket.list(dumpRules(family), decodeRule);
  }
  neighbours(family: Family): Neighbour[] {
    return this.#socket.list(dumpNeighbours(family), decodeNeighbour);
  }

  /** Performs requests in order and gives the outcome of each; see NetlinkSocket.request. */
  apply(requests: readonly Request[]): Outcome[] {
    return this.#socket.request(requests);
  }

  close(): void {
    this.#socket.close();
  }
}

export interface RouteListener {
  event(event: RouteEvent): void;
  /** Events were lost: dump again what is followed. */
  resync(why: string): void;
}

/** What to hear besides links and addresses. */
export interface MonitorWishes {
  readonly routes?: boolean;
  readonly rules?: boolean;
  readonly neighbours?: boolean;
  /** The receive queue in bytes. */
  readonly buffer?: number;
}

/** Hears what happens to links and addresses of both families, and to what else is wished. */
export class RouteMonitor {
  readonly #monitor: NetlinkMonitor;
  /** Of the routes that are heard of; of all when absent. */
  #origin: number | undefined;

  constructor(wishes: MonitorWishes = {}) {
    const groups: number[] = [GROUP.link, GROUP.ipv4Address, GROUP.ipv6Address];
    if (wishes.routes === true) groups.push(GROUP.ipv4Route, GROUP.ipv6Route);
    if (wishes.rules === true) groups.push(GROUP.ipv4Rule, GROUP.ipv6Rule);
    if (wishes.neighbours === true) groups.push(GROUP.neighbour);
    this.#monitor = new NetlinkMonitor(NETLINK.ROUTE, groups, 'rtnetlink monitor', wishes.buffer);
  }

  /** Hears nothing of what this socket asks for, as far as the kernel says who asked: of IPv6 it does not. */
  ignore({ port }: RouteSocket): void {
    this.#monitor.filter(withoutNewsOf(port));
  }

  /** Delivers from the event loop. Start it before the first dump. */
  start(listener: RouteListener): void {
    this.#monitor.start({
      message: (message) => {
        if (this.#origin !== undefined && !concernsOrigin(message, this.#origin)) return;
        const event = decodeEvent(message);
        if (event !== undefined) listener.event(event);
      },
      resync: (why) => listener.resync(why),
    });
  }

  /** Hears of rules too, and of the routes of one origin, from now on. */
  followRouting(origin: number): void {
    if (this.#origin !== undefined) return;
    this.#origin = origin;
    this.#monitor.join([GROUP.ipv4Route, GROUP.ipv6Route, GROUP.ipv4Rule, GROUP.ipv6Rule]);
  }

  /** Delivers what is waiting now. Not from within the listener. */
  drain(): void {
    this.#monitor.drain();
  }

  close(): void {
    this.#monitor.close();
  }
}
