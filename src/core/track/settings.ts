import type { Duration } from '../time.ts';

/** A `vrrp_script` block: what to run, and how often it must agree. Who runs it is no concern of VRRP's. */
export interface ScriptSettings {
  readonly name: string;
  /** The program and its arguments, as split. */
  readonly command: readonly string[];
  readonly interval: Duration;
  /** The script is ended, and has failed, after so long. */
  readonly timeout: Duration;
  /** Successes in a row that make it good again, and failures that make it bad; at least 1. */
  readonly rise: number;
  readonly fall: number;
  /** `user`: identity to run as; the daemon's `script_user` when absent. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A `vrrp_track_process` block. */
export interface TrackProcessSettings {
  readonly name: string;
  readonly command: string;
  /** What must follow the command; anything may when absent. */
  readonly parameters?: readonly string[];
  /** `param_match`: all parameters, the first ones, or the first ones with the last cut short. */
  readonly match: 'exact' | 'initial' | 'partial';
  /** How many such processes there must be, and may be. */
  readonly quorum: number;
  readonly quorumMax?: number;
  /** A loss or a gain counts when it has lasted so long. */
  readonly terminateDelay: Duration;
  readonly forkDelay: Duration;
  /** `full_command`: the path in the command line is compared, not the name that the kernel keeps. */
  readonly fullCommand: boolean;
}

/** A `track_file` block: a number that is read from a file whenever it changes. */
export interface TrackFileSettings {
  readonly name: string;
  readonly path: string;
  /** `init_file`: what to write at the start, and whether a file that is there is overwritten. */
  readonly init?: { readonly value: number; readonly overwrite: boolean };
}
