import type { Ip } from '../ip.ts';
import type { Instant } from '../time.ts';
import type { Advertiser } from './advertiser.ts';
import { type Advert, whyBetter } from './packet.ts';

/** What a master does about an advert of another: gives way, for a cause; contests it; or waits for more. */
export type RivalVerdict =
  | { readonly verdict: 'give way'; readonly cause: string }
  | { readonly verdict: 'contest' | 'wait' };

/**
 * RFC 9568, 6.4.3, and for a master whose addresses the kernel may have removed: better ones may still wait in the
 * socket, and are waited for.
 */
export function judgeRival(
  advert: Advert,
  source: Ip,
  priority: number,
  advertiser: Advertiser,
  now: Instant,
): RivalVerdict {
  const better = whyBetter(advert, source, { priority, address: advertiser.source });
  if (better !== undefined) return { verdict: 'give way', cause: better };
  return { verdict: advertiser.overslept(now) ? 'wait' : 'contest' };
}
