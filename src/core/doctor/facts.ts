import type { Ip, Prefix } from '../ip.ts';
import type { HostFacts } from '../preparation/setting.ts';

/** What of a host the examination looks at. What could not be read is absent, and `unread` says why. */
export interface DoctorFacts extends Pick<HostFacts, 'sysctls' | 'modules'> {
  readonly devices: readonly {
    readonly name: string;
    readonly up: boolean;
    readonly multicast: boolean;
    readonly addresses: readonly Prefix[];
  }[];
  /** Interfaces of default routes. */
  readonly defaultDevices: readonly string[];
  /** Of the modules that were asked for: whether modprobe(8) finds them, or the kernel has them built in. */
  readonly loadable: Readonly<Record<string, boolean>>;
  /** The rules of the packet filters as text: nft(8), iptables-save(8) and its kin. */
  readonly rules?: string;
  readonly conntrack?: { readonly count: number; readonly max: number };
  /** Whether the clock is kept by NTP. */
  readonly clockSynced?: boolean;
  /** Who else manages interfaces: its name in words, and what of each it does. */
  readonly managed: readonly {
    readonly by: 'systemd-networkd' | 'NetworkManager';
    readonly device: string;
    readonly file: string;
  }[];
  /** Hardware addresses of neighbours. */
  readonly neighbours: Readonly<Record<Ip, string>>;
  /** Programs that were asked for and are there. */
  readonly programs: readonly string[];
  /** What the virtual routers of a daemon that runs have heard; absent without one. */
  readonly heard?: readonly HeardFacts[];
  readonly unread: readonly string[];
}

export interface HeardFacts {
  readonly name: string;
  readonly state: string | null;
  /** Seconds in this state. */
  readonly age: number;
  /** Any other router, ever. */
  readonly peer: boolean;
  readonly rejected: number;
}
