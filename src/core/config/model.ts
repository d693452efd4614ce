import type { Destination, Service } from '../balance/model.ts';
import type { CheckSettings } from '../check/settings.ts';
import type { SyncDaemonSettings } from '../sync/settings.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';

/** What a configuration file means, built by `build.ts`. All of it is plain data that crosses processes. */
export interface Configuration {
  readonly global: GlobalSettings;
  readonly instances: readonly VrrpSettings[];
  readonly virtualServers: readonly VirtualServerSettings[];
  readonly syncDaemon?: SyncDaemonSettings;
}

export interface GlobalSettings {
  /** `router_id`: this director's name in messages; the host's name when absent. */
  readonly routerId?: string;
  /** `vrrp_rt_priority`: SCHED_RR priority of the VRRP process, 50 unless said; 0 for ordinary scheduling. */
  readonly realTimePriority: number;
  /** `lvs_flush`: empty the IPVS table at start. */
  readonly flush: boolean;
  /** `lvs_flush_on_stop`: empty the whole table at stop instead of removing our services. */
  readonly flushOnStop: boolean;
}

/** A `virtual_server` block. */
export interface VirtualServerSettings {
  readonly service: Service;
  readonly realServers: readonly RealServerSettings[];
  /** `sorry_server`: serves when the quorum is lost. */
  readonly sorry?: Destination;
  /** `quorum`: alive weight that is needed, and `hysteresis` around it. */
  readonly quorum: number;
  readonly hysteresis: number;
}

/** A `real_server` block. */
export interface RealServerSettings {
  readonly destination: Destination;
  /** `inhibit_on_failure`: weight 0 instead of removal. */
  readonly inhibit: boolean;
  readonly checks: readonly CheckSettings[];
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
  /** The other place that belongs to it: where the block began, where the first of two stands. */
  readonly related?: { readonly what: string; readonly at: Location };
  /** The include statements that led to the file, innermost first; absent in the main file. */
  readonly includedFrom?: readonly Location[];
}
