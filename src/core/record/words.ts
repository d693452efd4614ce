import { describeOperation } from '../balance/plan.ts';
import type { BfdEffect, BfdEvent } from '../bfd/events.ts';
import { inWords } from '../check/verdict.ts';
import { counted } from '../counted.ts';
import type { DirectorEffect, DirectorEvent } from '../director/events.ts';
import type { ClaimsEffect, ClaimsEvent } from '../fence/claims.ts';
import { formatPrefix, type Ip } from '../ip.ts';
import type { RouteEvent } from '../netlink/events.ts';
import { describeRoute } from '../netlink/route.ts';
import { describeRule } from '../netlink/rule.ts';
import type { ChangeResult } from '../reconcile/changes.ts';
import type { AddressChange, HeldAddress } from '../reconcile/events.ts';
import type { RoutingChange } from '../reconcile/routing-events.ts';
import type { BalancerEffect, BalancerEvent } from '../serving/balancer.ts';
import type { VrrpEffect, VrrpEvent } from '../vrrp/events.ts';
import type { GroupEffect, GroupEvent } from '../vrrp/group.ts';
import { votesEffectWords, votesEventWords } from './vote-words.ts';

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
    if (told.type === 'configure') return counted(told.virtualServers.length, 'virtual server');
    if (told.type === 'table') return `the kernel has ${counted(told.reading.services.length, 'service')}`;
    if (told.type === 'applied') return `applied, ${counted(told.failures.length, 'failure')}`;
  }
  if (kind === 'group') {
    const told = event as GroupEvent;
    if (told.type === 'members') return `members: ${told.members.join(', ')}`;
  }
  if (kind === 'director') return directorEventWords(event as DirectorEvent);
  if (kind === 'votes') return votesEventWords(event as ClaimsEvent) ?? shortly(event);
  if (kind === 'bfd') {
    const told = event as BfdEvent;
    if (told.type === 'packet') return `the neighbour says ${told.packet.state} (${told.packet.diagnostic})`;
  }
  return kernelWords(kind, event) ?? shortly(event);
}

function directorEventWords(event: DirectorEvent): string {
  switch (event.type) {
    case 'packet':
      return `${event.home}, VRID ${event.vrid}: ${advert('advert from', event)}`;
    case 'configure':
      return [
        counted(event.settings.instances.length, 'virtual router'),
        counted(event.settings.groups.length, 'group'),
      ].join(', ');
    case 'read':
      return [
        `all of the kernel's ${counted(event.links.length, 'interface')}`,
        counted(event.addresses.length, 'address', 'addresses'),
      ].join(' and ');
    case 'news':
      return `${event.events.length} news of the kernel: ${event.events.slice(0, FEW).map(newsWords).join('; ')}`;
    case 'addresses':
    case 'routing':
      return resultWords(event.results);
    case 'track':
      return event.events.map(shortly).join('; ');
    case 'sent':
    case 'unsent':
      return `${event.router}: ${event.type === 'sent' ? 'sent' : `not sent (${event.code})`}`;
    default:
      return shortly(event);
  }
}

/** How many of a list are told. */
const FEW = 5;

function newsWords(event: RouteEvent): string {
  if (event.type === 'link') return `${event.link.name} ${event.present ? 'changed' : 'gone'}`;
  if (event.type === 'address')
    return `${formatPrefix(event.address.address)} ${event.present ? 'there' : 'gone'}`;
  return event.type;
}

function directorEffectWords(effect: DirectorEffect): string {
  switch (effect.type) {
    case 'send':
      return `${effect.router}: ${advert('advert sent from', effect)}`;
    case 'log':
      return effect.message;
    case 'refused':
      return `refused: ${effect.what}, errno ${effect.errno}${effect.text === undefined ? '' : ` ${effect.text}`}`;
    case 'happened':
      return `tells: ${effect.happening.of} ${effect.happening.name} ${effect.happening.what}`;
    case 'addresses':
    case 'routing':
      return `asks the kernel: ${effect.changes.map(changeWords).join('; ')}`;
    case 'leases':
      return `leases: ${effect.steps.map(({ op }) => op).join(', ')}`;
    case 'ports':
      return `sockets: ${effect.ports.map(({ name, family }) => `${name} IPv${family}`).join(', ')}`;
    case 'frames':
      return `announces ${effect.addresses.join(' ')} on ${effect.dev}`;
    default:
      return shortly(effect);
  }
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
  if (kind === 'director') return directorEffectWords(effect as DirectorEffect);
  if (kind === 'votes') return votesEffectWords(effect as ClaimsEffect) ?? shortly(effect);
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
      return counted((told.links as readonly unknown[]).length, 'interface');
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
  return [`${results.length - failed.length} of ${counted(results.length, 'change')} done`, ...why].join(
    ', ',
  );
}

/** Whether an effect belongs into a summary: it is no everyday one. */
export const isNews = (effect: unknown): boolean =>
  NEWS.includes((effect as Typed).type) && (effect as { readonly level?: string }).level !== 'debug';
const NEWS = [
  ...['transition', 'became', 'happening', 'priority', 'stalled', 'log', 'refused', 'want', 'let-go'],
  ...['fence', 'alarm'],
];

const SHORT = 60;

function shortly(value: unknown): string {
  const { type, ...rest } = value as Typed & Readonly<Record<string, unknown>>;
  const words = Object.entries(rest).flatMap(([name, each]) => {
    const text = typeof each === 'string' ? each : JSON.stringify(each);
    return text === undefined || text.length > SHORT ? [] : [`${name} ${text}`];
  });
  return [type, ...words].join(', ');
}
