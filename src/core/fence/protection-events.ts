import type { Duration, Instant } from '../time.ts';
import type { AuthorityState, VoteStatus } from './authority.ts';
import type { ClockNews } from './clocks.ts';
import type { EtcdEvent } from './etcd.ts';
import type { Rejection } from './heartbeat.ts';
import type { HandOverWord, Heartbeat, Unreadable, Word } from './heartbeat-codec.ts';
import type { Startup } from './settings.ts';

/** What a protection (`protection.ts`) is made of, what it is told, and what it answers. */

export interface ProtectionSettings {
  readonly cluster: string;
  /** Ours, as the others call it. */
  readonly name: string;
  /** Random, of this start. */
  readonly life: string;
  /** All directors, ourselves among them, in the same order on each. */
  readonly directors: readonly string[];
  readonly witness?: string | undefined;
  /** An etcd cluster in place of a witness: others speak to it for us. */
  readonly etcd?: string | undefined;
  readonly longest: Duration;
  readonly margin: number;
  /** Between two heartbeats. */
  readonly interval: Duration;
  /** The directors that a device can switch off. */
  readonly fenced?: readonly string[];
  /** What it may do with one that a device can switch off, and that it has not heard since its own start. */
  readonly startup?: Startup;
}

export type ProtectionEvent =
  /** `utc`: our wall clock then, in microseconds since 1970. */
  | { readonly type: 'heartbeat'; readonly heartbeat: Heartbeat; readonly utc: number }
  /** A datagram that is no heartbeat of the cluster. */
  | { readonly type: 'unreadable'; readonly why: Unreadable }
  /** The answer to a word of the effect `etcd`; without one: it lives. */
  | { readonly type: 'etcd'; readonly answer?: Extract<Word, { type: 'answer' }> }
  /** For the other directors: for `to`, or for all of them. */
  | { readonly type: 'say'; readonly to?: string; readonly words: readonly HandOverWord[] }
  /** No address of an earlier life is left here: from now on others hear that we live. */
  | { readonly type: 'clean' }
  /** A director was off for certain at that time. */
  | { readonly type: 'fenced'; readonly director: string; readonly at: Instant }
  /** Nobody could switch it off at that time; these claims go on as if it were. */
  | ({ readonly type: 'unfenced' } & Unfenced)
  /**
   * VRRP would be master of the claim; `promise`: how long each vote for it lasts; absent: until it is released, in a
   * pair that only fences.
   */
  | {
      readonly type: 'want';
      readonly claim: string;
      readonly priority: number;
      readonly promise?: Duration | undefined;
      readonly why: string;
    }
  /** It would not any more, or has let go: no address is left. */
  | { readonly type: 'let-go'; readonly claim: string; readonly why: string };

export interface Unfenced {
  readonly director: string;
  readonly at: Instant;
  readonly claims: readonly string[];
}

export type ProtectionEffect =
  | { readonly type: 'send'; readonly heartbeat: Heartbeat }
  /** What is to be said to etcd; `life` is ours. */
  | { readonly type: 'etcd'; readonly word: EtcdWord }
  | { readonly type: 'authorised'; readonly claim: string; readonly until: Instant | undefined }
  | { readonly type: 'lost'; readonly claim: string; readonly why: string }
  | {
      readonly type: 'refused';
      readonly claim: string;
      readonly why: string;
      readonly silent: readonly string[];
    }
  /** A silent director keeps us from a claim: it is to be switched off. */
  | { readonly type: 'fence'; readonly director: string; readonly claim: string; readonly why: string }
  /** A director that was never heard is believed to be off: the claim goes on as if it were. */
  | { readonly type: 'believed'; readonly director: string; readonly claim: string }
  /** Another director would be master of what we hold. */
  | { readonly type: 'challenged'; readonly claim: string; readonly by: string; readonly priority: number }
  /** A director speaks of planned hand-overs: all of it in one heartbeat. */
  | { readonly type: 'said'; readonly from: string; readonly words: readonly HandOverWord[] }
  /** A heartbeat was dropped; the first of its kind in a minute. */
  | { readonly type: 'dropped'; readonly reason: Rejection; readonly count: number }
  | { readonly type: 'peer'; readonly name: string; readonly heard: boolean }
  /** Its wall clock differs from ours, or does not any more. */
  | ({ readonly type: 'clock'; readonly name: string } & ClockNews);

/** What etcd is told and asked: events of its voter (etcd.ts). */
export type EtcdWord = Extract<EtcdEvent, { type: 'ask' | 'release' | 'fenced' }>;

export interface PeerStatus {
  readonly name: string;
  readonly witness: boolean;
  /** Since its last heartbeat; `undefined` when none came. */
  readonly silent: Duration | undefined;
  /** Its wall clock minus ours, as far as one datagram tells. */
  readonly clock: Duration | undefined;
}

export interface ClaimStatus {
  readonly state: AuthorityState;
  /** How many attempts in a row were in vain. */
  readonly vain: number;
  readonly votes: readonly VoteStatus[];
}
