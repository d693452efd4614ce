import type { Ip } from '../ip.ts';

export const BULK_PORT = 8849;
export const SYNC_ALARM = 5;

/** `lvs_sync_daemon`: the kernel's sync threads, and the VRRP instance that says which role they have. */
export interface SyncDaemonSettings {
  /** The interface that carries the multicast datagrams. */
  readonly interface: string;
  /** The VRRP instance that is followed: master there, master here. Both roles run when absent. */
  readonly instance?: string;
  /** 0..255; the instance's VRID unless `id` is given. */
  readonly id: number;
  /** Bytes of a datagram's payload; the kernel's own choice (from the MTU) when absent. */
  readonly maxlen?: number;
  readonly port?: number;
  readonly ttl?: number;
  /** Multicast group. */
  readonly group?: Ip;
  /** `lvs_bulk_port`: the UDP port on which the directors talk of copies of the whole table; 0 for none. */
  readonly bulkPort: number;
  /** `lvs_sync_alarm`: percent of connections that a failover may lose before people are told; 0 for no alarm. */
  readonly alarm: number;
  /** How the datagrams reach the other directors, if not by multicast; `interface` is the private link then. */
  readonly relay?: RelaySettings;
}

/** The interface that the kernel syncs on with `sync_relay`: it is made, and leads nowhere. */
export const PRIVATE_LINK = 'vksync';

/** `sync_relay`: the daemons carry connection sync to each other. */
export interface RelaySettings {
  /** A line with the key, and a second with another that is valid too. */
  readonly keyFile: string;
  /** Where this director sends from, and what the others call it. */
  readonly local: Ip;
  /** UDP. */
  readonly port: number;
  readonly peers: readonly { readonly address: Ip; readonly port: number }[];
}
