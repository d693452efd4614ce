import type { Ip } from '../ip.ts';
import type { Duration } from '../time.ts';

/** One BFD session (RFC 5880, asynchronous mode): a `bfd_instance` block. */
export interface BfdSettings {
  readonly name: string;
  /** `source_ip`: of the neighbor's family; any address of this host when absent. */
  readonly source?: Ip;
  /** `neighbor_ip`. */
  readonly neighbor: Ip;
  /** `min_rx`, `min_tx`: the required receive interval and the desired transmit interval while Up. */
  readonly minRx: Duration;
  readonly minTx: Duration;
  /** `idle_tx`: the transmit interval while not Up; at least a second (RFC 5880, 6.8.3). */
  readonly idleTx: Duration;
  /** `multiplier`: 1..255 missed packets before the session is down. */
  readonly multiplier: number;
  /** `passive`: say nothing until the neighbor has spoken. */
  readonly passive: boolean;
  /** `ttl`, `hoplimit`: of what is sent, 1..255. */
  readonly ttl: number;
  /** `max_hops`: how many hops a received packet may have taken; absent when it is not checked. */
  readonly maxHops?: number;
  /** `multihop`: port 4784 (RFC 5883) instead of 3784. */
  readonly multihop: boolean;
  /** `vrrp`, `checker`: who is told of its state. */
  readonly tells: 'both' | 'vrrp' | 'checker';
}
