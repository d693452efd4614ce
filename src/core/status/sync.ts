import type { RelayFacts, RelayPeerFacts } from '../sync/relay/relay.ts';
import { type Instant, since, toSeconds } from '../time.ts';
import type { SyncFacts } from './facts.ts';

/** Connection sync as `status --json` and `sync status --json` print it. */
export interface SyncReport extends Omit<SyncFacts, 'relay'> {
  /** Null without `sync_relay`. */
  readonly relay: (Omit<RelayFacts, 'peers'> & { readonly peers: readonly RelayPeerReport[] }) | null;
}

export interface RelayPeerReport extends Omit<RelayPeerFacts, 'heard'> {
  /** How many seconds ago something genuine came; null: never. */
  readonly heard: number | null;
}

/** The report of what the sync process said last. */
export function syncReport({ relay, ...facts }: SyncFacts, now: Instant): SyncReport {
  if (relay === undefined) return { ...facts, relay: null };
  const peers = relay.peers.map(({ heard, ...peer }) => ({
    ...peer,
    heard: heard === null ? null : toSeconds(since(now, heard)),
  }));
  return { ...facts, relay: { ...relay, peers } };
}
