import type { ClusterFacts } from '../fence/facts.ts';
import { type Duration, toSeconds } from '../time.ts';
import { isLoneClaim, nameOfClaim } from '../vrrp/group.ts';

/** Who votes in the cluster, and what each claim has of it. Durations are seconds. */
export interface VotesReport {
  readonly cluster: string;
  /** Which of the directors this one is. */
  readonly name: string;
  readonly peers: readonly {
    readonly name: string;
    readonly witness: boolean;
    /** Since its last heartbeat; null when none came. */
    readonly heard: number | null;
    /** Its clock minus ours. */
    readonly clock: number | null;
  }[];
  readonly claims: readonly {
    /** A virtual router, or a sync group. */
    readonly of: 'instance' | 'group';
    readonly name: string;
    readonly state: 'idle' | 'asking' | 'holding';
    /** How many attempts in a row were in vain. */
    readonly vain: number;
    /** `left`: how long its promise lasts; null without a promise, which `why` explains. */
    readonly votes: readonly { readonly voter: string; readonly left: number | null; readonly why: string }[];
  }[];
  /** How many heartbeats were dropped, by the reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

const secondsOrNull = (duration: Duration | undefined): number | null =>
  duration === undefined ? null : toSeconds(duration);

export const votesReport = ({ cluster, name, peers, claims, dropped }: ClusterFacts): VotesReport => ({
  cluster,
  name,
  peers: peers.map((peer) => ({
    name: peer.name,
    witness: peer.witness,
    heard: secondsOrNull(peer.silent),
    clock: secondsOrNull(peer.clock),
  })),
  claims: claims.map((claim) => ({
    of: isLoneClaim(claim.name) ? 'instance' : 'group',
    name: nameOfClaim(claim.name),
    state: claim.state,
    vain: claim.vain,
    votes: claim.votes.map(({ voter, left, why }) => ({ voter, left: secondsOrNull(left), why })),
  })),
  dropped,
});
