import type { Ip } from '../ip.ts';

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
}
