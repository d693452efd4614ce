import type { Family, Ip } from '../ip.ts';

/**
 * The words of the kernel's IPVS as its generic netlink family has them (include/uapi/linux/ip_vs.h): all
 * numbers are the kernel's. Requests are written in `ipvs-request`, answers read in `ipvs-reply`.
 */
export const IPVS_FAMILY = 'IPVS';
export const IPVS_VERSION = 1;

export const IPVS_COMMAND = {
  newService: 1,
  setService: 2,
  delService: 3,
  getService: 4,
  newDest: 5,
  setDest: 6,
  delDest: 7,
  getDest: 8,
  newDaemon: 9,
  delDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
  setInfo: 14,
  getInfo: 15,
  zero: 16,
  flush: 17,
} as const;

/** Top-level attributes; GET_INFO's answer numbers its own. */
export const IPVS_ATTR = {
  service: 1,
  dest: 2,
  daemon: 3,
  timeoutTcp: 4,
  timeoutTcpFin: 5,
  timeoutUdp: 6,
} as const;

export const SERVICE_ATTR = {
  af: 1,
  protocol: 2,
  address: 3,
  port: 4,
  fwmark: 5,
  scheduler: 6,
  flags: 7,
  timeout: 8,
  netmask: 9,
  stats: 10,
  engine: 11,
  stats64: 12,
} as const;

export const DEST_ATTR = {
  address: 1,
  port: 2,
  method: 3,
  weight: 4,
  upper: 5,
  lower: 6,
  active: 7,
  inactive: 8,
  persistent: 9,
  stats: 10,
  family: 11,
  stats64: 12,
  tunnelType: 13,
  tunnelPort: 14,
  tunnelFlags: 15,
} as const;

export const DAEMON_ATTR = {
  state: 1,
  interface: 2,
  syncId: 3,
  maxLength: 4,
  group: 5,
  group6: 6,
  port: 7,
  ttl: 8,
} as const;

export const IP_PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;

export const SERVICE_FLAG = {
  persistent: 1,
  /** Set by the kernel on every service in its table; never sent. */
  hashed: 2,
  onePacket: 4,
  sched1: 8,
  sched2: 16,
  sched3: 32,
} as const;

/** Forwarding methods; the kernel looks at the low three bits. */
export const METHOD = { masquerade: 0, localNode: 1, tunnel: 2, directRoute: 3, bypass: 4 } as const;
export const TUNNEL_TYPE = { ipip: 0, gue: 1, gre: 2 } as const;
export const TUNNEL_FLAG = { checksum: 1, remoteChecksum: 2 } as const;
export const DAEMON_STATE = { master: 1, backup: 2 } as const;

/** What identifies a service. A firewall mark of 0 is no mark: it would mean 0.0.0.0:0. */
export type IpvsServiceKey =
  | { readonly family: Family; readonly protocol: number; readonly address: Ip; readonly port: number }
  | { readonly family: Family; readonly fwmark: number };

export interface IpvsService {
  readonly key: IpvsServiceKey;
  /** At most 15 characters; `none` for no scheduler. */
  readonly scheduler: string;
  /** SERVICE_FLAG bits; `persistent` belongs with a `timeout`. */
  readonly flags: number;
  /** Persistence in seconds. */
  readonly timeout: number;
  /** Prefix length of the persistence granularity: 0..32, 1..128. */
  readonly prefixLength: number;
  /** An IPv4 mask that is no prefix, as a number; it goes before `prefixLength`. The kernel takes any. */
  readonly netmask?: number;
  /** Persistence engine, at most 16 characters. */
  readonly engine?: string;
}

export interface IpvsDestinationKey {
  readonly address: Ip;
  readonly port: number;
}

export interface IpvsTunnel {
  /** TUNNEL_TYPE. */
  readonly type: number;
  /** UDP port of the far end, for `gue` only. */
  readonly port: number;
  /** TUNNEL_FLAG bits. */
  readonly flags: number;
}

export interface IpvsDestination extends IpvsDestinationKey {
  /** METHOD. */
  readonly method: number;
  readonly weight: number;
  /** Connection thresholds, 0 for none; a `lower` above `upper` is refused (ERANGE). */
  readonly upper: number;
  readonly lower: number;
  /** With the method `tunnel`; absent means plain IP in IP. */
  readonly tunnel?: IpvsTunnel;
}

export interface IpvsDaemon {
  /** DAEMON_STATE; both may run, as two daemons. */
  readonly state: number;
  readonly interface: string;
  /** 0..255. */
  readonly syncId: number;
  /** Largest payload of a datagram; absent: from the interface's MTU. */
  readonly maxLength?: number;
  /** Multicast group, 224.0.0.81 when absent. */
  readonly group?: Ip;
  /** 8848 when absent. */
  readonly port?: number;
  /** 1 when absent. */
  readonly ttl?: number;
}

/** Timeouts of connection states in seconds. In a request 0 or nothing leaves the value as it is. */
export interface IpvsTimeouts {
  readonly tcp?: number;
  readonly tcpFin?: number;
  readonly udp?: number;
}

/** `tcp 10.0.0.1:80`, `fwmark 7 inet6`: for messages. */
export function describeService(key: IpvsServiceKey): string {
  if ('fwmark' in key) return `fwmark ${key.fwmark}${key.family === 6 ? ' inet6' : ''}`;
  const names = Object.entries(IP_PROTOCOL);
  const protocol = names.find(([, number]) => number === key.protocol)?.[0] ?? `protocol ${key.protocol}`;
  return `${protocol} ${describeEndpoint(key)}`;
}

/** `10.0.0.1:80` or `[2001:db8::1]:80`. */
export const describeEndpoint = ({ address, port }: IpvsDestinationKey): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** One change of the kernel's table. */
export type IpvsOperation =
  | { readonly op: 'add-service' | 'edit-service'; readonly service: IpvsService }
  | { readonly op: 'delete-service' | 'zero-service'; readonly service: IpvsServiceKey }
  | {
      readonly op: 'add-destination' | 'edit-destination';
      readonly service: IpvsServiceKey;
      readonly destination: IpvsDestination;
    }
  | {
      readonly op: 'delete-destination';
      readonly service: IpvsServiceKey;
      readonly destination: IpvsDestinationKey;
    }
  | { readonly op: 'start-daemon'; readonly daemon: IpvsDaemon }
  | { readonly op: 'stop-daemon'; readonly state: number }
  | { readonly op: 'set-timeouts'; readonly timeouts: IpvsTimeouts }
  | { readonly op: 'zero-all' | 'flush' };

/** In words: `add destination 10.0.0.11:8080 weight 3 of tcp 10.0.0.1:80`. */
export function describeOperation(operation: IpvsOperation): string {
  const verb = operation.op.replace('-', ' ');
  switch (operation.op) {
    case 'add-service':
    case 'edit-service':
      return `${verb} ${describeService(operation.service.key)}`;
    case 'delete-service':
    case 'zero-service':
      return `${verb} ${describeService(operation.service)}`;
    case 'add-destination':
    case 'edit-destination': {
      const { destination, service } = operation;
      return `${verb} ${describeEndpoint(destination)} weight ${destination.weight} of ${describeService(service)}`;
    }
    case 'delete-destination':
      return `${verb} ${describeEndpoint(operation.destination)} of ${describeService(operation.service)}`;
    case 'start-daemon':
      return `start sync daemon ${daemonRole(operation.daemon.state)} on ${operation.daemon.interface}`;
    case 'stop-daemon':
      return `stop sync daemon ${daemonRole(operation.state)}`;
    default:
      return verb;
  }
}

const daemonRole = (state: number): string => (state === DAEMON_STATE.master ? 'master' : 'backup');
