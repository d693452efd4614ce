import type { Ipv4Conf, Link } from '../netlink/link.ts';
import {
  addLink,
  changeLink,
  deleteLink,
  type StackedLink,
  setIpv4Conf,
  setLinkMtu,
  setLinkUp,
  withoutLinkLocal,
} from '../netlink/link-request.ts';
import type { Request } from '../netlink/message.ts';
import type { Original } from './originals.ts';

/** An interface that is to be upon another one. */
export interface WantedLink {
  readonly name: string;
  /** The name of the interface below. */
  readonly base: string;
  readonly group?: number;
  /** What it is there for: which families have addresses or adverts on it. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly sort:
    | { readonly kind: 'macvlan'; readonly mac: string }
    | { readonly kind: 'ipvlan'; readonly mode: 'bridge' | 'private' | 'vepa' };
}

export type VmacsEvent =
  /** Exactly these from now on: others that we made or took over are removed. */
  | { readonly type: 'want'; readonly links: readonly WantedLink[] }
  /** Before the first `want`: what an earlier life changed on interfaces below. */
  | { readonly type: 'inherit'; readonly originals: readonly Original[] }
  /** All interfaces there are now. */
  | { readonly type: 'links'; readonly links: readonly Link[] }
  /** How a `make` ended: errno 0 when it is there and up. */
  | { readonly type: 'made'; readonly name: string; readonly errno: number; readonly text?: string };

/** Make the interface, or bring one that is there into shape; answered by `made`. */
export interface MakeEffect {
  readonly type: 'make';
  readonly how: 'add' | 'change';
  readonly wanted: WantedLink;
  readonly link: StackedLink;
}

export type VmacsEffect =
  | MakeEffect
  | { readonly type: 'remove'; readonly name: string }
  | { readonly type: 'mtu'; readonly name: string; readonly mtu: number }
  /** Settings of an interface below, or their return to what they were. */
  | { readonly type: 'conf'; readonly name: string; readonly conf: Ipv4Conf }
  /** Whether virtual MAC addresses for IPv4 are in use: strict reverse-path checks would drop their traffic. */
  | { readonly type: 'asymmetric'; readonly on: boolean }
  | { readonly type: 'adopted'; readonly name: string }
  /** A lasting problem is told once. */
  | { readonly type: 'problem'; readonly name: string; readonly errno: number; readonly text?: string };

/** One thing to do; an `optional` one may fail where the kernel has no IPv6 or /proc/sys is read-only. */
export type Step =
  | { readonly type: 'request'; readonly request: Request; readonly optional: boolean }
  /** `path` below /proc/sys/net. */
  | { readonly type: 'sysctl'; readonly path: string; readonly value: string };

/** A VMAC answers for its own addresses only, hears routers of this host, and its primary address may go first. */
const MACVLAN_IPV4: Ipv4Conf = { arp_ignore: 1, accept_local: 1, rp_filter: 0, promote_secondaries: 1 };
const IPVLAN_IPV4: Ipv4Conf = { promote_secondaries: 1 };

/**
 * Settings of an interface that carries VMACs: it does not answer for addresses that are on them, nor ask in their
 * name. keepalived lets it ask, so that whoever a master speaks to first learns the wrong MAC address for the VIP.
 */
export const BASE_IPV4: Ipv4Conf = { arp_ignore: 1, arp_filter: 1, arp_announce: 2 };

const request = (made: Request, optional = false): Step => ({ type: 'request', request: made, optional });

/**
 * What brings an interface into being, in order: it is set up last, so that it never speaks with an address of the
 * kernel's own making. keepalived's order and settings; accept_ra and autoconf are ours, or a router's advertisement
 * would give the VMAC an address.
 */
export function stepsOf({ how, wanted, link }: MakeEffect): Step[] {
  const { name, kind } = link;
  const sysctl = (key: string, value: 0 | 1): Step => ({
    type: 'sysctl',
    path: `ipv6/conf/${name}/${key}`,
    value: String(value),
  });
  const made = request(how === 'add' ? addLink(link) : changeLink(link));
  const up = request(setLinkUp(name));
  if (kind === 'ipvlan') return [made, request(setIpv4Conf(name, IPVLAN_IPV4)), up];
  return [
    made,
    request(setIpv4Conf(name, MACVLAN_IPV4)),
    request(withoutLinkLocal(name), true),
    ...(wanted.ipv6 ? [sysctl('accept_ra', 0), sysctl('autoconf', 0)] : []),
    sysctl('disable_ipv6', wanted.ipv6 ? 0 : 1),
    up,
  ];
}

/** The request of an effect that is one. */
export function linkRequest(effect: Extract<VmacsEffect, { type: 'remove' | 'mtu' | 'conf' }>): Request {
  if (effect.type === 'remove') return deleteLink(effect.name);
  if (effect.type === 'mtu') return setLinkMtu(effect.name, effect.mtu);
  return setIpv4Conf(effect.name, effect.conf);
}
