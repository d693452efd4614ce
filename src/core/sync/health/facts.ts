import type { Cause, Window } from './cause.ts';
import type { Survey } from './events.ts';

/** What the sync process tells of how the connection tables of the directors compare. Times are of the wall clock. */
export interface HealthFacts {
  /** `lvs_sync_alarm`: more percent than this may not be lost; 0: nobody is told. */
  readonly limit: number;
  /** A failover now would lose more: it was told. */
  readonly alarm: boolean;
  /** Of a backup: the last survey, in percent, and when, in milliseconds since 1970. */
  readonly survey?: Survey & { readonly coverage: number; readonly at: number };
  /** Nobody has answered since then. */
  readonly unanswered: boolean;
  /** Why the group is broken, when it is. */
  readonly cause?: Cause;
  /** Of a backup: datagrams since it has counted them; absent where the daemons carry them. */
  readonly datagrams?: Window & { readonly lost: number };
  /** Of a master: what the others said of themselves, in percent. */
  readonly told: readonly {
    readonly director: string;
    readonly coverage: number | null;
    readonly at: number;
  }[];
}
