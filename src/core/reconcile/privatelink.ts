import { ip } from '../ip.ts';
import { addAddress, FOREVER } from '../netlink/address.ts';
import type { Link } from '../netlink/link.ts';
import { addDummy, deleteLink, setLinkMtu, setLinkUp, withoutLinkLocal } from '../netlink/link-request.ts';
import type { Request } from '../netlink/message.ts';
import { PRIVATE_LINK } from '../sync/settings.ts';

/** The interface on which the kernel syncs with nobody but the daemon: a dummy, to which no network leads. */

/** The sync daemons want an address there. It is link-local and stays on this host: every director has the same. */
const ADDRESS = { ip: ip('169.254.81.81'), length: 32 };
/** The largest datagram in one piece: what listens there sees no fragments. */
const MTU = 65_535;
/** Of scope "universe": no other is used as a source there. */
const GLOBAL = 0;

export type PrivateLinkState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'there'; readonly ifindex: number }
  /** Somebody has an interface of this name that is something else. */
  | { readonly kind: 'foreign' };

export function privateLinkOf(links: readonly Link[]): PrivateLinkState {
  const link = links.find(({ name }) => name === PRIVATE_LINK);
  if (link === undefined) return { kind: 'absent' };
  return link.kind === 'dummy' ? { kind: 'there', ifindex: link.ifindex } : { kind: 'foreign' };
}

/** Makes it. The first answer says whether that worked; without IPv6 the second is an error that does not matter. */
export const makePrivateLink = (): readonly Request[] => [
  addDummy(PRIVATE_LINK),
  withoutLinkLocal(PRIVATE_LINK),
  setLinkMtu(PRIVATE_LINK, MTU),
];

/** Brings one that is there into shape: errno 17 (EEXIST) of the second is none. */
export const shapePrivateLink = (ifindex: number): readonly Request[] => [
  setLinkUp(PRIVATE_LINK),
  addAddress({
    ifindex,
    address: ADDRESS,
    scope: GLOBAL,
    flags: 0,
    valid: FOREVER,
    preferred: FOREVER,
  }),
];

export const removePrivateLink = (): Request => deleteLink(PRIVATE_LINK);
