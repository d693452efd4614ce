import { unreachable } from '../assert.ts';
import type { Ip } from '../ip.ts';
import type { Level } from '../level.ts';
import type { VrrpEffect } from '../vrrp/events.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { questionsOf } from './questions.ts';
import type { RouterTies } from './ties.ts';

/** What `takeover_policy` wants to know of a silent master, and makes of it. */
export type SuspicionEffect = Extract<
  VrrpEffect,
  { type: 'listen' | 'ask' | 'weigh' | 'fence' | 'decided' | 'still-served' }
>;

/** Does what a virtual router wants of its director for that. `source`: its own address. */
export function suspect(
  effect: SuspicionEffect,
  router: string,
  settings: VrrpSettings,
  source: Ip | undefined,
  ties: Pick<RouterTies, 'emit' | 'interfaces'>,
): void {
  const { name, group } = settings;
  const log = (level: Level, message: string): void =>
    ties.emit({ type: 'log', level, message: `${name}: ${message}` });
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
      log(verdict === 'take' ? 'notice' : 'warning', `takeover_policy: ${verdict}: ${why}`);
      break;
    }
    case 'still-served':
      log('crit', `the adverts of ${effect.master} have stopped, but ${effect.why}`);
      break;
    default:
      unreachable(effect);
  }
}
