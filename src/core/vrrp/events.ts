import type { Ip } from '../ip.ts';
import type { Duration, Instant } from '../time.ts';
import type { Datagram, Notice, RejectReason } from './packet.ts';
import type { VirtualAddress } from './settings.ts';
import type { VrrpStatistics } from './statistics.ts';

/** INIT and FAULT are both "Initialize" of the RFC: INIT is not started, FAULT cannot serve. */
export type VrrpState = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';

/** What happens to a virtual router. */
export type VrrpEvent =
  | { readonly type: 'start' }
  /** Ends mastership properly: an advert with priority 0, then the addresses go. */
  | { readonly type: 'stop' }
  /**
   * Whether the interface can carry VRRP now, and the address that adverts leave from (primary, or link-local
   * for IPv6). Sent once before or after `start` and at each change; up without a source counts as down.
   */
  | { readonly type: 'link'; readonly up: boolean; readonly source?: Ip | undefined; readonly why: string }
  /** A VRRP payload that arrived for this virtual router's id; decoded and judged here. */
  | ({ readonly type: 'packet' } & Datagram)
  /** A planned hand-over: become backup, and do not preempt whoever takes over. */
  | { readonly type: 'resign'; readonly why: string };

/** What the shell is to do, in this order. */
export type VrrpEffect =
  | {
      readonly type: 'send';
      /** Shared between effects: not to be written to. */
      readonly payload: Uint8Array;
      readonly source: Ip;
      readonly destination: Ip;
    }
  /**
   * The addresses must be on their interfaces from now on: install what is missing, and where `lease` is not
   * 0 give each that lifetime. Each advert that is sent while they are held renews it: nothing else may, so
   * that the lease never outlives what the peers heard. Idempotent; repeated after a stall.
   */
  | { readonly type: 'hold'; readonly addresses: readonly VirtualAddress[]; readonly lease: Duration }
  /** The addresses must not be there: also those left by an earlier run. Idempotent. */
  | { readonly type: 'release'; readonly addresses: readonly VirtualAddress[] }
  /** One burst: `repeat` gratuitous ARPs or unsolicited neighbour advertisements for each address. */
  | { readonly type: 'announce'; readonly addresses: readonly VirtualAddress[]; readonly repeat: number }
  | {
      readonly type: 'transition';
      readonly from: VrrpState;
      readonly to: VrrpState;
      /** For people: `no advert from 10.0.0.1 for 3.61 s`. */
      readonly cause: string;
    }
  /** An advert was dropped; the log's line for `count` such since the last line. */
  | {
      readonly type: 'rejected';
      readonly reason: RejectReason;
      readonly source: Ip;
      readonly count: number;
    }
  /** An advert was odd but accepted; `count` as above. */
  | { readonly type: 'noticed'; readonly notice: Notice; readonly source: Ip; readonly count: number }
  /** A timer ran `late` after its deadline and was not believed, or cost us the lease; `count` as above. */
  | { readonly type: 'stalled'; readonly late: Duration; readonly count: number; readonly what: string };

/** A virtual router as people want to see it. */
export interface VrrpStatus {
  readonly name: string;
  readonly state: VrrpState;
  /** When the state was entered, and why. */
  readonly since: Instant;
  readonly cause: string;
  readonly priority: number;
  readonly source: Ip | undefined;
  /** The master that is followed; ourselves as master; nobody. */
  readonly master:
    | {
        readonly address: Ip;
        readonly priority: number;
        readonly interval: Duration;
        readonly heard: Instant;
      }
    | undefined;
  readonly deadline: Instant | undefined;
  readonly statistics: Readonly<VrrpStatistics>;
}
