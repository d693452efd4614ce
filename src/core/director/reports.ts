import { unreachable } from '../assert.ts';
import { toSeconds } from '../time.ts';
import type { VrrpEffect } from '../vrrp/events.ts';

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** What a virtual router noticed, in words. */
export function describe(
  effect: Extract<VrrpEffect, { type: 'rejected' | 'noticed' | 'not-sent' | 'stalled' }>,
): string {
  switch (effect.type) {
    case 'rejected': {
      const why = effect.why === undefined ? '' : ` (${effect.why})`;
      return `dropped ${count(effect.count, 'advert')} of ${effect.source}: ${effect.reason}${why}`;
    }
    case 'noticed':
      return `${count(effect.count, 'advert')} of ${effect.source} with unexpected ${effect.notice}`;
    case 'not-sent':
      return `${count(effect.count, 'advert')} could not be sent: ${effect.why}`;
    case 'stalled':
      return `this process was stalled for ${toSeconds(effect.late).toFixed(2)} s: ${effect.what}`;
    default:
      return unreachable(effect);
  }
}
