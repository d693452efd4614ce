import type { ClaimStatus, PeerStatus } from './protection-events.ts';

/** The cluster as a director sees it: for the status. */
export interface ClusterFacts {
  readonly cluster: string;
  /** Which of the directors this one is. */
  readonly name: string;
  readonly peers: readonly PeerStatus[];
  readonly claims: readonly ({ readonly name: string } & ClaimStatus)[];
  /** How many heartbeats were dropped, by the reason. */
  readonly dropped: Readonly<Record<string, number>>;
}
