import type { Duration } from '../../time.ts';
import type { ReadingEvent, TalkEffect } from '../bulk/events.ts';
import type { BulkMessage } from '../bulk/message.ts';
import type { Cause, OwnGroup } from './cause.ts';

/** What the two sides of a survey of connection tables hear from the shell, and want of it. */

export type AskerEvent =
  /** Whether the kernel's sync daemon runs as backup here, and whether a copy of the table is under way. */
  | { readonly type: 'watch'; readonly on: boolean; readonly copying: boolean }
  /** Counts or a sample; `own`: what this host knows of its sync group at that moment. */
  | { readonly type: 'heard'; readonly message: BulkMessage; readonly own: OwnGroup }
  | ReadingEvent;

export type AskerEffect =
  | TalkEffect
  /** Nobody answers. */
  | { readonly type: 'unanswered' }
  | { readonly type: 'unreadable'; readonly why: string }
  | ({ readonly type: 'surveyed' } & Survey)
  /** The group is broken from now on, for this reason; without one: not any more. */
  | { readonly type: 'cause'; readonly cause: Cause | undefined }
  /** A failover now would lose more than the set share; or not any more. */
  | { readonly type: 'alarm'; readonly on: boolean; readonly survey: Survey | undefined };

/** What came of comparing two tables. */
export interface Survey {
  /** The master. */
  readonly from: string;
  /** Established connections and templates that it has. */
  readonly connections: number;
  /** Of those, how many were compared; how many of them came late, and how many are not here. */
  readonly sampled: number;
  readonly late: number;
  readonly missing: number;
  /** The datagrams that its kernel sent since the survey before, and that came here; absent at the first. */
  readonly datagrams?: { readonly sent: number; readonly heard: number };
  readonly took: Duration;
}

/** In percent; a master that has nothing can lose nothing. */
export const coverageOf = ({ sampled, missing }: Pick<Survey, 'sampled' | 'missing'>): number =>
  sampled === 0 ? 100 : (100 * (sampled - missing)) / sampled;

export type TellerEvent =
  /** What the kernel's sync daemon of the master sends at most, and its interface; absent where none runs as master. */
  | { readonly type: 'serve'; readonly master: { readonly maxlen: number; readonly mtu: number } | undefined }
  /** A survey or a choose; `sent`: what the kernel has sent until now. */
  | { readonly type: 'heard'; readonly message: BulkMessage; readonly sent: number }
  /** Of established connections and templates. */
  | ReadingEvent;

export type TellerEffect =
  | TalkEffect
  /** What a backup says of itself, in percent; `undefined`: it does not know yet. */
  | { readonly type: 'told'; readonly director: string; readonly coverage: number | undefined };
