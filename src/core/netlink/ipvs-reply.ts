import { type Family, type Ip, ipFromBytes } from '../ip.ts';
import { familyFromNumber } from './address.ts';
import { openGenl } from './genl.ts';
import {
  DAEMON_ATTR,
  DEST_ATTR,
  IPVS_ATTR,
  IPVS_COMMAND,
  type IpvsDaemon,
  type IpvsDestination,
  type IpvsService,
  type IpvsServiceKey,
  METHOD,
  SERVICE_ATTR,
} from './ipvs.ts';
import { maskOf } from './ipvs-request.ts';
import type { Attributes, Message } from './message.ts';

/**
 * Answers of the IPVS family. What is not understood is `undefined`, never an exception: the attributes may
 * come from a newer or an older kernel.
 */

/** Counters and rates; refreshed by the kernel's estimator every 2 s. Bytes in `bytes`, rates a second. */
export interface IpvsStats {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
  readonly connectionRate: bigint;
  readonly inPacketRate: bigint;
  readonly outPacketRate: bigint;
  readonly inByteRate: bigint;
  readonly outByteRate: bigint;
}

export interface ShownService extends IpvsService {
  readonly stats: IpvsStats;
}

export interface ShownDestination extends IpvsDestination {
  readonly active: number;
  readonly inactive: number;
  readonly persistent: number;
  readonly stats: IpvsStats;
}

/** Version as the kernel packs it (0x010201 is 1.2.1) and the size of the connection table. */
export interface IpvsInfo {
  readonly version: number;
  readonly tableSize: number;
}

/** Command 12 answers GET_CONFIG. */
export interface ShownTimeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

/** The service of an answer to GET_SERVICE. */
export function decodeService(message: Message): ShownService | undefined {
  const opened = openGenl(message);
  if (opened?.command !== IPVS_COMMAND.newService) return undefined;
  const attributes = opened.attributes.nest(IPVS_ATTR.service);
  const family = familyFromNumber(attributes.u16(SERVICE_ATTR.af) ?? 0);
  const scheduler = attributes.text(SERVICE_ATTR.scheduler);
  if (family === undefined || scheduler === undefined) return undefined;
  const key = readServiceKey(attributes, family);
  if (key === undefined) return undefined;
  const engine = attributes.text(SERVICE_ATTR.engine);
  return {
    key,
    scheduler,
    flags: attributes.u32(SERVICE_ATTR.flags) ?? 0,
    timeout: attributes.u32(SERVICE_ATTR.timeout) ?? 0,
    ...readGranularity(attributes, family),
    ...(engine !== undefined && { engine }),
    stats: readStats(attributes, SERVICE_ATTR.stats, SERVICE_ATTR.stats64),
  };
}

function readServiceKey(attributes: Attributes, family: Family): IpvsServiceKey | undefined {
  const fwmark = attributes.u32(SERVICE_ATTR.fwmark);
  if (fwmark !== undefined) return { family, fwmark };
  const protocol = attributes.u16(SERVICE_ATTR.protocol);
  const address = readAddress(attributes.bytes(SERVICE_ATTR.address), family);
  const port = attributes.u16be(SERVICE_ATTR.port);
  if (protocol === undefined || address === undefined || port === undefined) return undefined;
  return { family, protocol, address, port };
}

/** IPv4: a big-endian mask, kept when it is no prefix; IPv6: the prefix length, in the host's order. */
function readGranularity(
  attributes: Attributes,
  family: Family,
): Pick<IpvsService, 'prefixLength' | 'netmask'> {
  if (family === 6) return { prefixLength: Math.min(attributes.u32(SERVICE_ATTR.netmask) ?? 128, 128) };
  const netmask = attributes.u32be(SERVICE_ATTR.netmask) ?? 0xffffffff;
  const prefixLength = Math.clz32(~netmask);
  return netmask === maskOf(prefixLength) ? { prefixLength } : { prefixLength, netmask };
}

/** The first 4 of 16 bytes for IPv4. */
function readAddress(bytes: Uint8Array | undefined, family: Family): Ip | undefined {
  const size = family === 4 ? 4 : 16;
  return bytes === undefined || bytes.length < size ? undefined : ipFromBytes(bytes.subarray(0, size));
}

/**
 * The destination of an answer to GET_DEST. `family` is the service's: a kernel before 3.18 does not send the
 * destination's own.
 */
export function decodeDestination(message: Message, serviceFamily: Family): ShownDestination | undefined {
  const opened = openGenl(message);
  if (opened?.command !== IPVS_COMMAND.newDest) return undefined;
  const attributes = opened.attributes.nest(IPVS_ATTR.dest);
  const family = familyFromNumber(attributes.u16(DEST_ATTR.family) ?? 0) ?? serviceFamily;
  const address = readAddress(attributes.bytes(DEST_ATTR.address), family);
  const port = attributes.u16be(DEST_ATTR.port);
  if (address === undefined || port === undefined) return undefined;
  const method = (attributes.u32(DEST_ATTR.method) ?? 0) & 7;
  const tunnelType = attributes.u8(DEST_ATTR.tunnelType);
  return {
    address,
    port,
    method,
    weight: attributes.i32(DEST_ATTR.weight) ?? 0,
    upper: attributes.u32(DEST_ATTR.upper) ?? 0,
    lower: attributes.u32(DEST_ATTR.lower) ?? 0,
    // The kernel shows the tunnel's attributes for every method; they say something only for one.
    ...(method === METHOD.tunnel &&
      tunnelType !== undefined && {
        tunnel: {
          type: tunnelType,
          port: attributes.u16be(DEST_ATTR.tunnelPort) ?? 0,
          flags: attributes.u16(DEST_ATTR.tunnelFlags) ?? 0,
        },
      }),
    active: attributes.u32(DEST_ATTR.active) ?? 0,
    inactive: attributes.u32(DEST_ATTR.inactive) ?? 0,
    persistent: attributes.u32(DEST_ATTR.persistent) ?? 0,
    stats: readStats(attributes, DEST_ATTR.stats, DEST_ATTR.stats64),
  };
}

/** From the 64-bit set, or the 32-bit one of kernels before 4.1. Padding (attribute 11) is passed over. */
function readStats(attributes: Attributes, narrow: number, wide: number): IpvsStats {
  const from = attributes.nest(attributes.bytes(wide) === undefined ? narrow : wide);
  const counter = (type: number): bigint => from.u64(type) ?? BigInt(from.u32(type) ?? 0);
  return {
    connections: counter(1),
    inPackets: counter(2),
    outPackets: counter(3),
    inBytes: counter(4),
    outBytes: counter(5),
    connectionRate: counter(6),
    inPacketRate: counter(7),
    outPacketRate: counter(8),
    inByteRate: counter(9),
    outByteRate: counter(10),
  };
}

/** A running sync daemon of an answer to GET_DAEMON. */
export function decodeDaemon(message: Message): IpvsDaemon | undefined {
  const opened = openGenl(message);
  if (opened?.command !== IPVS_COMMAND.newDaemon) return undefined;
  const attributes = opened.attributes.nest(IPVS_ATTR.daemon);
  const state = attributes.u32(DAEMON_ATTR.state);
  const name = attributes.text(DAEMON_ATTR.interface);
  const syncId = attributes.u32(DAEMON_ATTR.syncId);
  if (state === undefined || name === undefined || syncId === undefined) return undefined;
  const maxLength = attributes.u16(DAEMON_ATTR.maxLength);
  const port = attributes.u16(DAEMON_ATTR.port);
  const ttl = attributes.u8(DAEMON_ATTR.ttl);
  const group =
    readAddress(attributes.bytes(DAEMON_ATTR.group), 4) ??
    readAddress(attributes.bytes(DAEMON_ATTR.group6), 6);
  return {
    state,
    interface: name,
    syncId,
    ...(maxLength !== undefined && { maxLength }),
    ...(group !== undefined && { group }),
    ...(port !== undefined && { port }),
    ...(ttl !== undefined && { ttl }),
  };
}

/** The timeouts of an answer to GET_CONFIG, in seconds. */
export function decodeTimeouts(message: Message): ShownTimeouts | undefined {
  const opened = openGenl(message);
  if (opened?.command !== IPVS_COMMAND.setConfig) return undefined;
  const tcp = opened.attributes.u32(IPVS_ATTR.timeoutTcp);
  const tcpFin = opened.attributes.u32(IPVS_ATTR.timeoutTcpFin);
  const udp = opened.attributes.u32(IPVS_ATTR.timeoutUdp);
  if (tcp === undefined || tcpFin === undefined || udp === undefined) return undefined;
  return { tcp, tcpFin, udp };
}

/** The answer to GET_INFO, whose attributes collide with SERVICE and DEST in number. */
export function decodeInfo(message: Message): IpvsInfo | undefined {
  const opened = openGenl(message);
  if (opened?.command !== IPVS_COMMAND.setInfo) return undefined;
  const version = opened.attributes.u32(1);
  const tableSize = opened.attributes.u32(2);
  return version === undefined || tableSize === undefined ? undefined : { version, tableSize };
}
