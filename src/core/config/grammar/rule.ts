import { type Prefix, parsePrefix } from '../../ip.ts';
import * as arg from '../arguments.ts';
import type { Argument, Words } from '../schema.ts';

/** The line of `virtual_rules` and `static_rules`: iproute2's words (keepalived: vrrp/vrrp_iprule.c). */

const U32 = 4_294_967_295;
const number = arg.integer('N', 0, U32);
const named = arg.text('N|NAME', 63);

/** What a word must match, as one argument. */
const matching = (syntax: string, expects: string, pattern: RegExp): Argument<string> => ({
  syntax,
  expects,
  read(words) {
    const word = words.take();
    if (word === undefined) return words.fault(`needs ${syntax}: ${expects}`);
    const good = pattern.test(word.text);
    return good ? word.text : words.fault(`expected ${expects}, found '${word.text}'`, word);
  },
});

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

const ports = matching('PORT|FIRST-LAST', 'a port, or two with a hyphen', /^\d{1,5}(-\d{1,5})?$/);

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
  fwmark: matching('MARK[/MASK]', 'a mark, and a mask after a slash', /^(0x)?[0-9a-f]+(\/(0x)?[0-9a-f]+)?$/i),
  realms: arg.text('[FROM/]TO', 63),
  suppress_prefixlength: arg.integer('N', 0, 128),
  sup_pl: arg.integer('N', 0, 128),
  suppress_ifgroup: named,
  sup_group: named,
  dev: arg.interfaceName,
  iif: arg.interfaceName,
  oif: arg.interfaceName,
  'tunnel-id': matching('N', 'a whole number', /^\d{1,20}$/),
  uidrange: matching('FIRST-LAST', 'two user ids with a hyphen', /^\d{1,10}-\d{1,10}$/),
  l3mdev: arg.present,
  protocol: named,
  ipproto: named,
  sport: ports,
  dport: ports,
  goto: number,
  nop: arg.present,
  blackhole: arg.present,
  unreachable: arg.present,
  prohibit: arg.present,
  no_track: arg.present,
  track_group: arg.text('NAME'),
} as const;
const ACTIONS = ['table', 'lookup', 'goto', 'nop', 'blackhole', 'unreachable', 'prohibit', 'l3mdev'] as const;

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
    if (!ACTIONS.some((action) => rule[action] !== undefined))
      return words.fault('a rule needs an action', words.last, 'write table N');
    const numbered = rule.preference ?? rule.order ?? rule.priority;
    if (numbered === undefined) {
      words.doubt('a rule without a priority gets one from 16384 downward', words.last, 'write priority N');
    }
    return rule;
  },
};
