import type { Ip } from '../ip.ts';
import type { Duration, Instant } from '../time.ts';
import type { Datagram, Notice, RejectReason } from './packet.ts';
import type { VirtualAddress, VrrpSettings } from './settings.ts';
import type { VrrpStatistics } from './statistics.ts';
import type { Clues, ClusterWord, Decision, TakeoverStatus } from './takeover.ts';
import type { TrackEvent } from './track.ts';
import type { UnsentEvent } from './unsent.ts';

/** INIT and FAULT are both "Initialize" of the RFC: INIT is not started, FAULT cannot serve. */
export type VrrpState = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';

/**
 * Whether the interface can carry VRRP now, and the address that adverts leave from (primary, or link-local
 * for IPv6). Sent once before or after `start` and at each change; up without a source counts as down.
 */
export interface LinkEvent {
  readonly type: 'link';
  readonly up: boolean;
  readonly source?: Ip | undefined;
  readonly why: string;
}

/** What happens to a virtual router. */
export type VrrpEvent =
  /**
   * `delay`: it begins so much later (`vrrp_startup_delay`). `heir`: an earlier process was master until then, and took
   * nothing away.
   */
  | { readonly type: 'start'; readonly delay?: Duration; readonly heir?: Instant }
  /** Ends mastership properly: an advert with priority 0, then the addresses go. */
  | { readonly type: 'stop' }
  | LinkEvent
  /** A VRRP payload that arrived for this virtual router's id; decoded and judged here. */
  | ({ readonly type: 'packet' } & Datagram)
  /**
   * The wall clock in microseconds since 1970, for a router with `hmac`: before `start`, then each second, so
   * that a step of the clock is noticed.
   */
  | { readonly type: 'clock'; readonly utc: number }
  /** A planned hand-over: become backup, and do not preempt whoever takes over. */
  | { readonly type: 'resign'; readonly why: string }
  /**
   * A planned hand-over of another master: be master at once, without a wait for its silence, and in peace with it for
   * as long as `truce`. For a backup only.
   */
  | { readonly type: 'take'; readonly why: string; readonly truce: Duration }
  /** Another one takes over now: serve on, in peace with it, until told to resign or yield. For a master only. */
  | { readonly type: 'truce'; readonly truce: Duration }
  /**
   * Other settings for the same virtual router (VRID, family and interface stay). What they do not change is
   * not touched: a master stays master, with an advert at once.
   */
  | { readonly type: 'configure'; readonly settings: VrrpSettings }
  /** News of something tracked. */
  | TrackEvent
  /** The process stood still for too long: give up, for `why`, before anything else is said. For a master only. */
  | { readonly type: 'woke'; readonly why?: string }
  /** Whether our connection table has all that the master's has; again and again. */
  | { readonly type: 'synced'; readonly complete: boolean }
  /** From the sync group: why another member keeps it from serving; `undefined` when none does. */
  | { readonly type: 'group'; readonly fault: string | undefined }
  /** From the sync group: another member heard a lesser master, so announce the addresses again. */
  | { readonly type: 'contest' }
  /** From the sync group: all members are ready, so be master. For a candidate only. */
  | { readonly type: 'elect' }
  /** From the sync group: another member ceased to be master, so cease too. */
  | {
      readonly type: 'yield';
      readonly why: string;
      /** Who takes over is on its way: no other one is to follow at once. */
      readonly quiet?: boolean;
    }
  /** What became of each `send`, right when it was performed. */
  | { readonly type: 'sent' }
  | UnsentEvent
  /** What became of `ask`; `trouble`: why nobody was asked. */
  | { readonly type: 'asked'; readonly trouble?: string }
  /** Somebody with this MAC address answered for one of the addresses. */
  | { readonly type: 'answered'; readonly address: Ip; readonly mac: string }
  /** A director sends connection sync from that address. `own`: by the daemon that follows this virtual router. */
  | { readonly type: 'carried'; readonly from: Ip; readonly own: boolean }
  /** What became of `weigh`: how the link is, and what the cluster knows. */
  | { readonly type: 'weighed'; readonly link: Clues['link']; readonly cluster: ClusterWord };

/** What a sync group needs to know of a member. */
export interface Standing {
  readonly state: VrrpState;
  /** Why it cannot serve, for reasons of its own. */
  readonly fault?: string | undefined;
  /** Whether it follows a master. */
  readonly follows: boolean;
  /** It gave up being master for a planned hand-over, and does not preempt who is it now. */
  readonly resigned?: boolean;
  /** Why it would become master now, were it alone; only as BACKUP. */
  readonly candidate?: string | undefined;
  /** The effective one, of a candidate or master. */
  readonly priority?: number;
  /** A candidate that takes nothing from a lesser master: `nopreempt`, or after a planned hand-over. */
  readonly spares?: boolean;
}

/** What the shell is to do, in this order. */
export type VrrpEffect =
  /** Answered by `sent` or `unsent` before the next effect is performed. */
  | {
      readonly type: 'send';
      /** Shared between effects: not to be written to. */
      readonly payload: Uint8Array;
      /** The IP header and the authentication header, where a signature covers them: to be sent as they are. */
      readonly header?: Uint8Array;
      readonly source: Ip;
      readonly destination: Ip;
      /** TTL or hop limit. */
      readonly ttl: number;
    }
  /**
   * The addresses must be on their interfaces from now on: install what is missing, and where `lease` is not
   * 0 give each that lifetime. Each advert that is sent while they are held renews it: nothing else may, so
   * that the lease never outlives what the peers heard. Where the last advert did not leave (`advertLeft`), nothing is
   * installed before one does. Idempotent; repeated after a stall.
   */
  | { readonly type: 'hold'; readonly addresses: readonly VirtualAddress[]; readonly lease: Duration }
  /** The addresses must not be there: also those left by an earlier run. Idempotent. */
  | { readonly type: 'release'; readonly addresses: readonly VirtualAddress[] }
  /** One burst: `repeat` gratuitous ARPs or unsolicited neighbour advertisements for each address. */
  | { readonly type: 'announce'; readonly addresses: readonly VirtualAddress[]; readonly repeat: number }
  /** For the sync group, when it is in one: at each change. */
  | { readonly type: 'standing'; readonly group: string; readonly standing: Standing }
  | {
      readonly type: 'transition';
      readonly from: VrrpState;
      readonly to: VrrpState;
      /** For people: `no advert from 10.0.0.1 for 3.61 s`. */
      readonly cause: string;
    }
  /** The effective priority is another now. */
  | { readonly type: 'priority'; readonly priority: number }
  /** As master, a lesser router was heard that believes to be master too; at most twice an advert interval. */
  | { readonly type: 'contested' }
  /** An advert was dropped; the log's line for `count` such since the last line. */
  | {
      readonly type: 'rejected';
      readonly reason: RejectReason;
      readonly source: Ip;
      readonly count: number;
      /** What differs, in words, where that is known. */
      readonly why?: string;
    }
  /** Another router claims this virtual router beside us, and why no election settles that; it ended without `why`. */
  | { readonly type: 'other-master'; readonly address: Ip; readonly why: string | undefined }
  /** An advert was odd but accepted; `count` as above. */
  | { readonly type: 'noticed'; readonly notice: Notice; readonly source: Ip; readonly count: number }
  /** Adverts do not leave; `count` as above. */
  | { readonly type: 'not-sent'; readonly why: string; readonly count: number }
  /** A timer ran `late` after its deadline and was not believed, or cost us the lease; `count` as above. */
  | { readonly type: 'stalled'; readonly late: Duration; readonly count: number; readonly what: string }
  /** Ask the link for the silent master and these addresses, and `listen` so long; answered by `asked`. */
  | {
      readonly type: 'ask';
      readonly master: Ip;
      readonly addresses: readonly VirtualAddress[];
      readonly listen: Duration;
    }
  /** Say with `carried` who sends connection sync, for so long. */
  | { readonly type: 'listen'; readonly lasts: Duration }
  /** Say at once what else is known of the silent master; answered by `weighed`. */
  | { readonly type: 'weigh'; readonly master: Ip }
  /** What `takeover_policy` made of its silence. */
  | { readonly type: 'decided'; readonly decision: Decision }
  /** Its adverts have stopped, and its addresses are served on: once for each silence. */
  | { readonly type: 'still-served'; readonly master: Ip; readonly why: string }
  /** It is to be switched off first; without a `why` not any more. */
  | { readonly type: 'fence'; readonly master: Ip; readonly why?: string };

/** Another router that claims the same virtual router, and that no election can settle. */
export interface OtherMaster {
  readonly address: Ip;
  /** For people: `password differs`. */
  readonly why: string;
  readonly since: Instant;
  readonly heard: Instant;
}

/** Another router of the same virtual router, by its last advert that was in order. */
export interface HeardPeer {
  readonly address: Ip;
  /** 0 when it gave up being master with that. */
  readonly priority: number;
  readonly heard: Instant;
}

/** A virtual router as people want to see it. */
export interface VrrpStatus {
  readonly name: string;
  readonly state: VrrpState;
  /** When the state was entered, and why. */
  readonly since: Instant;
  readonly cause: string;
  /** The effective one: what is tracked counts. */
  readonly priority: number;
  /** Every reason why it cannot serve now. */
  readonly faults: readonly string[];
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
  /** Whoever was heard last, in any state. */
  readonly peer: HeardPeer | undefined;
  /** Others that claim this virtual router too, and that no election can settle: alarming. */
  readonly otherMasters: readonly OtherMaster[];
  readonly deadline: Instant | undefined;
  /** Absent without a `takeover_policy` other than `silence`. */
  readonly takeover?: TakeoverStatus | undefined;
  readonly statistics: Readonly<VrrpStatistics>;
}
