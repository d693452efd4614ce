import type { Ip, Prefix } from '../ip.ts';
import { addAddress, deleteAddress, type InterfaceAddress } from '../netlink/address.ts';
import type { Link } from '../netlink/link.ts';
import type { Request } from '../netlink/message.ts';
import type { Duration, Instant } from '../time.ts';
import type { AddressFlag } from '../vrrp/settings.ts';
import type { ChangeResult, ProblemEffect } from './changes.ts';

/** An address that an owner holds. */
export interface HeldAddress {
  readonly dev: string;
  /** With a peer, the length is that of the peer's prefix. */
  readonly address: Prefix;
  readonly peer?: Ip;
  /** rtnetlink scope number. */
  readonly scope: number;
  /** `home`, `mngtmpaddr`, `noprefixroute`, `autojoin`; `-nodad`: duplicates are looked for. */
  readonly flags?: readonly AddressFlag[];
  /** `preferred_lft`: seconds until it is no source any more; of an IPv6 host address 0 when absent, else for ever. */
  readonly preferred?: number | 'forever';
  /** False is `no_track`: when somebody removes it, it stays away until it is held anew. */
  readonly tracked?: boolean;
  readonly label?: string;
  readonly broadcast?: Ip;
}

export type AddressesEvent =
  /** All interfaces there are now. */
  | { readonly type: 'links'; readonly links: readonly Link[] }
  /** All addresses there are now: after a dump. */
  | { readonly type: 'shown'; readonly addresses: readonly InterfaceAddress[] }
  /** The monitor saw an address come, change or go. */
  | { readonly type: 'seen'; readonly address: InterfaceAddress; readonly present: boolean }
  /**
   * The owner's addresses are exactly these from now on, and its authority is fresh. `lease` is whole
   * seconds, 0 for addresses that stay until they are released. `unsent`: its advert did not leave, so its authority is
   * no fresher than it was, and without any nothing is installed.
   */
  | {
      readonly type: 'hold';
      readonly owner: string;
      readonly addresses: readonly HeldAddress[];
      readonly lease: Duration;
      /** The packet filter's lease, where there is one: `leases.ts`. */
      readonly term?: Duration;
      /** When its votes end, where it needs any. */
      readonly until?: Instant | undefined;
      readonly unsent?: boolean;
    }
  /** The owner's authority is fresh: its advert was just sent. */
  | {
      readonly type: 'renew';
      readonly owner: string;
      readonly term?: Duration;
      readonly until?: Instant | undefined;
    }
  /** The owner holds nothing more. `leftovers` of an earlier life go too, unless another owner holds them. */
  | { readonly type: 'release'; readonly owner: string; readonly leftovers?: readonly HeldAddress[] }
  /** Until `resume`, nothing is removed: a reload moves addresses from one owner to another. */
  | { readonly type: 'pause' | 'resume' }
  /** How changes ended; each is answered once. */
  | { readonly type: 'done'; readonly results: readonly ChangeResult[] };

export interface AddressChange {
  readonly id: number;
  /**
   * `renew` sets the lifetime of an address that is there: the monitor need not tell of it. `restore` adds one that is
   * missing. Should it be otherwise by then, each does what the other does.
   */
  readonly op: 'add' | 'renew' | 'restore' | 'remove';
  readonly address: InterfaceAddress;
}

export type AddressesEffect =
  /** At most MAX_BATCH changes, to be sent at once. */
  | { readonly type: 'apply'; readonly changes: readonly AddressChange[] }
  /** Addresses that were missing are there (again): neighbours must be told. */
  | { readonly type: 'restored'; readonly owner: string; readonly addresses: readonly HeldAddress[] }
  /** The address was there before we added it: it is ours from now on, its removal too. */
  | { readonly type: 'adopted'; readonly owner: string; readonly address: HeldAddress }
  /** The address is the host's own: it is neither renewed nor ever removed. */
  | { readonly type: 'own'; readonly owner: string; readonly address: HeldAddress }
  /** Addresses of an earlier life, which nobody holds, are removed. */
  | { readonly type: 'leftover'; readonly owner: string; readonly address: HeldAddress }
  | ProblemEffect;

/** The message that makes a change. */
export function requestOf(change: AddressChange): Request {
  if (change.op === 'remove') {
    const { ifindex, address, peer } = change.address;
    return deleteAddress(ifindex, address, peer);
  }
  return addAddress(change.address, change.op !== 'add');
}
