import type { BfdSettings } from '../bfd/settings.ts';
import type { ClusterSettings, FencingSettings } from '../fence/settings.ts';
import type { WatchdogSettings } from '../fence/watchdog.ts';
import type { NotifyConfiguration, ScriptCommand } from '../notify/settings.ts';
import type { FirewallSettings } from '../reconcile/firewall.ts';
import type { MasterRouting, StaticSettings } from '../reconcile/settings.ts';
import type { VirtualServerSettings } from '../serving/settings.ts';
import type { Placements } from '../supervision/placement.ts';
import type { SyncDaemonSettings } from '../sync/settings.ts';
import type { LvsSysctl } from '../sync/sysctls.ts';
import type { Duration } from '../time.ts';
import type { ScriptSettings, TrackFileSettings, TrackProcessSettings } from '../track/settings.ts';
import type {
  GroupSettings,
  LinkDelays,
  PacingSettings,
  StartSettings,
  VrrpSettings,
} from '../vrrp/settings.ts';
import type { Identity } from './facts.ts';

/** What a configuration file means, built by `build.ts`. All of it is plain data that crosses processes. */
export interface Configuration {
  readonly global: GlobalSettings;
  readonly instances: readonly VrrpSettings[];
  readonly groups: readonly GroupSettings[];
  /** Routes and rules of the instances that have any. */
  readonly routing: readonly MasterRouting[];
  readonly statics: StaticSettings;
  readonly pacing: PacingSettings;
  readonly scripts: readonly ScriptSettings[];
  readonly files: readonly TrackFileSettings[];
  readonly processes: readonly TrackProcessSettings[];
  readonly bfd: readonly BfdSettings[];
  /** Who votes on who may hold the addresses; absent where nobody does. */
  readonly cluster?: ClusterSettings;
  /** What switches directors off that are silent; absent where nothing does. */
  readonly fencing?: FencingSettings;
  /** Resets this host when it can no longer be trusted; absent where nothing does. */
  readonly watchdog?: WatchdogSettings;
  readonly delays: readonly LinkDelays[];
  /** Who is told of what happens. */
  readonly notify: NotifyConfiguration;
  readonly virtualServers: readonly VirtualServerSettings[];
  readonly syncDaemon?: SyncDaemonSettings;
}

/** The network namespaces (ip-netns(8)) that a file names. */
export interface Namespaces {
  /** `net_namespace`: of the whole daemon. */
  readonly own?: string;
  /** `net_namespace_ipvs`: of the IPVS table; empty for the one that the daemon is started in. */
  readonly ipvs?: string;
}

export interface GlobalSettings {
  readonly namespaces: Namespaces;
  /** `router_id`: this director's name in messages; the host's name when absent. */
  readonly routerId?: string;
  readonly placements: Placements;
  /** How long virtual routers wait before they begin. */
  readonly start: StartSettings;
  /** `script_user`, else the user `keepalived_script` where there is one; absent for the daemon's own. */
  readonly scriptUser?: Identity;
  /** `enable_script_security`: root runs no script that others can write. */
  readonly scriptSecurity: boolean;
  /** `set_supplementary_groups`: scripts have all groups of their user. */
  readonly scriptGroups: boolean;
  /** `startup_script`, `shutdown_script`: run before the first process starts and after the last has ended. */
  readonly startup?: OwnScript;
  readonly shutdown?: OwnScript;
  /** `state_dump_file`, `stats_dump_file`, `json_dump_file`: where signals have files written, if not in /tmp. */
  readonly dumps: {
    readonly state?: string;
    readonly stats?: string;
    readonly json?: string;
    readonly jsonVersion: 1 | 2;
  };
  readonly reload: {
    /** `reload_time_file`, and `reload_repeat`: it is kept. */
    readonly timeFile?: string;
    readonly repeat: boolean;
    /** `reload_file`: there while the configuration is read; empty for the usual place. */
    readonly marker?: string;
  };
  /** `config_save_dir`: where copies of what is loaded are kept, none when absent. */
  readonly saveFolder?: string;
  /** `umask`: of files that are made; as it was when absent. */
  readonly umask?: number;
  /** `child_wait_time`: how long processes may take to end. */
  readonly stopGrace: Duration;
  readonly firewall: FirewallSettings;
  /** `nftables_lease`: leases of milliseconds, in tables of their own. */
  readonly leaseTables: boolean;
  /** `vmac_addr_prefix`, else `vmac_prefix`, where one is written. */
  readonly vmacPrefix?: string;
  /** `dynamic_interfaces`: it is no warning that an interface is not there yet. */
  readonly dynamicInterfaces: boolean;
  /** `disable_local_igmp`: the host does not report groups in 224.0.0.0/24. */
  readonly quietIgmp: boolean;
  /** `log_unknown_vrids`: say that adverts came of virtual routers that are not configured. */
  readonly logUnknownVrids: boolean;
  /** `lvs_flush`: empty the IPVS table at start. */
  readonly flush: boolean;
  /** `lvs_flush_on_stop`: empty the whole table at stop instead of removing our services. */
  readonly flushOnStop: boolean;
  /** `lvs_timeouts`, in seconds; what is absent stays as the kernel has it. */
  readonly timeouts?: LvsTimeouts;
  /** `lvs_sysctl`: settings of IPVS in the kernel. */
  readonly lvsSysctls?: readonly LvsSysctl[];
  /** `rs_init_notifies`: `notify_up` of the servers that are up at the start, too. */
  readonly initNotifies: boolean;
}

/** Timeouts of IPVS connections, in seconds. */
export interface LvsTimeouts {
  readonly tcp?: number;
  readonly tcpfin?: number;
  readonly udp?: number;
}

/** A script of the daemon itself, and how long it may take. */
export interface OwnScript extends ScriptCommand {
  readonly timeout: Duration;
}

/** Where something stands in the configuration: 1-based line and column. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something wrong or doubtful in a configuration, ready to be shown. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly at: Location;
  /** The text of the line and how many characters the caret underlines. */
  readonly source: string;
  readonly length: number;
  /** What to do about it: the nearest spelling, the range. */
  readonly hint?: string;
  /** It is about the security of scripts. */
  readonly security?: boolean;
  /** The other place that belongs to it: where the block began, where the first of two stands. */
  readonly related?: { readonly what: string; readonly at: Location };
  /** The include statements that led to the file, innermost first; absent in the main file. */
  readonly includedFrom?: readonly Location[];
}
