import type { Ip } from '../ip.ts';
import { VRRP_GROUP } from './packet.ts';
import type { VrrpSettings } from './settings.ts';

/**
 * Virtual routers with the same VRID, family and interface. They are no trouble to each other where one sends to peers
 * and the other to a group, or both to others (keepalived: vrrp/vrrp.c, check_vrid_conflicts).
 */
type Sending = Pick<VrrpSettings, 'family' | 'source' | 'destination' | 'peers'>;

const peersOf = ({ peers = [] }: Sending): Ip[] => peers.map(({ address }) => address);
const groupOf = ({ family, destination = VRRP_GROUP[family] }: Sending): Ip => destination;

/** Whether the adverts of two namesakes cannot be told apart. */
export function areConfused(a: Sending, b: Sending): boolean {
  const [mine, theirs] = [peersOf(a), peersOf(b)];
  if (mine.length > 0 !== theirs.length > 0) return false;
  if (mine.length === 0) return groupOf(a) === groupOf(b);
  return a.source === b.source && mine.some((peer) => theirs.includes(peer));
}

/** What tells a router apart from its namesakes, in words. */
export const distinction = (sending: Sending): string => {
  const peers = peersOf(sending);
  return peers.length > 0 ? `with ${peers.join(' and ')}` : `to ${groupOf(sending)}`;
};

/** Which of several namesakes an advert is for; `undefined` when it is for none of them. */
export function addressee<R extends { readonly settings: Sending }>(
  namesakes: readonly R[],
  { source, destination }: { readonly source: Ip; readonly destination: Ip },
): R | undefined {
  const known = namesakes.find(({ settings }) => {
    const peers = peersOf(settings);
    if (peers.length === 0) return groupOf(settings) === destination;
    return peers.includes(source) && (settings.source ?? destination) === destination;
  });
  // A peer that is not named is heard too, unless check_unicast_src says otherwise.
  return known ?? namesakes.find(({ settings }) => settings.source === destination);
}
