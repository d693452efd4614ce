import { NOTICES, type Notice, REJECT_REASONS, type RejectReason } from './packet.ts';

/** The counters of one virtual router: keepalived's, by our names, and `stalls`, which are ours. */
export interface VrrpStatistics {
  /** Accepted adverts, priority 0 included. */
  advertsReceived: number;
  advertsSent: number;
  becameMaster: number;
  releasedMaster: number;
  priorityZeroReceived: number;
  priorityZeroSent: number;
  /** Timers that came so late that they were not believed. */
  stalls: number;
  readonly rejected: Record<RejectReason, number>;
  readonly noticed: Record<Notice, number>;
}

export function newStatistics(): VrrpStatistics {
  return {
    advertsReceived: 0,
    advertsSent: 0,
    becameMaster: 0,
    releasedMaster: 0,
    priorityZeroReceived: 0,
    priorityZeroSent: 0,
    stalls: 0,
    rejected: zeros(REJECT_REASONS),
    noticed: zeros(NOTICES),
  };
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
}
