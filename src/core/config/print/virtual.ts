import type { Destination, Service } from '../../balance/model.ts';
import type { CheckSettings, TcpCheck } from '../../check/settings.ts';
import { type Family, familyBits, familyOf, ipFromBytes } from '../../ip.ts';
import type { RealServerSettings, VirtualServerSettings } from '../model.ts';
import { onOff, secondsText, section, setting, when, word } from './text.ts';

/** The header of a `virtual_server`. */
export function serviceHeader({ key }: Service): string {
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

/** What stands in its block; `told` are the lines of a real server that say who hears of it. */
export function serverLines(
  { service, realServers, sorry, quorum, hysteresis }: VirtualServerSettings,
  told: (destination: Destination) => readonly string[],
): string[] {
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
    ...realServers.flatMap((server) => realServerLines(server, told(server.destination))),
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

function realServerLines(
  { destination, inhibit, checks }: RealServerSettings,
  told: readonly string[],
): string[] {
  const { method, weight, upper, lower } = destination;
  return section(`real_server ${endpoint(destination)}`, [
    `weight ${weight}`,
    `lvs_method ${method.toUpperCase()}`,
    `uthreshold ${upper}`,
    `lthreshold ${lower}`,
    `inhibit_on_failure ${onOff(inhibit)}`,
    ...checks.flatMap(checkLines),
    ...told,
  ]);
}

function checkLines(settings: CheckSettings): string[] {
  if (settings.kind === 'bfd')
    return section('BFD_CHECK', [`name ${word(settings.session)}`, `alpha ${onOff(settings.alpha)}`]);
  const check = settings as TcpCheck;
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
