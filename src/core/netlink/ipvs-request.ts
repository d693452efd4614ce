import { Writer } from '../bytes.ts';
import { type Ip, ipToBytes } from '../ip.ts';
import { familyNumber } from './address.ts';
import { bareRequest, genlBody } from './genl.ts';
import {
  DAEMON_ATTR,
  DEST_ATTR,
  describeOperation,
  describeService,
  IPVS_ATTR,
  IPVS_COMMAND,
  IPVS_VERSION,
  type IpvsDaemon,
  type IpvsDestination,
  type IpvsDestinationKey,
  type IpvsOperation,
  type IpvsService,
  type IpvsServiceKey,
  type IpvsTimeouts,
  SERVICE_ATTR,
  SERVICE_FLAG,
} from './ipvs.ts';
import type { BodyWriter, Request } from './message.ts';

/**
 * Requests of the IPVS family (net/netfilter/ipvs/ip_vs_ctl.c). The traps of the layout: ports are big-endian
 * except the sync daemon's; the netmask is a big-endian mask for IPv4, a host-order prefix length for IPv6.
 */

/** Addresses are always 16 bytes on the wire; an IPv4 one fills the first four. */
function wideAddress(address: Ip): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(ipToBytes(address));
  return bytes;
}

function writeServiceKey(body: BodyWriter, key: IpvsServiceKey): void {
  body.u16(SERVICE_ATTR.af, familyNumber(key.family));
  if ('fwmark' in key) {
    body.u32(SERVICE_ATTR.fwmark, key.fwmark);
    return;
  }
  body.u16(SERVICE_ATTR.protocol, key.protocol);
  body.bytes(SERVICE_ATTR.address, wideAddress(key.address));
  body.u16be(SERVICE_ATTR.port, key.port);
}

function writeService(body: BodyWriter, service: IpvsService): void {
  writeServiceKey(body, service.key);
  body.text(SERVICE_ATTR.scheduler, service.scheduler);
  if (service.engine !== undefined) body.text(SERVICE_ATTR.engine, service.engine);
  // The flags as given and a mask over all of them: nothing of what was there before stays.
  const flags = new Writer(8).u32host(service.flags & ~SERVICE_FLAG.hashed).u32host(0xffffffff);
  body.bytes(SERVICE_ATTR.flags, flags.finish());
  body.u32(SERVICE_ATTR.timeout, service.timeout);
  if (service.key.family === 6) body.u32(SERVICE_ATTR.netmask, service.prefixLength);
  else body.u32be(SERVICE_ATTR.netmask, service.netmask ?? maskOf(service.prefixLength));
}

/** The IPv4 mask of a prefix length: 24 gives 0xffffff00. */
export const maskOf = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);

function writeDestination(body: BodyWriter, destination: IpvsDestination): void {
  body.u16(DEST_ATTR.family, familyNumber(destination.address.includes(':') ? 6 : 4));
  body.bytes(DEST_ATTR.address, wideAddress(destination.address));
  body.u16be(DEST_ATTR.port, destination.port);
  body.u32(DEST_ATTR.method, destination.method);
  body.u32(DEST_ATTR.weight, destination.weight);
  if (destination.tunnel !== undefined) {
    body.u8(DEST_ATTR.tunnelType, destination.tunnel.type);
    body.u16be(DEST_ATTR.tunnelPort, destination.tunnel.port);
    body.u16(DEST_ATTR.tunnelFlags, destination.tunnel.flags);
  }
  body.u32(DEST_ATTR.upper, destination.upper);
  body.u32(DEST_ATTR.lower, destination.lower);
}

function writeDaemon(body: BodyWriter, daemon: IpvsDaemon): void {
  body.u32(DAEMON_ATTR.state, daemon.state);
  body.text(DAEMON_ATTR.interface, daemon.interface);
  body.u32(DAEMON_ATTR.syncId, daemon.syncId);
  if (daemon.maxLength !== undefined) body.u16(DAEMON_ATTR.maxLength, daemon.maxLength);
  // In the host's order, unlike every other port of the family.
  if (daemon.port !== undefined) body.u16(DAEMON_ATTR.port, daemon.port);
  if (daemon.ttl !== undefined) body.u8(DAEMON_ATTR.ttl, daemon.ttl);
  if (daemon.group === undefined) return;
  const group = ipToBytes(daemon.group);
  body.bytes(group.length === 4 ? DAEMON_ATTR.group : DAEMON_ATTR.group6, group);
}

const COMMAND_OF = {
  'add-service': IPVS_COMMAND.newService,
  'edit-service': IPVS_COMMAND.setService,
  'delete-service': IPVS_COMMAND.delService,
  'zero-service': IPVS_COMMAND.zero,
  'add-destination': IPVS_COMMAND.newDest,
  'edit-destination': IPVS_COMMAND.setDest,
  'delete-destination': IPVS_COMMAND.delDest,
  'start-daemon': IPVS_COMMAND.newDaemon,
  'stop-daemon': IPVS_COMMAND.delDaemon,
  'set-timeouts': IPVS_COMMAND.setConfig,
  'zero-all': IPVS_COMMAND.zero,
  flush: IPVS_COMMAND.flush,
} as const satisfies Record<IpvsOperation['op'], number>;

function writeOperation(body: BodyWriter, operation: IpvsOperation): void {
  switch (operation.op) {
    case 'add-service':
    case 'edit-service':
      body.nest(IPVS_ATTR.service, (nest) => writeService(nest, operation.service));
      return;
    case 'delete-service':
    case 'zero-service':
      body.nest(IPVS_ATTR.service, (nest) => writeServiceKey(nest, operation.service));
      return;
    case 'add-destination':
    case 'edit-destination':
      body.nest(IPVS_ATTR.service, (nest) => writeServiceKey(nest, operation.service));
      body.nest(IPVS_ATTR.dest, (nest) => writeDestination(nest, operation.destination));
      return;
    case 'delete-destination':
      body.nest(IPVS_ATTR.service, (nest) => writeServiceKey(nest, operation.service));
      body.nest(IPVS_ATTR.dest, (nest) => writeDestinationKey(nest, operation.destination));
      return;
    case 'start-daemon':
      body.nest(IPVS_ATTR.daemon, (nest) => writeDaemon(nest, operation.daemon));
      return;
    case 'stop-daemon':
      body.nest(IPVS_ATTR.daemon, (nest) => nest.u32(DAEMON_ATTR.state, operation.state));
      return;
    case 'set-timeouts':
      writeTimeouts(body, operation.timeouts);
      return;
    case 'zero-all':
    case 'flush':
  }
}

function writeDestinationKey(body: BodyWriter, key: IpvsDestinationKey): void {
  // The family is part of the identity only for tunnels to another family, and harmless otherwise.
  body.u16(DEST_ATTR.family, familyNumber(key.address.includes(':') ? 6 : 4));
  body.bytes(DEST_ATTR.address, wideAddress(key.address));
  body.u16be(DEST_ATTR.port, key.port);
}

function writeTimeouts(body: BodyWriter, timeouts: IpvsTimeouts): void {
  if (timeouts.tcp) body.u32(IPVS_ATTR.timeoutTcp, timeouts.tcp);
  if (timeouts.tcpFin) body.u32(IPVS_ATTR.timeoutTcpFin, timeouts.tcpFin);
  if (timeouts.udp) body.u32(IPVS_ATTR.timeoutUdp, timeouts.udp);
}

/** The request that performs `operation`; `family` is the number that the controller gave for `IPVS`. */
export function encodeOperation(family: number, operation: IpvsOperation): Request {
  const body = genlBody(COMMAND_OF[operation.op], IPVS_VERSION);
  writeOperation(body, operation);
  return { type: family, flags: 0, body: body.finish(), asked: `IPVS: ${describeOperation(operation)}` };
}

/** A dump of all services. */
export const dumpServices = (family: number): Request =>
  bareRequest(family, IPVS_COMMAND.getService, IPVS_VERSION, 'IPVS: list services');

/** One service: answered by one message, or errno 3 (ESRCH). Not a dump. */
export const getService = (family: number, key: IpvsServiceKey): Request =>
  ofService(family, IPVS_COMMAND.getService, key, `IPVS: show ${describeService(key)}`);

/** A dump of a service's destinations, newest first; empty, not an error, when there is no such service. */
export const dumpDestinations = (family: number, key: IpvsServiceKey): Request =>
  ofService(family, IPVS_COMMAND.getDest, key, `IPVS: list destinations of ${describeService(key)}`);

/** A dump of the running sync daemons: none, one or two. */
export const dumpDaemons = (family: number): Request =>
  bareRequest(family, IPVS_COMMAND.getDaemon, IPVS_VERSION, 'IPVS: list sync daemons');

export const getTimeouts = (family: number): Request =>
  bareRequest(family, IPVS_COMMAND.getConfig, IPVS_VERSION, 'IPVS: show timeouts');

export const getInfo = (family: number): Request =>
  bareRequest(family, IPVS_COMMAND.getInfo, IPVS_VERSION, 'IPVS: show version');

function ofService(family: number, command: number, key: IpvsServiceKey, asked: string): Request {
  const body = genlBody(command, IPVS_VERSION);
  body.nest(IPVS_ATTR.service, (nest) => writeServiceKey(nest, key));
  return { type: family, flags: 0, body: body.finish(), asked };
}
