import type { Ip } from '../ip.ts';
import type { Instant } from '../time.ts';
import { type Advert, RESIGNING, whyBetter } from './packet.ts';
import type { VrrpParts } from './parts.ts';

/**
 * What a master makes of an advert of another (RFC 9568, 6.4.3). Returns why it is to give way to it; contests a lesser
 * one itself. In a planned hand-over it hears of the other nothing but its end. Where the kernel may have removed its
 * addresses, better ones may still wait in the socket, and are waited for.
 */
export function heardAsMaster(
  { mastership, truce }: VrrpParts,
  advert: Advert,
  source: Ip,
  priority: number,
  now: Instant,
): string | undefined {
  const { advertiser } = mastership;
  if (truce.holds(now)) {
    if (advert.priority === RESIGNING) mastership.remain(now);
    return undefined;
  }
  const better = whyBetter(advert, source, { priority, address: advertiser.source });
  if (better === undefined && !advertiser.overslept(now)) mastership.contest(advert.priority, now);
  return better;
}
