import { unreachable } from '../assert.ts';
import { counted } from '../counted.ts';
import { toSeconds } from '../time.ts';
import type { ProtectionEffect } from './protection-events.ts';

/** What the log says of an effect of the protection; `undefined` where that is nothing. */
export function lineOf(
  effect: ProtectionEffect,
): { readonly level: 'error' | 'warning' | 'notice'; readonly message: string } | undefined {
  switch (effect.type) {
    case 'lost':
      return { level: 'error', message: `${effect.claim}: the votes are lost: ${effect.why}` };
    case 'refused': {
      const message = `${effect.claim}: no majority of votes: ${effect.why}; it is asked for again and again`;
      return { level: 'notice', message };
    }
    case 'believed': {
      const { claim, director } = effect;
      const message = `${claim}: ${director} was not heard since our start: taken without it (startup_alone take)`;
      return { level: 'warning', message };
    }
    case 'dropped': {
      const message = `dropped ${counted(effect.count, 'heartbeat')}: ${effect.reason}`;
      return { level: 'warning', message };
    }
    case 'peer':
      return effect.heard
        ? { level: 'notice', message: `${effect.name} is heard` }
        : { level: 'warning', message: `${effect.name} is silent` };
    case 'clock': {
      const { name, apart, difference } = effect;
      const by = `${Math.abs(toSeconds(difference)).toFixed(1)} s ${difference > 0 ? 'ahead of' : 'behind'} ours`;
      return apart
        ? { level: 'warning', message: `the clock of ${name} is ${by}: logs and certificates disagree` }
        : { level: 'notice', message: `the clock of ${name} agrees with ours again` };
    }
    case 'send':
    case 'etcd':
    case 'said':
    case 'authorised':
    case 'challenged':
    case 'fence':
      return undefined;
    default:
      return unreachable(effect);
  }
}
