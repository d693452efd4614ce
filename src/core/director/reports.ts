import { unreachable } from '../assert.ts';
import { counted } from '../counted.ts';
import { toSeconds } from '../time.ts';
import type { VrrpEffect } from '../vrrp/events.ts';

/** What a virtual router noticed, in words. */
export function describe(
  effect: Extract<VrrpEffect, { type: 'rejected' | 'noticed' | 'not-sent' | 'stalled' }>,
): string {
  switch (effect.type) {
    case 'rejected': {
      const why = effect.why === undefined ? '' : ` (${effect.why})`;
      return `dropped ${counted(effect.count, 'advert')} of ${effect.source}: ${effect.reason}${why}`;
    }
    case 'noticed':
      return `${counted(effect.count, 'advert')} of ${effect.source} with unexpected ${effect.notice}`;
    case 'not-sent':
      return `${counted(effect.count, 'advert')} could not be sent: ${effect.why}`;
    case 'stalled':
      return `this process was stalled for ${toSeconds(effect.late).toFixed(2)} s: ${effect.what}`;
    default:
      return unreachable(effect);
  }
}
