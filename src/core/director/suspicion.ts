import { unreachable } from '../assert.ts';
import type { Ip } from '../ip.ts';
import type { VrrpEffect } from '../vrrp/events.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { questionsOf } from './questions.ts';
import type { RouterTies } from './ties.ts';

/** What `takeover_policy` wants to know of a silent master, and makes of it. */
export type SuspicionEffect = Extract<VrrpEffect, { type: 'listen' | 'ask' | 'weigh' | 'fence' | 'decided' }>;

/** Has the director do that for the virtual router with this key. `source`: our address there, if it has one. */
export function suspect(
  effect: SuspicionEffect,
  router: string,
  settings: VrrpSettings,
  source: Ip | undefined,
  ties: Pick<RouterTies, 'emit' | 'interfaces'>,
): void {
  const { name, group } = settings;
  switch (effect.type) {
    case 'listen':
      ties.emit(effect);
      break;
    case 'ask': {
      const questions = questionsOf(effect, settings, source, ties.interfaces);
      ties.emit({ type: 'ask', router, questions, listen: effect.listen });
      break;
    }
    case 'weigh':
      ties.emit({ ...effect, router, group });
      break;
    case 'fence':
      if (group !== undefined) ties.emit({ ...effect, group });
      break;
    case 'decided': {
      const { verdict, why } = effect.decision;
      ties.emit({ type: 'changed', router });
      const level = verdict === 'take' ? 'notice' : 'warning';
      ties.emit({ type: 'log', level, message: `${name}: takeover_policy: ${verdict}: ${why}` });
      break;
    }
    default:
      unreachable(effect);
  }
}
