import type { Duration } from '../../time.ts';
import type { Identity } from './fingerprint.ts';
import type { Carried } from './listing.ts';
import type { BulkMessage, Lacks } from './message.ts';

/** What the two sides of a copy of a connection table hear from the shell, and want of it. */

/** What comes of a reading of the table that a machine asked for. */
export type ReadingEvent =
  /** The next rows of the reading, with those that IPVS does not know the protocol of left out. */
  | {
      readonly type: 'rows';
      readonly reading: number;
      readonly identities: readonly Identity[];
      readonly last: boolean;
    }
  /** The table cannot be read. */
  | { readonly type: 'unread'; readonly reading: number; readonly why: string };

/** What all of these machines want. */
export type TalkEffect =
  | { readonly type: 'say'; readonly message: BulkMessage }
  /** Read the table from its beginning, or go on with that reading. */
  | { readonly type: 'read'; readonly reading: number }
  | { readonly type: 'replayed'; readonly from: string };

/** Bytes of a datagram's payload where neither the configuration nor the kernel says. */
export const MAXLEN = 1452;

/** What both sides are made with. */
export interface BulkSettings {
  /** Ours. */
  readonly name: string;
  readonly syncId: number;
  /** Random, of this start: 24 hexadecimal digits. */
  readonly life: string;
}

export interface DonorSettings extends BulkSettings {
  /** Fingerprints in a chunk; for tests. */
  readonly chunk?: number;
}

export type DonorEvent =
  /** Whether the kernel's sync daemon runs as master here, with the most bytes of a datagram's payload. */
  | { readonly type: 'serve'; readonly maxlen: number | undefined }
  /** A request, an accept or a missing. */
  | { readonly type: 'heard'; readonly message: BulkMessage }
  /** The next rows of the reading. */
  | { readonly type: 'rows'; readonly reading: number; readonly carried: Carried; readonly last: boolean }
  | Extract<ReadingEvent, { type: 'unread' }>;

export type DonorEffect =
  | TalkEffect
  /** Datagrams for the kernels of the group. */
  | { readonly type: 'tell'; readonly datagrams: readonly Uint8Array[] }
  | ({ readonly type: 'given' } & Given);

/** What became of a copy that was given. */
export interface Given {
  readonly to: string;
  readonly outcome: 'complete' | 'missing' | 'silent' | 'stopped' | 'unreadable';
  readonly why?: string;
  /** In the last listing. */
  readonly connections: number;
  readonly records: number;
  readonly datagrams: number;
  readonly missing: number;
  readonly rounds: number;
  readonly took: Duration;
}

export type RecipientEvent =
  /** The kernel's sync daemon runs as backup here, and may not have all that the master has. */
  | { readonly type: 'want' }
  /** It runs no longer. */
  | { readonly type: 'stop' }
  /** An offer, a progress, a list or a done. */
  | { readonly type: 'heard'; readonly message: BulkMessage }
  | ReadingEvent;

export type RecipientEffect =
  | TalkEffect
  /** Nobody has answered for a while: told once. */
  | { readonly type: 'unanswered'; readonly requests: number }
  | ({ readonly type: 'got' } & Got);

/** What became of a copy. */
export interface Got {
  readonly from: string;
  /** `silent`: the donor says no more. */
  readonly outcome: 'complete' | 'missing' | 'silent' | 'stopped' | 'unreadable';
  readonly why?: string;
  /** That the donor has, as it listed them last; 0 before it did. */
  readonly connections: number;
  /** That it had sent when it spoke of it last. */
  readonly records: number;
  readonly datagrams: number;
  /** Of the last list; of all of it that was compared. */
  readonly missing: number;
  readonly lacks: Lacks;
  readonly took: Duration;
}
