import type { Family, Ip, Prefix } from '../ip.ts';
import type { Duration } from '../time.ts';

/** One line of `virtual_ipaddress`: an address to hold while master. */
export interface VirtualAddress {
  readonly address: Prefix;
  /** `dev`: the interface that gets the address; the instance's own when absent. */
  readonly dev?: string;
  readonly label?: string;
  readonly broadcast?: Ip;
  /** rtnetlink scope number: 0 global, 253 link, 254 host. */
  readonly scope: number;
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
}

/** One virtual router: a `vrrp_instance` block. */
export interface VrrpSettings {
  readonly name: string;
  readonly interface: string;
  readonly family: Family;
  readonly version: 2 | 3;
  /** 1..255. */
  readonly vrid: number;
  /** 1..255; 255 is the address owner. */
  readonly priority: number;
  /** `state`: only a wish; a router that is not the owner still listens for one master-down interval. */
  readonly initial: 'MASTER' | 'BACKUP';
  /** `advert_int`: whole seconds for version 2, whole centiseconds for version 3. */
  readonly advertInterval: Duration;
  /** `preempt` / `nopreempt`. */
  readonly preempt: boolean;
  /** `mcast_src_ip`: source of the adverts; the interface's primary or link-local address when absent. */
  readonly source?: Ip;
  /** The addresses that adverts carry, in the file's order; for IPv6 the first is link-local. */
  readonly addresses: readonly VirtualAddress[];
  /** `virtual_ipaddress_excluded`: held, not advertised. */
  readonly excluded: readonly VirtualAddress[];
  /** `authentication { auth_type PASS }`, version 2 only: up to 8 bytes of text. */
  readonly password?: string;
  /** `v3_checksum_as_v2`: send version 3 over IPv4 without the pseudo header, as RFC 9568 has it. */
  readonly plainChecksum: boolean;
  /** `down_timer_adverts`: adverts that must be missed, 3 unless said. */
  readonly downAdverts: number;
  /** `lower_prio_no_advert`: do not answer a lower-priority advert with an advert at once. */
  readonly quietToLower: boolean;
  readonly announce: AnnounceSettings;
  /** `vip_lease` (ours): the kernel's lifetime of the addresses, whole seconds; 0 for permanent addresses. */
  readonly lease: Duration;
}
