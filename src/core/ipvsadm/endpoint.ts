import type { Ip } from '../ip.ts';
import { ipToBytes } from '../ip.ts';
import { protocolName } from './values.ts';

/** Names for a listing without `-n`; the shell answers from the resolver and `/etc/services`. */
export interface NameDirectory {
  host(address: Ip): string | undefined;
  /** The service at a port of `tcp`, `udp` or `sctp`. */
  service(port: number, protocol: string): string | undefined;
}

export const NUMERIC: NameDirectory = { host: () => undefined, service: () => undefined };

/** ipvsadm's buffer for an endpoint. */
const MAX_ENDPOINT = 59;

/**
 * The address as inet_ntop(3) writes it: RFC 5952, but what begins with 96 bits of zeros, or with those of an
 * IPv4-mapped address, ends in dotted form.
 */
export function addressText(address: Ip): string {
  if (!/^::(ffff:)?[0-9a-f]+:[0-9a-f]+$/.test(address)) return address;
  const bytes = ipToBytes(address);
  const isMapped = bytes[10] === 0xff && bytes[11] === 0xff;
  return `${isMapped ? '::ffff:' : '::'}${bytes.slice(12).join('.')}`;
}

/** `address:port` with names where there are some; `protocol` 0 (a firewall mark's) has no services. */
export function endpointText(address: Ip, port: number, protocol: number, names: NameDirectory): string {
  const host = names.host(address) ?? addressText(address);
  const kind = protocolName(protocol);
  const service = (kind === undefined ? undefined : names.service(port, kind)) ?? port;
  return (address.includes(':') ? `[${host}]:${service}` : `${host}:${service}`).slice(0, MAX_ENDPOINT);
}
