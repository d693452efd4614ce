import { formatPrefix } from '../../ip.ts';
import type { Encapsulation } from '../../netlink/encap.ts';
import type { RouteMetrics } from '../../netlink/metrics.ts';
import { ROUTE_TYPE, TABLE } from '../../netlink/route.ts';
import type { Range, Rule } from '../../netlink/rule.ts';
import type {
  HopSettings,
  Keeping,
  MasterRouting,
  RouteSettings,
  RuleSettings,
  StaticSettings,
} from '../../reconcile/settings.ts';
import { section, sectionIfAny, setting, when, word } from './text.ts';
import { addressText } from './vrrp.ts';

/** Routes, rules and what is static: every number as a number. */

/** The blocks outside of instances. */
export function staticBlocks({ addresses, routes, rules, groups }: StaticSettings): string[][] {
  return [
    ...groups.map(({ name, members }) =>
      section(`track_group ${word(name)}`, section('group', members.map(word))),
    ),
    sectionIfAny(
      'static_ipaddress',
      addresses.map((address) => [addressText(address), ...groupWords(address)].join(' ')),
    ),
    sectionIfAny('static_routes', routes.map(routeText)),
    sectionIfAny('static_rules', rules.map(ruleText)),
  ].filter((lines) => lines.length > 0);
}

/** What an instance's block has of them. */
export const masterLines = (routing: MasterRouting | undefined): string[] => [
  ...sectionIfAny('virtual_routes', (routing?.routes ?? []).map(routeText)),
  ...sectionIfAny('virtual_rules', (routing?.rules ?? []).map(ruleText)),
];

const groupWords = ({ group }: Pick<Keeping, 'group'>): string[] =>
  setting('track_group', group && word(group));
const keepingWords = ({ tracked, group }: Keeping): string[] => [
  ...when(!tracked, 'no_track'),
  ...groupWords({ ...(group !== undefined && { group }) }),
];

const TYPES = new Map<number, string>(Object.entries(ROUTE_TYPE).map(([name, number]) => [number, name]));

function routeText(route: RouteSettings): string {
  const type = TYPES.get(route.type) ?? String(route.type);
  return [
    ...when(type !== 'unicast', type),
    formatPrefix(route.destination),
    ...setting('from', route.from && formatPrefix(route.from)),
    ...setting('tos', route.tos),
    ...setting('src', route.source),
    ...when(route.table !== TABLE.main, `table ${route.table}`),
    ...setting('vrf', route.vrf && word(route.vrf)),
    `protocol ${route.protocol}`,
    `scope ${route.scope}`,
    ...setting('metric', route.metric),
    ...metricWords(route.metrics ?? {}),
    ...setting('expires', route.expires),
    ...setting('pref', route.preference),
    ...setting('ttl-propagate', switched(route.ttlPropagate)),
    ...when(route.insertion === 'exclusive', 'add'),
    ...when(route.insertion === 'append', 'append'),
    ...keepingWords(route),
    // Last: an encapsulation takes each word that it knows, and it knows src.
    ...hopWords(route),
    ...(route.hops ?? []).flatMap((hop) => ['nexthop', ...hopWords(hop)]),
  ].join(' ');
}

const switched = (on: boolean | undefined): string | undefined =>
  on === undefined ? undefined : on ? 'enabled' : 'disabled';

/** `realms` as `FROM/TO`. */
const realmsText = (realms: number | undefined): string | undefined =>
  realms === undefined ? undefined : `${Math.floor(realms / 0x10000)}/${realms % 0x10000}`;

const hopWords = (hop: HopSettings): string[] => [
  ...setting('via', hop.via),
  ...setting('dev', hop.dev && word(hop.dev)),
  ...setting('weight', hop.weight),
  ...when(hop.onLink === true, 'onlink'),
  ...setting('realms', realmsText(hop.realms)),
  ...(hop.encapsulation === undefined ? [] : encapsulationWords(hop.encapsulation)),
];

function encapsulationWords(encapsulation: Encapsulation): string[] {
  const start = `encap ${encapsulation.kind}`;
  if (encapsulation.kind === 'mpls') return [start, encapsulation.labels.join('/')];
  if (encapsulation.kind === 'ila') return [start, encapsulation.locator.replace(/(.{4})(?=.)/g, '$1:')];
  const isIp = encapsulation.kind === 'ip';
  return [
    start,
    ...setting('id', encapsulation.id && `0x${encapsulation.id}`),
    ...setting('dst', encapsulation.destination),
    ...setting('src', encapsulation.source),
    ...setting(isIp ? 'tos' : 'tc', encapsulation.tos),
    ...setting(isIp ? 'ttl' : 'hoplimit', encapsulation.ttl),
    ...setting('flags', encapsulation.flags),
  ];
}

/** The words of the language for the kernel's metrics. */
const METRIC_WORDS = {
  mtu: 'mtu',
  window: 'window',
  rtt: 'rtt',
  rttvar: 'rttvar',
  ssthresh: 'ssthresh',
  cwnd: 'cwnd',
  advmss: 'advmss',
  reordering: 'reordering',
  hoplimit: 'hoplimit',
  initcwnd: 'initcwnd',
  rtoMin: 'rto_min',
  initrwnd: 'initrwnd',
  quickack: 'quickack',
  fastopenNoCookie: 'fastopen_no_cookie',
} as const;

function metricWords(metrics: RouteMetrics): string[] {
  const { locked = [], congestion, features } = metrics;
  const lock = (name: (typeof locked)[number]): string => (locked.includes(name) ? 'lock ' : '');
  const names = Object.keys(METRIC_WORDS) as (keyof typeof METRIC_WORDS)[];
  return [
    ...names.flatMap((name) => {
      const value = metrics[name];
      return value === undefined ? [] : [`${METRIC_WORDS[name]} ${lock(name)}${value}`];
    }),
    ...when(features !== undefined, 'features ecn'),
    ...setting('congctl', congestion && `${lock('congestion')}${word(congestion)}`),
  ];
}

const rangeText = (range: Range | undefined): string | undefined => range?.join('-');

function ruleText({ rule, ...keeping }: RuleSettings): string {
  return [
    rule.family === 6 ? 'inet6' : 'inet',
    ...when(rule.invert === true, 'not'),
    ...setting('from', rule.from && formatPrefix(rule.from)),
    ...setting('to', rule.to && formatPrefix(rule.to)),
    ...setting('tos', rule.tos),
    ...setting('iif', rule.iif && word(rule.iif)),
    ...setting('oif', rule.oif && word(rule.oif)),
    ...setting('fwmark', markText(rule)),
    ...setting('realms', realmsText(rule.realms)),
    ...setting('tunnel-id', rule.tunnelId && `0x${rule.tunnelId}`),
    ...setting('uidrange', rangeText(rule.uids)),
    ...setting('ipproto', rule.ipProtocol),
    ...setting('sport', rangeText(rule.sourcePorts)),
    ...setting('dport', rangeText(rule.destinationPorts)),
    ...setting('priority', rule.priority),
    ...setting('suppress_prefixlength', rule.suppressLength),
    ...setting('suppress_ifgroup', rule.suppressGroup),
    ...setting('protocol', rule.protocol),
    ...keepingWords(keeping),
    ...actionWords(rule),
  ].join(' ');
}

const markText = ({ fwmark, fwmask }: Rule): string | undefined =>
  fwmark === undefined ? undefined : [fwmark, ...(fwmask === undefined ? [] : [fwmask])].join('/');

function actionWords({ action, table, l3mdev, goto }: Rule): string[] {
  if (action === 'goto') return [`goto ${goto}`];
  if (action !== undefined) return [action];
  return l3mdev ? ['l3mdev'] : [`table ${table}`];
}
