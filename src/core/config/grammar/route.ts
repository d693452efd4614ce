import {
  type Family,
  familyOf,
  formatPrefix,
  type Ip,
  networkOf,
  type Prefix,
  parsePrefix,
} from '../../ip.ts';
import * as arg from '../arguments.ts';
import type { Token } from '../lex.ts';
import type { Argument, Words } from '../schema.ts';
import { encapsulation } from './encap.ts';

/** The line of `virtual_routes` and `static_routes`: iproute2's words (keepalived: vrrp/vrrp_iproute.c). */

const U32 = 4_294_967_295;
const number = arg.integer('N', 0, U32);
const named = arg.text('N|NAME', 63);
const oneBit = arg.integer('0|1', 0, 1);

/** A metric, and whether the kernel may change it. */
export interface Lockable<T> {
  readonly value: T;
  readonly locked: boolean;
}
/** `[lock] N` of a metric. */
const lockable = <T>(argument: Argument<T>): Argument<Lockable<T>> => ({
  ...argument,
  syntax: `[lock] ${argument.syntax}`,
  read(words) {
    const locked = words.peek()?.text === 'lock';
    if (locked) words.take();
    const value = argument.read(words);
    return value === undefined ? undefined : { value, locked };
  },
});
const metric = lockable(number);
/** A time that TCP measures: a bare number is in the kernel's own unit. */
const time = lockable(
  arg.matching(
    'N[s|ms]',
    'a number, of seconds or milliseconds where s or ms follows',
    /^\d{1,9}(\.\d{1,6})?(m?s)?$/,
  ),
);

/** `[WORD] ADDR`, as `via inet6 ADDR` and `as to ADDR` have it. */
const addressAfter = (...prefixes: readonly string[]): Argument<Ip> => ({
  ...arg.address,
  syntax: `[${prefixes.join('|')}] ADDR`,
  read(words) {
    if (prefixes.includes(words.peek()?.text ?? '')) words.take();
    return arg.address.read(words);
  },
});
const gateway = addressAfter('inet', 'inet6');

const HOP = {
  via: gateway,
  gw: gateway,
  dev: arg.interfaceName,
  oif: arg.interfaceName,
  weight: arg.integer('N', 1, 256),
  onlink: arg.present,
  encap: encapsulation,
  realms: arg.text('[FROM/]TO', 63),
} as const;

const OPTIONS = {
  via: gateway,
  gw: gateway,
  dev: arg.interfaceName,
  oif: arg.interfaceName,
  onlink: arg.present,
  encap: encapsulation,
  realms: arg.text('[FROM/]TO', 63),
  inet: arg.present,
  inet6: arg.present,
  src: arg.address,
  as: addressAfter('to'),
  from: arg.prefix,
  tos: named,
  dsfield: named,
  table: named,
  protocol: named,
  scope: named,
  metric: number,
  priority: number,
  preference: number,
  expires: number,
  mtu: metric,
  advmss: metric,
  rtt: time,
  rttvar: time,
  reordering: metric,
  window: metric,
  cwnd: metric,
  ssthresh: metric,
  rto_min: time,
  hoplimit: arg.integer('N', 0, 255),
  initcwnd: number,
  initrwnd: number,
  features: arg.choice('ecn'),
  quickack: oneBit,
  fastopen_no_cookie: oneBit,
  congctl: lockable(arg.text('NAME', 15)),
  pref: arg.integerOr('N', 0, 3, ['low', 'medium', 'high']),
  'ttl-propagate': arg.choice('enabled', 'disabled'),
  add: arg.present,
  prepend: arg.present,
  append: arg.present,
  vrf: arg.interfaceName,
  no_track: arg.present,
  track_group: arg.text('NAME'),
} as const;

const TYPES = [
  ...['unicast', 'local', 'broadcast', 'multicast', 'throw', 'unreachable', 'prohibit', 'blackhole'],
  ...['nat', 'anycast', 'xresolve'],
];
const ANYWHERE = ['default', 'any', 'all', 'default6'];
/** What to write instead of the old words. */
const OLD = { gw: 'via', or: 'nexthop', default6: 'inet6 default' } as const;

/** One hop of a route with several. */
export type RouteHop = arg.Options<typeof HOP>;
/** A route as it was written. */
export interface RouteLine {
  /** Absent for `default`. */
  readonly destination?: Prefix;
  readonly family: Family;
  readonly type?: string;
  readonly options: arg.Options<typeof OPTIONS>;
  readonly hops: readonly RouteHop[];
}

interface Draft {
  destination?: Prefix | 'default';
  family?: Family;
  type?: string;
  readonly options: Record<string, unknown>;
  readonly hops: Record<string, unknown>[];
}

/** `[TYPE] [to] DEST`, options in any order, `nexthop` with options of its own. */
export const routeLine: Argument<RouteLine> = {
  syntax: '[TYPE] [to] PREFIX|default [via ADDR] [dev IF] [src ADDR] [table N] ... [nexthop ...]',
  expects: 'a route as iproute2 writes it',
  choices: [...TYPES, ...Object.keys(OPTIONS), 'to', 'nexthop', ...ANYWHERE],
  read(words) {
    const draft: Draft = { options: {}, hops: [] };
    while (words.peek() !== undefined && !words.failed) readWord(words, draft, this);
    if (words.failed) return undefined;
    if (draft.destination === undefined) {
      return words.fault('a route needs a destination', words.last, 'write a prefix, or default');
    }
    const { destination, type, options, hops } = draft;
    const family =
      draft.family ?? (destination === 'default' ? familyOfHops(draft) : familyOf(destination.ip));
    return {
      ...(destination === 'default' ? {} : { destination }),
      family,
      ...(type === undefined ? {} : { type }),
      options: options as RouteLine['options'],
      hops: hops as RouteHop[],
    };
  },
};

function readWord(words: Words, draft: Draft, route: Argument<unknown>): void {
  const word = words.take();
  if (word === undefined) return;
  const { text } = word;
  if (text in OLD) words.doubt(`${text} is an old word`, word, `write ${OLD[text as keyof typeof OLD]}`);
  const hop = draft.hops.at(-1);
  if (text === 'nexthop') draft.hops.push({});
  else if (text === 'or') readAlternative(words, draft);
  else if (hop !== undefined && Object.hasOwn(HOP, text))
    hop[text] = HOP[text as keyof typeof HOP].read(words);
  else if (Object.hasOwn(OPTIONS, text)) {
    draft.options[text] = OPTIONS[text as keyof typeof OPTIONS].read(words);
    if (text === 'inet' || text === 'inet6') draft.family = text === 'inet' ? 4 : 6;
  } else if (TYPES.includes(text) && draft.type === undefined) draft.type = text;
  else if (text === 'to') return;
  else if (draft.destination !== undefined) words.fault(`'${text}' is no option of a route`, word);
  else if (ANYWHERE.includes(text)) {
    draft.destination = 'default';
    if (text === 'default6') draft.family = 6;
  } else {
    const prefix = parsePrefix(text);
    if (prefix === undefined) words.fault(`expected ${route.expects}, found '${text}'`, word);
    else draft.destination = networkIn(words, word, prefix);
  }
}

/** Host bits: the kernel refuses such a route of IPv4 (keepalived logs it and goes on), and clears them for IPv6. */
function networkIn(words: Words, word: Token, prefix: Prefix): Prefix {
  const network = networkOf(prefix);
  if (network.ip === prefix.ip) return prefix;
  const message = `${formatPrefix(prefix)} is an address with its prefix length: a route leads to a network`;
  const hint = `write ${formatPrefix(network)}, or ${prefix.ip} for the one host`;
  if (familyOf(prefix.ip) === 4) words.fault(message, word, hint);
  else words.doubt(message, word, hint);
  return network;
}

/** `via A or [via] B`: the old way to write two hops. */
function readAlternative(words: Words, draft: Draft): void {
  if (words.peek()?.text === 'via' || words.peek()?.text === 'gw') words.take();
  const { via, gw, ...rest } = draft.options;
  if (draft.hops.length === 0) draft.hops.push({ via: via ?? gw });
  for (const key of Object.keys(draft.options)) if (!Object.hasOwn(rest, key)) delete draft.options[key];
  draft.hops.push({ via: gateway.read(words) });
}

/** A default route is of the family of its other addresses. */
const familyOfHops = ({ options, hops }: Draft): Family => {
  const from = options.from as Prefix | undefined;
  const addresses = [from?.ip, options.src, ...[options, ...hops].map((hop) => hop.via ?? hop.gw)];
  const first = addresses.find((address) => address !== undefined);
  return first === undefined ? 4 : familyOf(first as Ip);
};
