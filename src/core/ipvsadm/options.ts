/** The tables of ipvsadm 1.31's command line: which words exist and which go together. */

export type CommandName =
  | 'add-service'
  | 'edit-service'
  | 'delete-service'
  | 'flush'
  | 'list'
  | 'add-server'
  | 'delete-server'
  | 'edit-server'
  | 'set'
  | 'start-daemon'
  | 'stop-daemon'
  | 'restore'
  | 'save'
  | 'zero';

/** What errors call an option, in the order in which conflicts are looked for. */
export const OPTION_NAMES = [
  'numeric',
  'connection',
  'service-address',
  'scheduler',
  'persistent',
  'netmask',
  'real-server',
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  'mcast-interface',
  'timeout',
  'daemon',
  'stats',
  'rate',
  'thresholds',
  'persistent-conn',
  'nosort',
  'syncid',
  'exact',
  'ops',
  'pe',
  'sched-flags',
  'mcast-group',
  'mcast-port',
  'mcast-ttl',
  'sync-maxlen',
  'tun-info',
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
  'json',
] as const;
export type OptionName = (typeof OPTION_NAMES)[number];

/** What may stand beside a command; everything that is not listed is forbidden. */
export interface Company {
  readonly required?: readonly OptionName[];
  readonly optional?: readonly OptionName[];
  /** At most one of these. */
  readonly exclusive?: readonly OptionName[];
}

const SERVICE_SETTINGS = ['scheduler', 'persistent', 'netmask', 'ops', 'pe', 'sched-flags'] as const;
const TUNNEL_SETTINGS = ['tun-type', 'tun-port', 'tun-nocsum', 'tun-csum', 'tun-remcsum'] as const;
const SERVER_SETTINGS = [
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  ...TUNNEL_SETTINGS,
] as const;
const LIST_MODIFIERS = [
  'numeric',
  'stats',
  'rate',
  'thresholds',
  'persistent-conn',
  'nosort',
  'syncid',
  'exact',
  'tun-info',
  'json',
] as const;
const DAEMON_SETTINGS = [
  'mcast-interface',
  'syncid',
  'mcast-group',
  'mcast-port',
  'mcast-ttl',
  'sync-maxlen',
] as const;

export const COMPANY: Readonly<Record<CommandName, Company>> = {
  'add-service': { required: ['service-address'], optional: SERVICE_SETTINGS },
  'edit-service': { required: ['service-address'], optional: SERVICE_SETTINGS },
  'delete-service': { required: ['service-address'] },
  flush: {},
  list: { optional: LIST_MODIFIERS, exclusive: ['connection', 'service-address', 'timeout', 'daemon'] },
  'add-server': { required: ['service-address', 'real-server'], optional: SERVER_SETTINGS },
  'delete-server': { required: ['service-address', 'real-server'] },
  'edit-server': { required: ['service-address', 'real-server'], optional: SERVER_SETTINGS },
  set: {},
  'start-daemon': { optional: DAEMON_SETTINGS },
  'stop-daemon': { optional: ['syncid'] },
  restore: {},
  save: { optional: ['numeric'] },
  zero: { optional: ['service-address'] },
};

/** The same for the type of a tunnel. */
export const TUNNEL_COMPANY: Readonly<Record<'ipip' | 'gue' | 'gre', Company>> = {
  ipip: { optional: ['tun-type'] },
  gue: {
    required: ['tun-port'],
    optional: ['tun-type'],
    exclusive: ['tun-nocsum', 'tun-csum', 'tun-remcsum'],
  },
  gre: { optional: ['tun-type'], exclusive: ['tun-nocsum', 'tun-csum'] },
};
export const TUNNEL_OPTIONS: readonly OptionName[] = TUNNEL_SETTINGS;

/** One spelling of a word. `key` says what it means; several spellings may share one. */
export interface Spelling {
  readonly key: string;
  readonly long: string;
  readonly short?: string;
  readonly argument: 'none' | 'required' | 'optional';
}

const flag = (long: string, short?: string, key = long): Spelling =>
  short === undefined ? { key, long, argument: 'none' } : { key, long, short, argument: 'none' };
const value = (long: string, short?: string, key = long): Spelling =>
  short === undefined ? { key, long, argument: 'required' } : { key, long, short, argument: 'required' };

export const SPELLINGS: readonly Spelling[] = [
  flag('add-service', 'A'),
  flag('edit-service', 'E'),
  flag('delete-service', 'D'),
  flag('clear', 'C', 'flush'),
  flag('list', 'L'),
  flag('list', 'l'),
  flag('zero', 'Z'),
  flag('add-server', 'a'),
  flag('edit-server', 'e'),
  flag('delete-server', 'd'),
  flag('set'),
  flag('help', 'h'),
  flag('version', 'v'),
  flag('restore', 'R'),
  flag('save', 'S'),
  value('start-daemon'),
  value('stop-daemon'),
  value('tcp-service', 't'),
  value('udp-service', 'u'),
  value('sctp-service'),
  value('fwmark-service', 'f'),
  flag('ipv6', '6'),
  value('scheduler', 's'),
  { key: 'persistent', long: 'persistent', short: 'p', argument: 'optional' },
  value('netmask', 'M'),
  value('pe'),
  flag('ops', 'o'),
  value('sched-flags', 'b'),
  value('real-server', 'r'),
  flag('gatewaying', 'g'),
  flag('ipip', 'i'),
  flag('masquerading', 'm'),
  value('weight', 'w'),
  value('u-threshold', 'x'),
  value('l-threshold', 'y'),
  value('tun-type'),
  value('tun-port'),
  flag('tun-nocsum'),
  flag('tun-csum'),
  flag('tun-remcsum'),
  flag('numeric', 'n'),
  flag('connection', 'c'),
  flag('timeout'),
  flag('daemon'),
  flag('stats'),
  flag('rate'),
  flag('thresholds'),
  flag('persistent-conn'),
  flag('tun-info'),
  flag('nosort'),
  flag('sort'),
  flag('exact', 'X'),
  flag('json'),
  value('mcast-interface'),
  value('mcast-group'),
  value('mcast-port'),
  value('mcast-ttl'),
  value('syncid'),
  value('sync-maxlen'),
];
