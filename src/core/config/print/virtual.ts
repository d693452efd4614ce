import type { Destination, Service, Tunnel } from '../../balance/model.ts';
import type { MaintenanceWindow } from '../../balance/orders.ts';
import { type Family, familyBits, familyOf, ipFromBytes } from '../../ip.ts';
import type { RealServerSettings, ServicePoint, VirtualServerSettings } from '../../serving/settings.ts';
import { timeText } from '../../time.ts';
import { checkLines } from './check.ts';
import { onOff, secondsText, section, setting, when, word } from './text.ts';

/** The `virtual_server_group` blocks that the servers need, each once. */
export function groupBlocks(servers: readonly VirtualServerSettings[]): string[][] {
  const groups = new Map(servers.flatMap(({ group }) => (group === undefined ? [] : [[group.name, group]])));
  return Array.from(groups.values(), ({ name, points }) =>
    section(`virtual_server_group ${word(name)}`, points.map(pointText)),
  );
}

function pointText(point: ServicePoint): string {
  if (point.kind === 'address') return `${point.address} ${point.port}`;
  return `fwmark ${point.mark}${point.family === undefined ? '' : ` ${familyWord(point.family)}`}`;
}

const familyWord = (family: Family): string => (family === 6 ? 'inet6' : 'inet');

/** The header of a `virtual_server`. */
export function serviceHeader({ services, group }: VirtualServerSettings): string {
  const key = services[0]?.key;
  if (group !== undefined || key === undefined) return `virtual_server group ${word(group?.name ?? '')}`;
  return key.kind === 'fwmark'
    ? `virtual_server fwmark ${key.mark} ${familyWord(key.family)}`
    : `virtual_server ${key.address} ${key.port}`;
}

/** `ip_family`, where marks of a group say none. */
function familyOfMarks({ services, group }: VirtualServerSettings): string[] {
  const undecided = group?.points.find((point) => point.kind === 'fwmark' && point.family === undefined);
  const key = services
    .map((service) => service.key)
    .find((each) => {
      return each.kind === 'fwmark' && undecided?.kind === 'fwmark' && each.mark === undecided.mark;
    });
  return key?.kind === 'fwmark' ? [`ip_family ${familyWord(key.family)}`] : [];
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
  settings: VirtualServerSettings,
  told: (destination: Destination) => readonly string[],
): string[] {
  const { realServers, sorry, quorum, hysteresis, minUp } = settings;
  return [
    ...serviceLines(settings),
    ...when(settings.haSuspend === true, 'ha_suspend'),
    ...when(settings.omega === true, 'omega'),
    `quorum ${quorum}`,
    `hysteresis ${hysteresis}`,
    ...setting('min_up', minUp === undefined ? undefined : `${minUp}%`),
    ...(sorry === undefined ? [] : sorryLines(sorry)),
    ...when(settings.sorryInhibit === true, 'sorry_server_inhibit'),
    ...realServers.flatMap((server) => realServerLines(server, told(server.destination))),
  ];
}

/** What the services of the block have in common. */
function serviceLines(settings: VirtualServerSettings): string[] {
  const { services, realServers, sorry } = settings;
  const [first] = services;
  if (first === undefined) return [];
  const { scheduler, flags, persistence, engine } = first;
  const byAddress = services.find(({ key }) => key.kind === 'address')?.key;
  const destination = realServers[0]?.destination ?? sorry;
  return [
    ...setting('protocol', byAddress?.kind === 'address' ? byAddress.protocol.toUpperCase() : undefined),
    ...familyOfMarks(settings),
    `lb_algo ${scheduler}`,
    ...FLAGS.flatMap(([bit, name]) => when((flags & bit) !== 0, name)),
    ...(destination === undefined ? [] : [`lb_kind ${forwardingText(destination)}`]),
    ...when(persistence > 0, `persistence_timeout ${persistence}`),
    ...when(persistence > 0, `persistence_granularity ${granularityOf(services)}`),
    ...setting('persistence_engine', engine),
  ];
}

/** As the service says it that has one of its own; the others of a mixed group have none. */
function granularityOf(services: readonly Service[]): string {
  const own = services.find(({ key, granularity }) => granularity < familyBits(familyOfKey(key)));
  const { key, granularity } = (own ?? services[0]) as Service;
  return granularityText(granularity, familyOfKey(key));
}

const familyOfKey = (key: Service['key']): Family =>
  key.kind === 'fwmark' ? key.family : familyOf(key.address);

/** `TUN type gue port 5555 csum`. */
const forwardingText = ({ method, tunnel }: Destination): string =>
  [method.toUpperCase(), ...(tunnel === undefined ? [] : tunnelWords(tunnel))].join(' ');

const tunnelWords = ({ type, port, checksum }: Tunnel): string[] => [
  `type ${type}`,
  ...when(port > 0, `port ${port}`),
  checksum,
];

/** A netmask for IPv4, a length for IPv6. */
function granularityText(length: number, family: Family): string {
  if (family === 6) return String(length);
  const mask = 2 ** 32 - 2 ** (familyBits(4) - length);
  return ipFromBytes(Uint8Array.of(mask / 2 ** 24, mask / 2 ** 16, mask / 2 ** 8, mask));
}

const endpoint = ({ address, port }: Destination): string => (port === 0 ? address : `${address} ${port}`);

const sorryLines = (sorry: Destination): string[] => [
  `sorry_server ${endpoint(sorry)}`,
  `sorry_server_lvs_method ${forwardingText(sorry)}`,
];

function realServerLines(
  { destination, inhibit, checks, slowStart, maintenance = [] }: RealServerSettings,
  told: readonly string[],
): string[] {
  const { weight, upper, lower } = destination;
  return section(`real_server ${endpoint(destination)}`, [
    `weight ${weight}`,
    `lvs_method ${forwardingText(destination)}`,
    `uthreshold ${upper}`,
    `lthreshold ${lower}`,
    `inhibit_on_failure ${onOff(inhibit)}`,
    ...setting('slow_start', slowStart === undefined ? undefined : secondsText(slowStart)),
    ...maintenance.map(windowLine),
    ...checks.flatMap(checkLines),
    ...told,
  ]);
}

const windowLine = ({ cron, length, weight }: MaintenanceWindow): string =>
  `maintenance "${cron}" ${timeText(length)}${weight === undefined ? '' : ` weight ${weight}`}`;
