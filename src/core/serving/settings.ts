import type { Destination, Service } from '../balance/model.ts';
import type { MaintenanceWindow } from '../balance/orders.ts';
import type { CheckSettings } from '../check/settings.ts';
import type { Family, Ip } from '../ip.ts';
import type { Duration } from '../time.ts';

/** A `virtual_server` block. */
export interface VirtualServerSettings {
  /** One, or all of its group: those have servers, checks and quorum in common. */
  readonly services: readonly Service[];
  /** With what its block says, and which of the blocks of that group this one is, from 0. */
  readonly group?: {
    readonly name: string;
    readonly index: number;
    readonly points: readonly ServicePoint[];
  };
  readonly realServers: readonly RealServerSettings[];
  /** `sorry_server`: serves when the quorum is lost. */
  readonly sorry?: Destination;
  /** `quorum`: alive weight that is needed, and `hysteresis` around it. */
  readonly quorum: number;
  readonly hysteresis: number;
  /** `min_up` (ours): percent of the real servers that checks must leave in service. */
  readonly minUp?: number;
  /** `sorry_server_inhibit`: while the quorum holds it stays, with weight 0. */
  readonly sorryInhibit?: true;
  /** `ha_suspend`: checked only while this host has an address of it. */
  readonly haSuspend?: true;
  /** `omega`: at the stop it is told that its servers and its quorum go down. */
  readonly omega?: true;
}

/** One address or mark, as a group's block says it. */
export type ServicePoint =
  | { readonly kind: 'address'; readonly address: Ip; readonly port: number }
  | { readonly kind: 'fwmark'; readonly mark: number; readonly family?: Family };

/** A `real_server` block. */
export interface RealServerSettings {
  readonly destination: Destination;
  /** `inhibit_on_failure`: weight 0 instead of removal. */
  readonly inhibit: boolean;
  readonly checks: readonly CheckSettings[];
  /** `slow_start` (ours): how long a server that is back takes to its full weight; absent for at once. */
  readonly slowStart?: Duration;
  /** `maintenance` (ours): when it is drained, or weighs less. */
  readonly maintenance?: readonly MaintenanceWindow[];
}
