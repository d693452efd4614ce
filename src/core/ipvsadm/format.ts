import type { IpvsServiceKey } from '../netlink/ipvs.ts';
import { IP_PROTOCOL, METHOD, SERVICE_FLAG, TUNNEL_FLAG, TUNNEL_TYPE } from '../netlink/ipvs.ts';
import type { IpvsInfo, IpvsStats, ShownDestination, ShownService } from '../netlink/ipvs-reply.ts';
import type { Layout, ListedService, View } from './command.ts';
import type { NameDirectory } from './endpoint.ts';
import { endpointText, NUMERIC } from './endpoint.ts';
import { schedulerFlagNames } from './flags.ts';
import { netmaskText } from './netmask.ts';
import { sortDestinations, sortServices } from './order.ts';

/** Tables of services and servers as ipvsadm prints them, blanks at the ends of lines included. */

/** IPv4 names are cut to these widths so that columns stay straight; IPv6 ones are not. */
const MAX_SERVICE_NAME = 33;
const MAX_SERVER_NAME = 28;

const left = (value: string | number, width: number): string => String(value).padEnd(width);
const right = (value: string | number | bigint, width: number): string => String(value).padStart(width);

const FLAGS_TITLE = 'Prot LocalAddress:Port Scheduler Flags';
const columns = (first: number, ...titles: string[]): string =>
  left('Prot LocalAddress:Port', first) + titles.map((title) => ` ${title}`).join('');
const numbers = (...titles: string[]): string => columns(33, ...titles.map((title) => right(title, 8)));

const TITLES: Readonly<Record<Layout, readonly [string, string]>> = {
  plain: [FLAGS_TITLE, '           Forward Weight ActiveConn InActConn'],
  stats: [numbers('Conns', 'InPkts', 'OutPkts', 'InBytes', 'OutBytes'), ''],
  rate: [numbers('CPS', 'InPPS', 'OutPPS', 'InBPS', 'OutBPS'), ''],
  thresholds: [columns(33, 'Uthreshold', 'Lthreshold', 'ActiveConn', 'InActConn '), ''],
  persistent: [columns(33, 'Weight   ', 'PersistConn', 'ActiveConn', 'InActConn '), ''],
  tunnel: [FLAGS_TITLE, '           Forward TunnelInfo    Weight ActiveConn InActConn'],
};

/** `1.2.1` of 0x010201. */
export const versionName = (version: number): string =>
  [version >>> 16, (version >>> 8) & 255, version & 255].join('.');

/** The line above a listing of the whole table. */
export const bannerText = (info: IpvsInfo): string =>
  `IP Virtual Server version ${versionName(info.version)} (size=${info.tableSize})\n`;

/** Titles and lines of `services`, which are all of the table or the one that was asked for. */
export function listingText(services: readonly ListedService[], view: View, names: NameDirectory): string {
  const [first, second] = TITLES[view.layout];
  const titles = `${first}\n  -> RemoteAddress:Port${second}\n`;
  const directory = view.numeric ? NUMERIC : names;
  const ordered = view.sorted ? sortServices(services) : services;
  return titles + ordered.map((listed) => serviceLines(listed, view, directory)).join('');
}

function serviceLines({ service, destinations }: ListedService, view: View, names: NameDirectory): string {
  const name = serviceName(service.key, names);
  const ordered = view.sorted ? sortDestinations(destinations) : destinations;
  const protocol = 'fwmark' in service.key ? 0 : service.key.protocol;
  return [
    serviceLine(name, service, view),
    ...ordered.map((destination) => {
      const endpoint = endpointText(destination.address, destination.port, protocol, names);
      const shown = destination.address.includes(':') ? endpoint : endpoint.slice(0, MAX_SERVER_NAME);
      return `  -> ${left(shown, MAX_SERVER_NAME)}${destinationColumns(destination, view)}\n`;
    }),
  ].join('');
}

function serviceName(key: IpvsServiceKey, names: NameDirectory): string {
  if ('fwmark' in key) return `FWM  ${key.fwmark}${key.family === 6 ? ' IPv6' : ''}`;
  const { tcp, udp } = IP_PROTOCOL;
  const protocol = key.protocol === tcp ? 'TCP ' : key.protocol === udp ? 'UDP ' : 'SCTP';
  const name = `${protocol} ${endpointText(key.address, key.port, key.protocol, names)}`;
  return key.family === 6 ? name : name.slice(0, MAX_SERVICE_NAME);
}

function serviceLine(name: string, service: ShownService, view: View): string {
  switch (view.layout) {
    case 'stats':
      return `${left(name, MAX_SERVICE_NAME)}${totals(service.stats, view)}\n`;
    case 'rate':
      return `${left(name, MAX_SERVICE_NAME)}${rates(service.stats, view)}\n`;
    default:
      return `${name} ${service.scheduler}${serviceSettings(service)}\n`;
  }
}

function serviceSettings(service: ShownService): string {
  const { flags, scheduler, timeout, engine = '' } = service;
  const bits = schedulerFlagNames(flags, scheduler);
  let text = bits === '' ? '' : ` (${bits})`;
  if ((flags & SERVICE_FLAG.persistent) !== 0) {
    const mask = netmaskText(service);
    text += ` persistent ${timeout}`;
    if (mask !== '') text += ` mask ${mask}`;
    if (engine !== '') text += ` pe ${engine}`;
  }
  return (flags & SERVICE_FLAG.onePacket) === 0 ? text : `${text} ops`;
}

function destinationColumns(destination: ShownDestination, view: View): string {
  const { stats, method, weight, upper, lower, active, inactive, persistent } = destination;
  const connections = `${left(active, 10)} ${left(inactive, 10)}`;
  const way = left(methodName(method), 7);
  switch (view.layout) {
    case 'stats':
      return totals(stats, view);
    case 'rate':
      return rates(stats, view);
    case 'thresholds':
      return ` ${left(upper, 10)} ${left(lower, 10)} ${connections}`;
    case 'persistent':
      return ` ${left(weight, 9)} ${left(persistent, 11)} ${connections}`;
    case 'tunnel':
      return ` ${way} ${left(tunnelText(destination), 13)} ${left(weight, 6)} ${connections}`;
    case 'plain':
      return ` ${way} ${left(weight, 6)} ${connections}`;
  }
}

function methodName(method: number): string {
  if (method === METHOD.masquerade) return 'Masq';
  if (method === METHOD.localNode) return 'Local';
  return method === METHOD.tunnel ? 'Tunnel' : 'Route';
}

/** `ipip`, `gue:6080:-c`, `gre:+c`; `n/a` for what is no tunnel. */
function tunnelText({ method, tunnel }: ShownDestination): string {
  if (method !== METHOD.tunnel) return 'n/a';
  if (tunnel === undefined || tunnel.type === TUNNEL_TYPE.ipip) return 'ipip';
  const { checksum, remoteChecksum } = TUNNEL_FLAG;
  const mode = tunnel.flags === checksum ? '+c' : tunnel.flags === remoteChecksum ? 'r+c' : '-c';
  return tunnel.type === TUNNEL_TYPE.gue ? `gue:${tunnel.port}:${mode}` : `gre:${mode}`;
}

function totals(stats: IpvsStats, view: View): string {
  const { connections, inPackets, outPackets, inBytes, outBytes } = stats;
  return [connections, inPackets, outPackets, inBytes, outBytes].map((n) => counter(n, view)).join('');
}

function rates(stats: IpvsStats, view: View): string {
  const { connectionRate, inPacketRate, outPacketRate, inByteRate, outByteRate } = stats;
  return [connectionRate, inPacketRate, outPacketRate, inByteRate, outByteRate]
    .map((n) => counter(n, view))
    .join('');
}

/** From this number on a counter is divided by `divisor` and gets the letter. */
const SCALES = [
  { from: 10n ** 14n, divisor: 10n ** 12n, letter: 'T' },
  { from: 10n ** 11n, divisor: 10n ** 9n, letter: 'G' },
  { from: 10n ** 9n, divisor: 10n ** 6n, letter: 'M' },
  { from: 10n ** 8n, divisor: 10n ** 3n, letter: 'K' },
] as const;

function counter(value: bigint, view: View): string {
  const scale = view.exact ? undefined : SCALES.find(({ from }) => value >= from);
  return scale === undefined ? ` ${right(value, 8)}` : ` ${right(value / scale.divisor, 7)}${scale.letter}`;
}
