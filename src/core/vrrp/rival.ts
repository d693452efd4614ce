import type { Ip } from '../ip.ts';
import type { Instant } from '../time.ts';
import type { Advertiser } from './advertiser.ts';
import { text } from './intervals.ts';
import { type Advert, RESIGNING, whyBetter } from './packet.ts';
import type { Preemption } from './preemption.ts';

/** What a master does about an advert of another: gives way, for a cause; contests it; or waits for more. */
export type RivalVerdict =
  | { readonly verdict: 'give way'; readonly cause: string }
  | { readonly verdict: 'contest' | 'wait' };

/**
 * RFC 9568, 6.4.3, and for a master that slept past its authority: with `nopreempt` it yields to whoever took over
 * in the meantime; else better ones may still wait in the socket, and are waited for.
 */
export function judgeRival(
  advert: Advert,
  source: Ip,
  priority: number,
  advertiser: Advertiser,
  preemption: Preemption,
  now: Instant,
): RivalVerdict {
  const better = whyBetter(advert, source, { priority, address: advertiser.source });
  if (better !== undefined) return { verdict: 'give way', cause: better };
  if (advert.priority !== RESIGNING && !preemption.allowed && advertiser.mayBeReplaced(now)) {
    const slept = text(advertiser.silentFor(now));
    return { verdict: 'give way', cause: `nopreempt, and stalled for ${slept}: yielding to ${source}` };
  }
  return { verdict: advertiser.overslept(now) ? 'wait' : 'contest' };
}
