import { describeOperation } from '../balance/plan.ts';
import type { BfdEffect, BfdEvent } from '../bfd/events.ts';
import { inWords } from '../check/verdict.ts';
import { formatPrefix, type Ip } from '../ip.ts';
import { describeRoute } from '../netlink/route.ts';
import { describeRule } from '../netlink/rule.ts';
import type { ChangeResult } from '../reconcile/changes.ts';
import type { AddressChange, HeldAddress } from '../reconcile/events.ts';
import type { RoutingChange } from '../reconcile/routing-events.ts';
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
  if (kind === 'bfd') {
    const told = event as BfdEvent;
    if (told.type === 'packet') return `the neighbour says ${told.packet.state} (${told.packet.diagnostic})`;
  }
  return kernelWords(kind, event) ?? shortly(event);
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
  if (kind === 'bfd') {
    const done = effect as BfdEffect;
    if (done.type === 'transition') return `${done.from} -> ${done.to}: ${done.cause}`;
    if (done.type === 'send') return 'packet sent';
  }
  return kernelWords(kind, effect) ?? shortly(effect);
}

/** What is asked of the kernel, and what it has answered. */
function kernelWords(kind: string, value: unknown): string | undefined {
  if (kind !== 'addresses' && kind !== 'routing') return undefined;
  const told = value as Typed & { readonly [name: string]: unknown };
  switch (told.type) {
    case 'apply':
      return `asks the kernel: ${(told.changes as readonly Change[]).map(changeWords).join('; ')}`;
    case 'done':
      return resultWords(told.results as readonly ChangeResult[]);
    case 'hold':
    case 'release':
    case 'renew':
      return [
        told.type,
        told.owner,
        ...((told.addresses as readonly HeldAddress[]) ?? []).map(addressWords),
      ].join(' ');
    case 'links':
      return `${(told.links as readonly unknown[]).length} interfaces`;
    default:
      return undefined;
  }
}

type Change = AddressChange | RoutingChange;

function changeWords(change: Change): string {
  if ('address' in change) return `${change.op} ${formatPrefix(change.address.address)}`;
  return 'rule' in change
    ? `${change.op} ${describeRule(change.rule)}`
    : `${change.op} ${describeRoute(change.route)}`;
}

const addressWords = ({ address, dev }: HeldAddress): string => `${formatPrefix(address)} on ${dev}`;

function resultWords(results: readonly ChangeResult[]): string {
  const failed = results.filter(({ errno }) => errno !== 0);
  const why = failed.map(({ errno, text }) => `errno ${errno}${text === undefined ? '' : ` ${text}`}`);
  return [`${results.length - failed.length} of ${results.length} changes done`, ...why].join(', ');
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
