/**
 * The signals that the daemon acts on, by keepalived's names of what they do (`--signum`). Real-time ones have the
 * numbers of Linux with glibc, which are keepalived's there.
 */
export const SIGNALS = {
  STOP: 15,
  RELOAD: 1,
  DATA: 10,
  STATS: 12,
  STATS_CLEAR: 63,
  JSON: 36,
  TDUMP: 64,
} as const;
export type SignalName = keyof typeof SIGNALS;
