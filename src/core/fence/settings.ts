import type { Ip } from '../ip.ts';
import type { Duration } from '../time.ts';
import type { DeviceSettings } from './device.ts';

/** Where a node of a cluster is reached: any of its addresses will do. */
export interface NodeSettings {
  readonly name: string;
  readonly addresses: readonly Ip[];
}

/** The blocks `heartbeat` and `witness`: who votes on who may hold the virtual addresses. */
export interface ClusterSettings {
  readonly cluster: string;
  /** Which of the directors this one is. */
  readonly name: string;
  /** In the order of the file, which is the same on each of them. */
  readonly directors: readonly NodeSettings[];
  readonly witness?: NodeSettings & { readonly port: number };
  /** The UDP port of the directors. */
  readonly port: number;
  readonly keyFile: string;
  /** Between two heartbeats. */
  readonly interval: Duration;
  /** No promise is longer, and who starts is silent as long. */
  readonly longest: Duration;
  /** How much faster one clock may go than another: 0.01 is one percent. */
  readonly margin: number;
}

/** The blocks `fence_device` and `fencing`. */
export interface FencingSettings {
  readonly devices: readonly DeviceSettings[];
  /** What a director may do that has heard no other one since its start. */
  readonly startup: 'wait' | 'fence';
  /** When no device works. */
  readonly onFailure: 'wait' | 'take';
}

/** With fewer voters the loss of one is the loss of the majority: nobody could ever take over. */
export const VOTERS_LEAST = 3;

export const votersOf = ({ directors, witness }: ClusterSettings): number =>
  directors.length + (witness === undefined ? 0 : 1);
