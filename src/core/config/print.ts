import type { Destination, Service } from '../balance/model.ts';
import type { CheckSettings } from '../check/settings.ts';
import { type Family, familyBits, familyOf, formatPrefix, ipFromBytes } from '../ip.ts';
import type { SyncDaemonSettings } from '../sync/settings.ts';
import type { Duration } from '../time.ts';
import type { VirtualAddress, VrrpSettings } from '../vrrp/settings.ts';
import type { Configuration, GlobalSettings, RealServerSettings, VirtualServerSettings } from './model.ts';

/**
 * A configuration as text in one canonical form: every setting written out, nothing inherited, defaults
 * included. Loading the text gives the same configuration.
 */
export function print(configuration: Configuration): string {
  const { global, instances, virtualServers, syncDaemon } = configuration;
  const blocks = [
    section('global_defs', globalLines(global, syncDaemon)),
    ...instances.map((instance) => section(`vrrp_instance ${word(instance.name)}`, instanceLines(instance))),
    ...virtualServers.map((server) => section(serviceHeader(server.service), serverLines(server))),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** A block: its header, its lines indented, its closing brace. */
const section = (header: string, lines: readonly string[]): string[] => [
  `${header} {`,
  ...lines.map((line) => `    ${line}`),
  '}',
];

/** A block, or nothing when it would be empty. */
const sectionIfAny = (header: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : section(header, lines);

/** Quoted where a bare word would be cut or split. */
const word = (text: string): string => (/[\s{}#!\\]/.test(text) ? `"${text}"` : text);
const onOff = (value: boolean): string => (value ? 'on' : 'off');
const when = (condition: boolean, line: string): string[] => (condition ? [line] : []);
const setting = (keyword: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [`${keyword} ${value}`];

/** Decimal seconds without needless zeros. */
const secondsText = (duration: Duration): string => {
  const fraction = String(duration % 1e6)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${Math.floor(duration / 1e6)}${fraction === '' ? '' : `.${fraction}`}`;
};

function globalLines(global: GlobalSettings, sync: SyncDaemonSettings | undefined): string[] {
  return [
    ...setting('router_id', global.routerId === undefined ? undefined : word(global.routerId)),
    `vrrp_rt_priority ${global.realTimePriority}`,
    ...when(global.flush, 'lvs_flush'),
    ...when(global.flushOnStop, 'lvs_flush_on_stop'),
    ...(sync === undefined ? [] : [syncLine(sync)]),
  ];
}

function syncLine(sync: SyncDaemonSettings): string {
  return [
    `lvs_sync_daemon ${word(sync.interface)}`,
    ...setting('inst', sync.instance === undefined ? undefined : word(sync.instance)),
    `id ${sync.id}`,
    ...setting('maxlen', sync.maxlen),
    ...setting('port', sync.port),
    ...setting('ttl', sync.ttl),
    ...setting('group', sync.group),
  ].join(' ');
}

function instanceLines(instance: VrrpSettings): string[] {
  const { addresses, excluded, family, announce, password } = instance;
  return [
    `state ${instance.initial}`,
    `interface ${word(instance.interface)}`,
    `virtual_router_id ${instance.vrid}`,
    `priority ${instance.priority}`,
    `version ${instance.version}`,
    `advert_int ${secondsText(instance.advertInterval)}`,
    instance.preempt ? 'preempt' : 'nopreempt',
    ...setting('mcast_src_ip', instance.source),
    `v3_checksum_as_v2 ${onOff(instance.plainChecksum)}`,
    `down_timer_adverts ${instance.downAdverts}`,
    `lower_prio_no_advert ${onOff(instance.quietToLower)}`,
    `garp_master_repeat ${announce.repeat}`,
    `garp_master_delay ${secondsText(announce.delay)}`,
    `garp_master_refresh ${secondsText(announce.refresh)}`,
    `garp_master_refresh_repeat ${announce.refreshRepeat}`,
    `vip_lease ${instance.lease === 0 ? 'off' : secondsText(instance.lease)}`,
    ...(password === undefined
      ? []
      : section('authentication', ['auth_type PASS', `auth_pass ${word(password)}`])),
    ...when(addresses.length === 0, 'no_virtual_ipaddress'),
    ...when(addresses.length === 0 && family === 6, 'native_ipv6'),
    ...sectionIfAny('virtual_ipaddress', addresses.map(addressText)),
    ...sectionIfAny('virtual_ipaddress_excluded', excluded.map(addressText)),
  ];
}

function addressText({ address, dev, label, broadcast, scope }: VirtualAddress): string {
  return [
    formatPrefix(address),
    ...setting('dev', dev === undefined ? undefined : word(dev)),
    ...setting('label', label === undefined ? undefined : word(label)),
    ...setting('broadcast', broadcast),
    ...when(scope !== 0, `scope ${scope}`),
  ].join(' ');
}

function serviceHeader({ key }: Service): string {
  return key.kind === 'fwmark'
    ? `virtual_server fwmark ${key.mark} ${key.family === 6 ? 'inet6' : 'inet'}`
    : `virtual_server ${key.address} ${key.port}`;
}

/** The flags that a service may have, by bit (IP_VS_SVC_F_*). */
const FLAGS = [
  [4, 'ops'],
  [8, 'flag-1'],
  [16, 'flag-2'],
  [32, 'flag-3'],
] as const;

function serverLines({ service, realServers, sorry, quorum, hysteresis }: VirtualServerSettings): string[] {
  const { key, scheduler, flags, persistence, granularity, engine } = service;
  const family = key.kind === 'fwmark' ? key.family : familyOf(key.address);
  const method = (realServers[0]?.destination ?? sorry)?.method ?? 'nat';
  return [
    ...setting('protocol', key.kind === 'address' ? key.protocol.toUpperCase() : undefined),
    `lb_algo ${scheduler}`,
    ...FLAGS.flatMap(([bit, name]) => when((flags & bit) !== 0, name)),
    `lb_kind ${method.toUpperCase()}`,
    ...when(persistence > 0, `persistence_timeout ${persistence}`),
    ...when(persistence > 0, `persistence_granularity ${granularityText(granularity, family)}`),
    ...setting('persistence_engine', engine),
    `quorum ${quorum}`,
    `hysteresis ${hysteresis}`,
    ...(sorry === undefined ? [] : sorryLines(sorry)),
    ...realServers.flatMap(realServerLines),
  ];
}

/** A netmask for IPv4, a length for IPv6. */
function granularityText(length: number, family: Family): string {
  if (family === 6) return String(length);
  const mask = 2 ** 32 - 2 ** (familyBits(4) - length);
  return ipFromBytes(Uint8Array.of(mask / 2 ** 24, mask / 2 ** 16, mask / 2 ** 8, mask));
}

const endpoint = ({ address, port }: Destination): string => (port === 0 ? address : `${address} ${port}`);

const sorryLines = (sorry: Destination): string[] => [
  `sorry_server ${endpoint(sorry)}`,
  `sorry_server_lvs_method ${sorry.method.toUpperCase()}`,
];

function realServerLines({ destination, inhibit, checks }: RealServerSettings): string[] {
  const { method, weight, upper, lower } = destination;
  return section(`real_server ${endpoint(destination)}`, [
    `weight ${weight}`,
    `lvs_method ${method.toUpperCase()}`,
    `uthreshold ${upper}`,
    `lthreshold ${lower}`,
    `inhibit_on_failure ${onOff(inhibit)}`,
    ...checks.flatMap(checkLines),
  ]);
}

function checkLines(check: CheckSettings): string[] {
  return section('TCP_CHECK', [
    `connect_ip ${check.address}`,
    `connect_port ${check.port}`,
    `connect_timeout ${secondsText(check.timeout)}`,
    ...setting('bindto', check.source),
    ...setting('bind_port', check.sourcePort),
    `delay_loop ${secondsText(check.period)}`,
    `warmup ${secondsText(check.warmup)}`,
    `retry ${check.retries}`,
    `delay_before_retry ${secondsText(check.retryDelay)}`,
    `alpha ${onOff(check.alpha)}`,
  ]);
}
