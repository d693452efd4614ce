import type { Ip } from '../ip.ts';
import type { Duration, Instant } from '../time.ts';
import type { BfdState, ControlPacket, Diagnostic } from './packet.ts';
import type { BfdSettings } from './settings.ts';

/** What happens to a session. */
export type BfdEvent =
  | { readonly type: 'start' }
  /** Ends it by our own will: the neighbour is told that this is no failure. */
  | { readonly type: 'stop' }
  /** A packet that `Demultiplexer` found to be for this session. */
  | { readonly type: 'packet'; readonly packet: ControlPacket }
  /** A reload: other intervals, multiplier or weight, for the same neighbour. */
  | { readonly type: 'change'; readonly settings: BfdSettings };

/** What the shell is to do, in this order. */
export type BfdEffect =
  /** To the neighbour's port. */
  | { readonly type: 'send'; readonly payload: Uint8Array }
  | {
      readonly type: 'transition';
      readonly from: BfdState;
      readonly to: BfdState;
      readonly diagnostic: Diagnostic;
      /** For people: `nothing heard of the neighbour for 150 ms`. */
      readonly cause: string;
    }
  /** Those who track it may no longer count on the path, without a transition. */
  | { readonly type: 'unreachable'; readonly cause: string };

/** A session as people want to see it. */
export interface BfdStatus {
  readonly name: string;
  readonly neighbor: Ip;
  readonly tells: BfdSettings['tells'];
  readonly state: BfdState;
  /** Whether those who track it may count on the path; stays true when the neighbour ends the session by its will. */
  readonly reachable: boolean;
  /** When the state was entered, and why. */
  readonly since: Instant;
  readonly cause: string;
  readonly diagnostic: Diagnostic;
  /** What the neighbour said last; `undefined` when it was not heard for the detection time. */
  readonly neighborState: BfdState | undefined;
  readonly neighborDiagnostic: Diagnostic | undefined;
  /** Between our packets, before jitter. */
  readonly transmitInterval: Duration;
  /** 0 while the neighbour was not heard. */
  readonly detectionTime: Duration;
  readonly sent: number;
  readonly received: number;
  readonly wentUp: number;
  readonly wentDown: number;
}

/** `BFD session is Down: nothing heard of the neighbour for 150 ms`, for those who track it. */
export const describeSession = ({ state, cause }: Pick<BfdStatus, 'state' | 'cause'>): string =>
  `BFD session is ${state}: ${cause}`;
