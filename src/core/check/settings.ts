import type { Ip } from '../ip.ts';
import type { Duration } from '../time.ts';
import type { BfdCheck } from './bfd.ts';

/** What every checker that probes on a schedule has (keepalived's "common checker keywords"). */
export interface CheckTiming {
  /** `delay_loop`: the period between checks. */
  readonly period: Duration;
  /** `warmup`: the first check starts within this after the start, spread evenly. */
  readonly warmup: Duration;
  /** `retry`: further tries before a server that was up is called down. */
  readonly retries: number;
  /** `delay_before_retry`. */
  readonly retryDelay: Duration;
  /** `alpha`: the server counts as down until the first success. */
  readonly alpha: boolean;
}

/** `TCP_CHECK`: a connection is made and closed. */
export interface TcpCheck extends CheckTiming {
  readonly kind: 'tcp';
  /** Probe target: `connect_ip` / `connect_port`, or the real server itself. */
  readonly address: Ip;
  readonly port: number;
  /** `connect_timeout`. */
  readonly timeout: Duration;
  /** `bindto`: source address. */
  readonly source?: Ip;
  /** `bind_port`: source port. */
  readonly sourcePort?: number;
}

/** The checkers that probe on a schedule; each kind adds its own member. */
export type ProbeSettings = TcpCheck;
/** One checker's settings. */
export type CheckSettings = ProbeSettings | BfdCheck;
