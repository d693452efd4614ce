/**
 * What scripts, FIFOs and mails are told of. The process where it happened says it; the supervisor knows who is to
 * hear of it. A happening carries names only, so that a process without privileges can have nothing run.
 */

/** What the cause of a change begins with that was led by both directors. */
export const PLANNED = 'planned hand-over';

/** What becomes of a virtual router or a sync group. */
export type RouterWord = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED';
/**
 * Events of a virtual router that leave its state as it is: keepalived's, and ours: `OTHER_MASTER`, another router
 * claims it too; `STILL_SERVED`, its master is not heard, but serves on.
 */
export type RouterNews =
  | 'MASTER_RX_LOWER_PRI'
  | 'MASTER_PRIORITY'
  | 'BACKUP_PRIORITY'
  | 'OTHER_MASTER'
  | 'STILL_SERVED';

export interface InstanceHappening {
  readonly of: 'instance';
  readonly name: string;
  readonly what: RouterWord | RouterNews;
  /** What it was before. */
  readonly from: string;
  /** The effective priority. */
  readonly priority: number;
  /** For people: `no advert from 10.0.0.1 for 3.61 s`. */
  readonly cause: string;
}

export interface GroupHappening {
  readonly of: 'group';
  readonly name: string;
  readonly what: RouterWord;
  readonly from: string;
  readonly cause: string;
}

/** A virtual server gained or lost its quorum, or its guard (`min_up`) began or ceased to keep servers. */
export interface ServiceHappening {
  readonly of: 'service';
  /** keepalived's name of it: `serviceTitle`. */
  readonly name: string;
  readonly what: 'UP' | 'DOWN' | 'GUARDED' | 'UNGUARDED';
  /** The mail's text: `Gained quorum 1+0=1 <= 2`. */
  readonly text: string;
  readonly cause: string;
  /** It is so because the daemon stops: only told with `omega`. */
  readonly stopping?: boolean;
}

/** A real server of a virtual server came or went. */
export interface ServerHappening {
  readonly of: 'server';
  /** keepalived's name of it: `serverTitle`. */
  readonly name: string;
  readonly service: string;
  readonly what: 'UP' | 'DOWN';
  readonly cause: string;
  readonly stopping?: boolean;
  /** A reload took it out. */
  readonly removed?: boolean;
}

/** One checker of a real server changed its mind: mail only. */
export interface CheckHappening {
  readonly of: 'check';
  /** The real server's. */
  readonly name: string;
  readonly service: string;
  /** The real server as a whole. */
  readonly what: 'UP' | 'DOWN';
  /** Whether it became so by this. */
  readonly turned: boolean;
  /** `TCP CHECK failed on service`. */
  readonly text: string;
  readonly cause: string;
}

/** Another director or a witness of the cluster: its wall clock differs from ours, or does not any more. */
export interface VoterHappening {
  readonly of: 'voter';
  readonly name: string;
  readonly what: 'CLOCK_APART' | 'CLOCK_AGREES';
  /** For people: `the clock of b is 3600.0 s ahead of ours: logs and certificates disagree`. */
  readonly cause: string;
}

/**
 * What people are to hear of a cluster: a director was switched off, or could not be; a fence device ceased to work;
 * the votes for a virtual router were lost, or are not to be had; a backup lacks connections of the master. Said once,
 * when it becomes so.
 */
export interface AlarmHappening {
  readonly of: 'alarm';
  readonly about: 'director' | 'device' | 'votes' | 'sync';
  /** Of the director, the device, the virtual router or sync group; with `sync`, what lvs_sync_daemon follows. */
  readonly name: string;
  readonly what:
    | 'OFF'
    | 'CONFIRMED_OFF'
    | 'FENCE_FAILED'
    | 'DEAD'
    | 'WORKS'
    | 'LOST'
    | 'MISSING'
    | 'INCOMPLETE'
    | 'COMPLETE';
  readonly cause: string;
}

export type Happening =
  | VoterHappening
  | InstanceHappening
  | GroupHappening
  | ServiceHappening
  | ServerHappening
  | CheckHappening
  | AlarmHappening;
