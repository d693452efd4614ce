import type { Ip } from '../ip.ts';
import type { ServiceKey } from './model.ts';

/** Names of services and servers as keepalived has them in FIFO lines and mails (its check/check_data.c). */

/** `[10.0.0.1]:tcp:80`, `FWM 7`. */
export const serviceTitle = (key: ServiceKey): string =>
  key.kind === 'fwmark' ? `FWM ${key.mark}` : trio(key.address, key.protocol, key.port);

/** `[10.0.0.11]:tcp:8080`, as a server of the service. */
export const serverTitle = (address: Ip, port: number, service: ServiceKey): string =>
  trio(address, service.kind === 'fwmark' ? 'none' : service.protocol, port);

const trio = (address: Ip, protocol: string, port: number): string => `[${address}]:${protocol}:${port}`;
