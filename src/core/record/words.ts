import { describeOperation } from '../balance/plan.ts';
import { inWords } from '../check/verdict.ts';
import type { Ip } from '../ip.ts';
import type { BalancerEffect, BalancerEvent } from '../serving/balancer.ts';
import type { VrrpEffect, VrrpEvent } from '../vrrp/events.ts';
import type { GroupEffect, GroupEvent } from '../vrrp/group.ts';

/**
 * What was recorded, in words for a person. What has no words of its own is told as its type and its short values.
 */

interface Typed {
  readonly type: string;
}

const PRIORITY_AT = 2;

const advert = (
  what: string,
  { payload, source }: { readonly payload: Uint8Array; readonly source: Ip },
): string => `${what} ${source}, priority ${payload[PRIORITY_AT] ?? '-'}`;

/** One event. */
export function eventWords(kind: string, event: unknown): string {
  if (kind === 'router') {
    const told = event as VrrpEvent;
    if (told.type === 'packet') return advert('advert from', told);
    if (told.type === 'link') return `link ${told.up ? 'up' : 'down'}: ${told.why}`;
    if (told.type === 'configure') return 'its settings';
  }
  if (kind === 'balancer') {
    const told = event as BalancerEvent;
    if (told.type === 'outcome') return outcomeWords(told);
    if (told.type === 'configure') return `${told.virtualServers.length} virtual servers`;
    if (told.type === 'table') return `the kernel has ${told.reading.services.length} services`;
    if (told.type === 'applied') return `applied, ${told.failures.length} failures`;
  }
  if (kind === 'group') {
    const told = event as GroupEvent;
    if (told.type === 'members') return `members: ${told.members.join(', ')}`;
  }
  return shortly(event);
}

/** What became of a probe. */
const outcomeWords = ({ id, result }: Extract<BalancerEvent, { type: 'outcome' }>): string =>
  `${id}: ${result.verdict}, ${inWords(result)}`;

/** One effect. */
export function effectWords(kind: string, effect: unknown): string {
  if (kind === 'router') {
    const done = effect as VrrpEffect;
    if (done.type === 'send') return advert('advert sent from', done);
    if (done.type === 'transition') return `${done.from} -> ${done.to}: ${done.cause}`;
    if (done.type === 'hold' || done.type === 'release' || done.type === 'announce')
      return `${done.type} ${done.addresses.map(({ address }) => address.ip).join(', ')}`;
  }
  if (kind === 'balancer') {
    const done = effect as BalancerEffect;
    if (done.type === 'probe') return `probes: ${done.id}`;
    if (done.type === 'log') return done.message;
    if (done.type === 'apply') return done.operations.map(describeOperation).join('; ');
    if (done.type === 'happening')
      return `tells: ${done.happening.of} ${done.happening.name} ${done.happening.what}`;
  }
  if (kind === 'group') {
    const done = effect as GroupEffect;
    if (done.type === 'became') return `${done.from} -> ${done.to}: ${done.cause}`;
    if (done.type === 'tell') return `tells ${done.member}: ${shortly(done.event)}`;
  }
  return shortly(effect);
}

/** Whether an effect belongs into a summary: it is no everyday one. */
export const isNews = (effect: unknown): boolean =>
  ['transition', 'became', 'happening', 'priority', 'stalled', 'log'].includes((effect as Typed).type);

const SHORT = 60;

function shortly(value: unknown): string {
  const { type, ...rest } = value as Typed & Readonly<Record<string, unknown>>;
  const words = Object.entries(rest).flatMap(([name, each]) => {
    const text = typeof each === 'string' ? each : JSON.stringify(each);
    return text === undefined || text.length > SHORT ? [] : [`${name} ${text}`];
  });
  return [type, ...words].join(', ');
}
