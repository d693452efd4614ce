import type { Ip } from '../ip.ts';
import type { Service, ServiceKey } from './model.ts';

/** Names of services and servers as keepalived has them in FIFO lines and mails (its check/check_data.c). */

/** What a title is made of: a `virtual_server` block. */
export interface Titled {
  readonly services: readonly Service[];
  /** `index`: which of the blocks of that group it is, from 0. */
  readonly group?: { readonly name: string; readonly index: number };
}

/** `[10.0.0.1]:tcp:80`, `FWM 7`, or `[web]:0` for a group. */
export function blockTitle({ services, group }: Titled): string {
  const [first] = services;
  if (group !== undefined || first === undefined) return `[${group?.name}]:${group?.index}`;
  return serviceTitle(first.key);
}

/** `[10.0.0.1]:tcp:80`, `FWM 7`. */
export const serviceTitle = (key: ServiceKey): string =>
  key.kind === 'fwmark' ? `FWM ${key.mark}` : trio(key.address, key.protocol, key.port);

/** `[10.0.0.11]:tcp:8080`, as a server of the block; `none` is the protocol of marks. */
export function serverTitle(address: Ip, port: number, { services }: Titled): string {
  const key = services.map((service) => service.key).find(({ kind }) => kind === 'address');
  return trio(address, key?.kind === 'address' ? key.protocol : 'none', port);
}

const trio = (address: Ip, protocol: string, port: number): string => `[${address}]:${protocol}:${port}`;

/** As the block's own header says it, to name it elsewhere: `10.0.0.1 80`, `fwmark 7`, `group web`. */
export function headerName({ services, group }: Titled): string {
  const key = services[0]?.key;
  if (group !== undefined || key === undefined) return `group ${group?.name}`;
  return key.kind === 'fwmark' ? `fwmark ${key.mark}` : `${key.address} ${key.port}`;
}
