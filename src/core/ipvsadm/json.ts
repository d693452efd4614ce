import { familyOf } from '../ip.ts';
import type { IpvsDaemon, IpvsService, IpvsTunnel } from '../netlink/ipvs.ts';
import { DAEMON_STATE, METHOD, SERVICE_FLAG, TUNNEL_FLAG, TUNNEL_TYPE } from '../netlink/ipvs.ts';
import type { IpvsInfo, IpvsStats, ShownDestination, ShownTimeouts } from '../netlink/ipvs-reply.ts';
import type { ListedService } from './command.ts';
import type { Connection } from './connections.ts';
import { schedulerFlagNames } from './flags.ts';
import { versionName } from './format.ts';
import { netmaskText } from './netmask.ts';
import { sortDestinations, sortServices } from './order.ts';
import { protocolName } from './values.ts';

/**
 * The listings as data (`--json`), the schema of which lvsadm(8) describes: addresses and ports as numbers say
 * them, times in seconds, `null` for what a thing does not have. Every member is always there.
 */

const printed = (data: unknown): string => `${JSON.stringify(data, null, 2)}\n`;

/** The whole table, or the one service, of which the kernel's version and table size are no part. */
export function tableJson(
  services: readonly ListedService[],
  info: IpvsInfo | undefined,
  sorted: boolean,
): string {
  const ordered = sorted ? sortServices(services) : services;
  return printed({
    ...(info !== undefined && { version: versionName(info.version), tableSize: info.tableSize }),
    services: ordered.map((listed) => serviceData(listed, sorted)),
  });
}

function serviceData({ service, destinations }: ListedService, sorted: boolean): object {
  const { key, scheduler, flags, stats } = service;
  const names = schedulerFlagNames(flags, scheduler);
  return {
    family: key.family,
    ...('fwmark' in key
      ? { fwmark: key.fwmark, protocol: null, address: null, port: null }
      : { fwmark: null, protocol: protocolName(key.protocol), address: key.address, port: key.port }),
    scheduler,
    schedulerFlags: names === '' ? [] : names.split(','),
    persistence: persistenceData(service),
    onePacket: (flags & SERVICE_FLAG.onePacket) !== 0,
    ...countersData(stats),
    destinations: (sorted ? sortDestinations(destinations) : destinations).map(destinationData),
  };
}

function persistenceData(service: IpvsService): object | null {
  if ((service.flags & SERVICE_FLAG.persistent) === 0) return null;
  const mask = netmaskText(service);
  const granularity = service.key.family === 6 ? Number(mask || 128) : mask || '255.255.255.255';
  return { timeout: service.timeout, netmask: granularity, engine: service.engine ?? null };
}

const METHOD_NAMES: Readonly<Record<number, string>> = {
  [METHOD.masquerade]: 'masquerading',
  [METHOD.localNode]: 'local',
  [METHOD.tunnel]: 'tunnel',
  [METHOD.directRoute]: 'gatewaying',
  [METHOD.bypass]: 'bypass',
};

function destinationData(destination: ShownDestination): object {
  const { address, port, method, weight, upper, lower, active, inactive, persistent } = destination;
  return {
    family: familyOf(address),
    address,
    port,
    method: METHOD_NAMES[method] ?? String(method),
    tunnel: method === METHOD.tunnel ? tunnelData(destination.tunnel) : null,
    weight,
    upperThreshold: upper,
    lowerThreshold: lower,
    activeConnections: active,
    inactiveConnections: inactive,
    persistentConnections: persistent,
    ...countersData(destination.stats),
  };
}

/** As the options of ipvsadm call them: `ipip`, `gue`, `gre`; `nocsum`, `csum`, `remcsum`. */
function tunnelData(tunnel: IpvsTunnel | undefined): object {
  const type = tunnel?.type ?? TUNNEL_TYPE.ipip;
  const name = Object.entries(TUNNEL_TYPE).find(([, number]) => number === type)?.[0] ?? String(type);
  const { checksum, remoteChecksum } = TUNNEL_FLAG;
  const flags = tunnel?.flags ?? 0;
  const mode = flags === checksum ? 'csum' : flags === remoteChecksum ? 'remcsum' : 'nocsum';
  return {
    type: name,
    port: type === TUNNEL_TYPE.gue ? (tunnel?.port ?? 0) : null,
    checksum: type === TUNNEL_TYPE.ipip ? null : mode,
  };
}

/** JSON numbers; beyond 2^53 they are rounded, as every reader of JSON would do. */
function countersData(stats: IpvsStats): object {
  const { connections, inPackets, outPackets, inBytes, outBytes } = stats;
  const { connectionRate, inPacketRate, outPacketRate, inByteRate, outByteRate } = stats;
  return {
    totals: {
      connections: Number(connections),
      inPackets: Number(inPackets),
      outPackets: Number(outPackets),
      inBytes: Number(inBytes),
      outBytes: Number(outBytes),
    },
    rates: {
      connections: Number(connectionRate),
      inPackets: Number(inPacketRate),
      outPackets: Number(outPacketRate),
      inBytes: Number(inByteRate),
      outBytes: Number(outByteRate),
    },
  };
}

/** What `-c` lists; a persistence engine's name and data where the row has them. */
export const connectionsJson = (connections: readonly Connection[]): string =>
  printed({
    connections: connections.map((connection) => ({
      ...connection,
      protocol: connection.protocol.toLowerCase(),
      engine: connection.engine ?? null,
    })),
  });

export const timeoutsJson = ({ tcp, tcpFin, udp }: ShownTimeouts): string =>
  printed({ timeouts: { tcp, tcpFin, udp } });

/** `maxLength`, `port` and `ttl` are what the kernel uses, also where they were not given. */
export const daemonsJson = (daemons: readonly IpvsDaemon[]): string =>
  printed({
    daemons: daemons
      .toSorted((a, b) => a.state - b.state)
      .map(({ state, interface: device, syncId, maxLength, group, port, ttl }) => ({
        role: state === DAEMON_STATE.master ? 'master' : 'backup',
        interface: device,
        syncId,
        maxLength: maxLength ?? null,
        group: group ?? null,
        port: port ?? null,
        ttl: ttl ?? null,
      })),
  });
