import type { Ip } from '../ip.ts';
import type { InterfaceAddress } from '../netlink/address.ts';
import type { Link } from '../netlink/link.ts';
import type { Outcome } from '../netlink/message.ts';
import type { Duration, Instant } from '../time.ts';
import type { HeldAddress } from './events.ts';

/** How a transaction of nf_tables ended, and which of its requests was refused. */
export type Transacted = Outcome & { readonly asked?: string };

/** A virtual address, on the interface of this number where it is link-local: on another one it is somebody else. */
export interface Guarded {
  readonly address: Ip;
  readonly ifindex?: number | undefined;
}

/** What is done to the tables, by the words of `LeaseTable`; a lease by its number. */
export type LeaseStep =
  | { readonly op: 'make' | 'remove' }
  | { readonly op: 'close' | 'end'; readonly lease: number }
  /** `next`: what is going to be asked for soon, and then at once. */
  | { readonly op: 'open'; readonly lease: number; readonly next?: readonly LeaseStep[] }
  | { readonly op: 'grant'; readonly lease: number; readonly timeout: number }
  | { readonly op: 'guard'; readonly lease: number; readonly guarded: readonly Guarded[] }
  | { readonly op: 'unguard'; readonly guarded: readonly Guarded[] };

export type LeasesEvent =
  /** All interfaces there are now. */
  | { readonly type: 'links'; readonly links: readonly Link[] }
  /** All addresses there are now: after a dump. */
  | { readonly type: 'shown'; readonly addresses: readonly InterfaceAddress[] }
  | { readonly type: 'seen'; readonly address: InterfaceAddress; readonly present: boolean }
  /** The kernel is to have leases in a table of this name; what an earlier life has left of it goes. */
  | { readonly type: 'begin'; readonly table: string }
  /** These virtual routers and no others may come to hold addresses: their leases are made beforehand. */
  | { readonly type: 'expect'; readonly owners: readonly ExpectedOwner[] }
  /**
   * The owner is about to hold exactly these, and its authority is fresh. `term`: packets for them may be answered for
   * so long after an advert; 0 for ever. `until`: when its votes end, where it needs any. `unsent`: its advert did not
   * leave, so its authority is no fresher than it was.
   */
  | ({
      readonly type: 'hold';
      readonly addresses: readonly HeldAddress[];
      readonly unsent?: boolean;
    } & Renewal)
  /** The owner's authority is fresh: its advert was just sent. */
  | ({ readonly type: 'renew' } & Renewal)
  /** The owner holds nothing more: its addresses are about to be removed, and what an earlier life has left of them. */
  | { readonly type: 'release'; readonly owner: string; readonly leftovers?: readonly HeldAddress[] }
  /** What was to be removed was asked for. */
  | { readonly type: 'settle' }
  /** Nothing is held any more, and the table goes. */
  | { readonly type: 'stop' }
  /** How the last transaction ended. */
  | { readonly type: 'done'; readonly outcome: Transacted };

/** `term`: as of `hold`. */
export interface ExpectedOwner {
  readonly owner: string;
  readonly addresses: readonly HeldAddress[];
  readonly term: Duration;
}

interface Renewal {
  readonly owner: string;
  readonly term: Duration;
  readonly until?: Instant | undefined;
}

export type LeasesEffect =
  /** All of these or none; answered by `done` before anything else happens. */
  | { readonly type: 'transact'; readonly table: string; readonly steps: readonly LeaseStep[] }
  /** There are leases in the kernel; `again`: after they had gone, or had failed. */
  | { readonly type: 'works'; readonly table: string; readonly again: boolean }
  /** There are none: why. */
  | {
      readonly type: 'fails';
      readonly table: string;
      readonly outcome: Transacted;
    };
