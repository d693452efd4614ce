import type { Ip } from '../ip.ts';
import { endpointName, parseEndpoint } from '../ip.ts';

export { endpointName };

/** The desired table: what the kernel's IPVS should hold. Identity and settings of services and servers. */

export type Protocol = 'tcp' | 'udp' | 'sctp';
export type ForwardingMethod = 'nat' | 'dr' | 'tun';

/** What identifies a service in the kernel: an address and port of a protocol, or a firewall mark. */
export type ServiceKey =
  | { readonly kind: 'address'; readonly protocol: Protocol; readonly address: Ip; readonly port: number }
  | { readonly kind: 'fwmark'; readonly mark: number; readonly family: 4 | 6 };

export interface Service {
  readonly key: ServiceKey;
  /** A scheduler's name as the kernel knows it (`rr`, `wlc` ...), or `none`. */
  readonly scheduler: string;
  /** IP_VS_SVC_F_* bits that a user sets: 4 one-packet, 8 / 16 / 32 the scheduler's own; never 1 or 2. */
  readonly flags: number;
  /** Persistence in seconds; 0 for a service that is not persistent. */
  readonly persistence: number;
  /** Prefix length of the persistence granularity: 32 or 128 means each client for itself. */
  readonly granularity: number;
  /** Persistence engine (`sip`), if any. */
  readonly engine?: string;
}

export interface Destination {
  readonly address: Ip;
  readonly port: number;
  readonly method: ForwardingMethod;
  /** With `tun`, when it is not plain IP in IP. */
  readonly tunnel?: Tunnel;
  /** 0..2^31-1; 0 takes no new connections. */
  readonly weight: number;
  /** Upper and lower connection thresholds; 0 for none. */
  readonly upper: number;
  readonly lower: number;
}

/** An encapsulation that knows more than IP in IP does. */
export interface Tunnel {
  readonly type: 'gue' | 'gre';
  /** UDP port of the far end for `gue`, 0 for `gre`. */
  readonly port: number;
  /** `remcsum` is for `gue` only. */
  readonly checksum: 'nocsum' | 'csum' | 'remcsum';
}

/** A service with all of its destinations. */
export interface TableEntry {
  readonly service: Service;
  readonly destinations: readonly Destination[];
}

/** A stable text key: `tcp 10.0.0.1:80`, `tcp [2001:db8::1]:80`, `fwmark 7 inet6`. */
export function serviceName(key: ServiceKey): string {
  if (key.kind === 'fwmark') return `fwmark ${key.mark} inet${key.family === 6 ? '6' : ''}`;
  return `${key.protocol} ${endpointName(key.address, key.port)}`;
}

/** The key that `serviceName` wrote so; `undefined` for any other text. */
export function parseServiceName(text: string): ServiceKey | undefined {
  const mark = /^fwmark ([1-9]\d{0,9}) inet(6?)$/.exec(text);
  if (mark !== null) return { kind: 'fwmark', mark: Number(mark[1]), family: mark[2] === '6' ? 6 : 4 };
  const [, protocol, endpoint] = /^(tcp|udp|sctp) (\S+)$/.exec(text) ?? [];
  const found = endpoint === undefined ? undefined : parseEndpoint(endpoint);
  return found && { kind: 'address', protocol: protocol as Protocol, ...found };
}
