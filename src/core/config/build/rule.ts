import { type Family, familyBits, familyOf, type Prefix } from '../../ip.ts';
import type { Range, Rule, RuleAction } from '../../netlink/rule.ts';
import type { RuleSettings } from '../../reconcile/settings.ts';
import { hex64 } from '../grammar/encap.ts';
import type { root } from '../grammar/root.ts';
import type { RuleLine } from '../grammar/rule.ts';
import type { Token } from '../lex.ts';
import type { Item, Section } from '../tree.ts';
import type { Context } from './context.ts';
import { given, keepingOf, type Lines, originOf } from './route.ts';

/** Rules without a priority get one from here downward, in the order of the file, as in keepalived. */
const FIRST_PRIORITY = 16_384;
const ACTIONS = ['nop', 'blackhole', 'unreachable', 'prohibit'] as const;

/** The priorities of the lines that have none, by their places. */
export function assignedPriorities(file: Section<typeof root>, { order }: Context): Map<Token, number> {
  const blocks = [
    ...file.all('static_rules').map(({ keyword, items }) => ({ keyword, items })),
    ...file
      .all('vrrp_instance')
      .map(({ keyword, section }) => ({ keyword, items: section.items('virtual_rules') })),
  ].sort((a, b) => (order.get(a.keyword) ?? 0) - (order.get(b.keyword) ?? 0));
  const next: { [F in Family]: number } = { 4: FIRST_PRIORITY, 6: FIRST_PRIORITY };
  const assigned = new Map<Token, number>();
  for (const { value, at } of blocks.flatMap(({ items }) => items)) {
    if (priorityOf(value) === undefined) assigned.set(at, next[familyOfRule(value)]--);
  }
  return assigned;
}

const priorityOf = ({ preference, order, priority }: RuleLine): number | undefined =>
  preference ?? order ?? priority;
const prefixOf = (written: Prefix | 'all' | undefined): Prefix | undefined =>
  written === 'all' ? undefined : written;

function familyOfRule({ inet6, from, to }: RuleLine): Family {
  const prefix = prefixOf(from) ?? prefixOf(to);
  if (prefix !== undefined) return familyOf(prefix.ip);
  return inet6 ? 6 : 4;
}

/** A rule line as it is kept; `undefined`, reported, when it makes no sense. */
export function ruleSettings(
  { value, at }: Item<RuleLine>,
  lines: Lines,
  priorities: ReadonlyMap<Token, number>,
): RuleSettings | undefined {
  const { numbers } = lines;
  const family = familyOfRule(value);
  const keeping = keepingOf(value, at, lines);
  const [from, to] = [prefixOf(value.from), prefixOf(value.to)];
  const action: RuleAction =
    value.goto === undefined ? (value.type ?? ACTIONS.find((name) => value[name]) ?? 'table') : 'goto';
  const number = <T>(written: string | undefined, read: (text: string) => T | undefined) =>
    written === undefined ? undefined : read(written);
  const table = number(value.table ?? value.lookup, (text) => numbers.number('table', text, at));
  const tos = number(value.tos ?? value.dsfield, (text) => numbers.number('dsfield', text, at));
  const [fwmark, fwmask] = value.fwmark?.split('/').map((part) => Number(part)) ?? [];
  const group = value.suppress_ifgroup ?? value.sup_group;
  const rule: Rule = {
    family,
    ...given('invert', value.not),
    ...(from === undefined || from.length === 0 ? {} : { from }),
    ...(to === undefined || to.length === 0 ? {} : { to }),
    ...(tos === undefined || tos === 0 ? {} : { tos }),
    ...given('iif', value.dev ?? value.iif),
    ...given('oif', value.oif),
    ...given('fwmark', fwmark),
    ...given('fwmask', fwmask),
    ...given(
      'realms',
      number(value.realms, (text) => numbers.realms(text, at)),
    ),
    ...given('tunnelId', number(value['tunnel-id'], hex64)),
    ...given('uids', number(value.uidrange, rangeOf)),
    ...given(
      'ipProtocol',
      number(value.ipproto, (text) => numbers.ipProtocol(text, at)),
    ),
    ...given('sourcePorts', number(value.sport, rangeOf)),
    ...given('destinationPorts', number(value.dport, rangeOf)),
    ...given('priority', priorityOf(value) ?? priorities.get(at)),
    ...(action === 'table' ? {} : { action }),
    table: table ?? 0,
    ...given('l3mdev', value.l3mdev),
    ...given('goto', value.goto),
    ...given('suppressLength', value.suppress_prefixlength ?? value.sup_pl),
    ...given(
      'suppressGroup',
      number(group, (text) => numbers.number('group', text, at)),
    ),
    ...given('protocol', originOf(value.protocol, keeping.tracked, at, lines)),
  };
  return isSound(rule, table, value, at, lines.context) ? { rule, ...keeping } : undefined;
}

/** One number is a range of one: keepalived says that it takes those too, but refuses them. */
function rangeOf(text: string): Range {
  const [first = 0, last = first] = text.split('-').map(Number);
  return [first, last];
}

/** What goes together, as in keepalived. */
function isSound(
  rule: Rule,
  table: number | undefined,
  { from, to, inet, inet6 }: RuleLine,
  at: Token,
  { findings }: Context,
): boolean {
  const { family, action = 'table', priority = 0, goto = 0, suppressLength = 0, realms } = rule;
  const families = [prefixOf(from), prefixOf(to)].flatMap((prefix) => (prefix ? [familyOf(prefix.ip)] : []));
  const wrong = (message: string): boolean => {
    findings.error(at, message);
    return false;
  };
  if (families.some((other) => other !== family) || (inet && family === 6) || (inet6 && family === 4))
    return wrong('a rule is for one family');
  if (table === 0) return wrong('table 0 is not valid');
  if (action === 'goto' && priority >= goto)
    return wrong(`goto leads forward only: ${goto} is not above the priority ${priority}`);
  const suppresses = rule.suppressLength !== undefined || rule.suppressGroup !== undefined;
  if (action !== 'table' && (suppresses || realms !== undefined))
    return wrong('realms and suppressors need a table');
  if (realms !== undefined && family === 6) return wrong('realms are for IPv4 only');
  if (suppressLength > familyBits(family)) return wrong(`no prefix is longer than ${familyBits(family)}`);
  const ranges = [rule.uids, rule.sourcePorts, rule.destinationPorts].filter((range) => range !== undefined);
  if (ranges.some(([first, last]) => first > last)) return wrong('a range goes from the lower to the higher');
  const ports = [...(rule.sourcePorts ?? []), ...(rule.destinationPorts ?? [])];
  if (ports.some((port) => port < 1 || port > 0xffff)) return wrong('a port is from 1 to 65535');
  return true;
}
