import type { Duration } from '../time.ts';

/** A program with its arguments, and who runs it: `script_user`, or the daemon's own user, when absent. */
export interface ScriptCommand {
  readonly command: readonly string[];
  readonly user?: { readonly uid: number; readonly gid: number };
}

/**
 * `any` is `notify`, which gets four arguments; `lower` is `notify_master_rx_lower_pri`. `up` and `down` are
 * `notify_up`, `notify_down` of a real server and `quorum_up`, `quorum_down` of a virtual one.
 */
export type NotifyEvent =
  | 'master'
  | 'backup'
  | 'fault'
  | 'stop'
  | 'any'
  | 'deleted'
  | 'lower'
  | 'up'
  | 'down';

/** Who hears of one instance, group, virtual server or real server, or (`fencing`) of alarms of the cluster. */
export interface NotifySettings {
  readonly of: 'instance' | 'group' | 'service' | 'server' | 'fencing';
  /** Empty for `fencing`: there is one. */
  readonly name: string;
  /** Of a real server: its virtual server. */
  readonly service?: string;
  readonly scripts: { readonly [event in NotifyEvent]?: ScriptCommand };
  /** `smtp_alert`, or what the global switches say. */
  readonly mail: boolean;
  /** `notify_priority_changes`. */
  readonly priorities?: boolean;
  /** `notify_deleted` without a script: its end by a reload is told as DELETED all the same, not as FAULT. */
  readonly toldOfEnd?: boolean;
  /** `omega`: it is told of its end when the daemon stops. */
  readonly omega?: boolean;
}

/** A named pipe for events, and the program that reads it. */
export interface FifoSettings {
  readonly path: string;
  /** Who owns it: the daemon's user when absent. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Gets the path as its last argument. */
  readonly reader?: ScriptCommand;
}

/** `all` is `notify_fifo`; the others are of VRRP and of the checkers. */
export type FifoKind = 'all' | 'vrrp' | 'lvs';

export interface MailSettings {
  readonly to: readonly string[];
  readonly from?: string;
  readonly host: string;
  readonly port: number;
  /** `smtp_helo_name`; the host's name when absent. */
  readonly helo?: string;
  readonly connectTimeout: Duration;
  /** `no_email_faults`: no mail when something goes to FAULT. */
  readonly faults: boolean;
  /** `no_checker_emails`: mail for a real server as a whole, not for each of its checkers. */
  readonly eachCheck: boolean;
}

/** Everything that tells others what happened. */
export interface NotifyConfiguration {
  /** Of those that have a script, mail, or priority changes. */
  readonly subjects: readonly NotifySettings[];
  readonly fifos: { readonly [kind in FifoKind]?: FifoSettings };
  /** Absent: no mail. */
  readonly mail?: MailSettings;
  /** `notify_timeout` (ours): a script that takes longer is ended. */
  readonly timeout: Duration;
  /** `fifo_write_vrrp_states_on_reload`. */
  readonly statesOnReload: boolean;
}
