import { type Prefix, parsePrefix } from '../../ip.ts';
import * as arg from '../arguments.ts';
import type { Argument, Words } from '../schema.ts';
import { idNumber } from './encap.ts';

/** The line of `virtual_rules` and `static_rules`: iproute2's words (keepalived: vrrp/vrrp_iprule.c). */

const U32 = 4_294_967_295;
const number = arg.integer('N', 0, U32);
const named = arg.text('N|NAME', 63);

/** `PREFIX`, or `all` and its kin for every address. */
const anyPrefix: Argument<Prefix | 'all'> = {
  syntax: 'PREFIX|all',
  expects: 'a prefix such as 192.0.2.0/24, or all',
  choices: ['all', 'any', 'default'],
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault(`needs ${this.syntax}`);
    if (this.choices?.includes(word.text)) return 'all';
    return parsePrefix(word.text) ?? words.fault(`expected ${this.expects}, found '${word.text}'`, word);
  },
};

const ports = arg.matching('PORT|FIRST-LAST', 'a port, or two with a hyphen', /^\d{1,5}(-\d{1,5})?$/);

const OPTIONS = {
  inet: arg.present,
  inet6: arg.present,
  not: arg.present,
  from: anyPrefix,
  to: anyPrefix,
  table: named,
  lookup: named,
  preference: number,
  order: number,
  priority: number,
  tos: named,
  dsfield: named,
  fwmark: arg.matching(
    'MARK[/MASK]',
    'a mark, and a mask after a slash',
    /^(0x)?[0-9a-f]+(\/(0x)?[0-9a-f]+)?$/i,
  ),
  realms: arg.text('[FROM/]TO', 63),
  suppress_prefixlength: arg.integer('N', 0, 128),
  sup_pl: arg.integer('N', 0, 128),
  suppress_ifgroup: named,
  sup_group: named,
  dev: arg.interfaceName,
  iif: arg.interfaceName,
  oif: arg.interfaceName,
  'tunnel-id': idNumber,
  uidrange: arg.matching('FIRST-LAST', 'two user ids with a hyphen', /^\d{1,10}-\d{1,10}$/),
  l3mdev: arg.present,
  protocol: named,
  ipproto: named,
  sport: ports,
  dport: ports,
  goto: number,
  type: arg.choice('nop', 'blackhole', 'unreachable', 'prohibit'),
  nop: arg.present,
  blackhole: arg.present,
  unreachable: arg.present,
  prohibit: arg.present,
  no_track: arg.present,
  track_group: arg.text('NAME'),
} as const;
const ACTIONS = [
  'table',
  'lookup',
  'goto',
  'nop',
  'blackhole',
  'unreachable',
  'prohibit',
  'type',
  'l3mdev',
] as const;

/** A rule as it was written. */
export type RuleLine = arg.Options<typeof OPTIONS>;

const options = arg.options(OPTIONS);

/** Options in any order, of which one is the action. A single port is one, though keepalived refuses it. */
export const ruleLine: Argument<RuleLine> = {
  ...options,
  syntax: '[not] [from PREFIX] [to PREFIX] [priority N] [fwmark MARK] ... table N',
  read(words: Words) {
    const rule = options.read(words);
    if (rule === undefined || words.failed) return undefined;
    const actions = ACTIONS.filter((action) => rule[action] !== undefined);
    if (actions.length === 0) return words.fault('a rule needs an action', words.last, 'write table N');
    if (actions.length > 1)
      return words.fault(`a rule has one action, not ${actions.join(' and ')}`, words.last);
    const numbered = rule.preference ?? rule.order ?? rule.priority;
    if (numbered === undefined) {
      words.doubt('a rule without a priority gets one from 16384 downward', words.last, 'write priority N');
    }
    return rule;
  },
};
