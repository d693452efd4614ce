import type { Family, Ip, Prefix } from '../ip.ts';
import type { Duration } from '../time.ts';
import type { TakeoverPolicy } from './takeover.ts';

/** Words of an address line that the kernel has a flag for. */
export const ADDRESS_FLAGS = ['home', 'mngtmpaddr', 'noprefixroute', 'autojoin', '-nodad'] as const;
export type AddressFlag = (typeof ADDRESS_FLAGS)[number];

/** One line of `virtual_ipaddress`: an address to hold while master. */
export interface VirtualAddress {
  /** With a peer, the length is that of the peer's prefix. */
  readonly address: Prefix;
  /** `peer`: who is at the other end of a point-to-point link. */
  readonly peer?: Ip;
  /** `dev`: the interface that gets the address; the instance's own when absent. */
  readonly dev?: string;
  readonly label?: string;
  readonly broadcast?: Ip;
  /** rtnetlink scope number: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** `home`, `mngtmpaddr`, `noprefixroute`, `autojoin`; `-nodad`: duplicates are looked for. */
  readonly flags?: readonly AddressFlag[];
  /** `preferred_lft`: seconds until it is no source any more; of an IPv6 host address 0 when absent, else for ever. */
  readonly preferred?: number | 'forever';
  /** False is `no_track`: when somebody removes it, it stays away until it is held anew. */
  readonly tracked?: boolean;
  /** `use_vmac`: it is on this VMAC upon `dev`. */
  readonly vmac?: { readonly name: string; readonly mac: string };
}

/** `use_vmac` or `use_ipvlan`: an interface of the virtual router's own, upon `interface`. */
export interface VirtualInterface {
  readonly name: string;
  /** `group`: of interfaces. */
  readonly group?: number;
  readonly sort:
    | { readonly kind: 'macvlan'; readonly mac: string }
    | { readonly kind: 'ipvlan'; readonly mode: 'bridge' | 'private' | 'vepa' };
  /** An ipvlan's own address, which its adverts come from. */
  readonly address?: Prefix;
}

/** How gratuitous ARP and unsolicited neighbour advertisements are repeated (keepalived's garp_*). */
export interface AnnounceSettings {
  /** `garp_master_repeat`: frames an address in a burst, at least 1. */
  readonly repeat: number;
  /** `garp_master_delay`: from the first burst to the second; 0 for no second burst. */
  readonly delay: Duration;
  /** `garp_master_refresh`: period of the refresh while master; 0 for none. */
  readonly refresh: Duration;
  /** `garp_master_refresh_repeat`. */
  readonly refreshRepeat: number;
  /** `garp_extra_if`: the period of a refresh of addresses that are not where the adverts are, and of which. */
  readonly elsewhere?: { readonly period: Duration; readonly all: boolean };
  /** `garp_lower_prio_repeat`: frames an address after a lesser master was heard, 0 for none; else `repeat`. */
  readonly lowerRepeat?: number;
  /** `garp_lower_prio_delay`: from that burst to its second; else `delay`. */
  readonly lowerDelay?: Duration;
}

/** The least time between two announcements, 0 for none. */
export interface Pace {
  /** Of gratuitous ARP. */
  readonly garp: Duration;
  /** Of unsolicited neighbour advertisements. */
  readonly gna: Duration;
}

/** A `garp_group` block: these interfaces share their gaps. */
export interface PacingGroup extends Pace {
  readonly interfaces: readonly string[];
}

/** `vrrp_garp_interval` and `vrrp_gna_interval`, of each interface that is in no group. */
export interface PacingSettings extends Pace {
  readonly groups: readonly PacingGroup[];
}

/** What can be watched. An interface is watched as it is; the others have a block that says how. */
export const TRACK_KINDS = ['interface', 'script', 'file', 'process', 'bfd', 'quorum'] as const;
export type TrackKind = (typeof TRACK_KINDS)[number];

/** One line of `track_interface`, `track_script`, `track_file`, `track_process` or `track_bfd`. */
export interface TrackSettings {
  readonly kind: TrackKind;
  /** The interface's, script's, file's, process's or BFD instance's. */
  readonly name: string;
  /**
   * -254..254, the block's own where the line has none. 0: what is bad is a FAULT. For a file, the factor of
   * the number in it.
   */
  readonly weight: number;
  /** `reverse`: good and bad are swapped; for a file, the number's sign. */
  readonly reverse: boolean;
}

/** One line of `unicast_peer`. */
export interface UnicastPeer {
  readonly address: Ip;
  /** `min_ttl`, `max_ttl`: of adverts that come from this peer; not checked when absent. */
  readonly minTtl?: number;
  readonly maxTtl?: number;
}

/** A `vrrp_sync_group` block: virtual routers that are master together or not at all. */
export interface GroupSettings extends TakeoverSettings {
  readonly name: string;
  /** Names of virtual routers, at least one. A virtual router is in one group at most. */
  readonly members: readonly string[];
  /** The group's trackers: they apply to every member. */
  readonly track: readonly TrackSettings[];
  /** `sync_group_tracking_weight`: members may have weighted trackers of their own. */
  readonly weights: boolean;
}

/** A line of `interface_up_down_delays`: changes of the link are believed when they have lasted so long. */
export interface LinkDelays {
  readonly interface: string;
  readonly down: Duration;
  readonly up: Duration;
}

/** How long virtual routers wait before they begin. */
export interface StartSettings {
  /** `vrrp_startup_delay`: counted from the start of the process. */
  readonly delay: Duration;
  /** `vrrp_delay_after_boot`: counted from the machine's; the later of the two wins. */
  readonly afterBoot: Duration;
}

/** A shared secret of `auth_hmac`: `key ID VALUE`. */
export interface HmacKey {
  /** 1..255. */
  readonly id: number;
  /** Hexadecimal; 32 to 64 bytes. */
  readonly secret: string;
}

/** An `auth_hmac` block (draft-cassen-vrrp-auth-hmac, keepalived 2.4.3). */
export interface HmacSettings {
  /** All of them verify; ids are unique. */
  readonly keys: readonly HmacKey[];
  /** `active_key`: the id of the key that signs, one of `keys`. */
  readonly activeKey: number;
  /**
   * `mode`, the steps of a rollout: `receive-only` verifies trailers and sends none, `permissive` signs and
   * takes adverts without a trailer too, `enforce` does not.
   */
  readonly mode: 'enforce' | 'permissive' | 'receive-only';
  /** `anti_replay`: `time` needs clocks that agree, `monotonic` only that a sender's sequence grows. */
  readonly antiReplay: 'time' | 'monotonic';
  /** `time_window`: how far from our clock a trailer of `time` may be; whole seconds, 1..300 s. */
  readonly window: Duration;
}

/** What stands between a virtual router, or a sync group, and its addresses when its master is not heard. */
export interface TakeoverSettings {
  /** `on_fence_failure`; absent: what the block `fencing` says. */
  readonly onFenceFailure?: 'wait' | 'take' | 'manual';
  /** `takeover_policy`; absent: `silence`. */
  readonly takeoverPolicy?: TakeoverPolicy;
}

/** One virtual router: a `vrrp_instance` block. */
export interface VrrpSettings extends TakeoverSettings {
  readonly name: string;
  readonly interface: string;
  readonly family: Family;
  readonly version: 2 | 3;
  /** 1..255. */
  readonly vrid: number;
  /** What tells it apart from one above in the file with the same VRID, family and interface; absent without one. */
  readonly apart?: string;
  /** 1..255; 255 is the address owner. */
  readonly priority: number;
  /**
   * `state`: only a wish; a router that is not the owner still listens, for one master-down interval. In a sync group,
   * MASTER listens only as long as a living master may be silent.
   */
  readonly initial: 'MASTER' | 'BACKUP';
  /** `advert_int`: whole seconds for version 2, whole centiseconds for version 3. */
  readonly advertInterval: Duration;
  /** `preempt` / `nopreempt`. */
  readonly preempt: boolean;
  /** `preempt_delay`: how long a lesser master is left alone once it is heard; not at all when absent. */
  readonly preemptDelay?: Duration;
  /** `preempt_after_sync`: how long a lesser master is left alone at most until our connection table is complete. */
  readonly preemptAfterSync?: Duration;
  /** `use_vmac`, `use_ipvlan`: what has the addresses, and sends the adverts unless `transmitBase`. */
  readonly virtual?: VirtualInterface;
  /** `vmac_xmit_base`: adverts leave from `interface`, with its MAC address. */
  readonly transmitBase?: boolean;
  /** `promote_secondaries`: the setting of the same name of `interface` is on while this runs. */
  readonly promoteSecondaries?: true;
  /** `no_accept`: what is sent to the addresses is dropped, and what is sent from them. */
  readonly noAccept?: boolean;
  /** `skip_check_adv_addr`: a backup compares no addresses in adverts of the master that it follows. */
  readonly skipAddressCheck?: boolean;
  /**
   * `mcast_src_ip`, `unicast_src_ip`: source of the adverts; the interface's primary or link-local address when
   * absent.
   */
  readonly source?: Ip;
  /** `mcast_dst_ip`: the multicast group of the adverts; the RFC's when absent. */
  readonly destination?: Ip;
  /** `unicast_peer`: adverts go to these instead of a group. Absent or empty for multicast. */
  readonly peers?: readonly UnicastPeer[];
  /** `unicast_ttl`: TTL or hop limit of unicast adverts, 255 when absent. */
  readonly unicastTtl?: number;
  /** `check_unicast_src`: only adverts of the peers count; false when absent. */
  readonly checkPeers?: boolean;
  /** The addresses that adverts carry, in the file's order; for IPv6 the first is link-local. */
  readonly addresses: readonly VirtualAddress[];
  /** `virtual_ipaddress_excluded`: held, not advertised. */
  readonly excluded: readonly VirtualAddress[];
  /** `authentication { auth_type PASS }`, version 2 only: up to 8 bytes of text. */
  readonly password?: string;
  /** `authentication { auth_type AH }`, version 2 over IPv4 only: the password, which keys the header's ICV. */
  readonly ah?: string;
  /** `auth_hmac`; instead of `password` and `ah`. */
  readonly hmac?: HmacSettings;
  /** `v3_checksum_as_v2`: send version 3 over IPv4 without the pseudo header, as RFC 9568 has it. */
  readonly plainChecksum: boolean;
  /** `down_timer_adverts`: adverts that must be missed, 3 unless said. */
  readonly downAdverts: number;
  /** `lower_prio_no_advert`: do not answer a lower-priority advert with an advert at once. */
  readonly quietToLower: boolean;
  /**
   * `higher_prio_send_advert`: a last advert when giving way to a better master, so that it announces the
   * addresses again. On when absent; keepalived's default is off.
   */
  readonly answerHigher?: boolean;
  /** `owner_ignore_adverts`: an address owner that is master takes no notice of others. Off when absent. */
  readonly ownerIgnores?: boolean;
  /** Of the instance itself; its group's are added by `memberSettings`. None when absent. */
  readonly track?: readonly TrackSettings[];
  /** False is `dont_track_primary`: the interface's link does not matter, only that there is a source. */
  readonly trackPrimary?: boolean;
  /** The sync group, set by `memberSettings`. Without one, it becomes master by itself. */
  readonly group?: string;
  readonly announce: AnnounceSettings;
  /** `vip_lease` (ours): the kernel's lifetime of the addresses, whole seconds; 0 for permanent addresses. */
  readonly lease: Duration;
  /** So long after an advert packets for the addresses are answered: the packet filter's lease. Absent without one. */
  readonly term?: Duration;
}
