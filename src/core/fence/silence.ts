import { type Instant, since } from '../time.ts';
import type { ProtectionSettings } from './protection-events.ts';

/** After so many intervals without a heartbeat a peer counts as silent. */
const SILENT_INTERVALS = 3.5;

/** `heardAt`: when its last heartbeat came; `undefined`: none did. */
export const isSilent = (
  heardAt: Instant | undefined,
  { interval }: ProtectionSettings,
  now: Instant,
): boolean => heardAt === undefined || since(now, heardAt) > interval * SILENT_INTERVALS;

/**
 * What may be done with a director that is silent and keeps us from a claim. One that was heard in this life of ours
 * may be switched off; one that never was, as `startup_alone` says: who boots into a partition would switch off a
 * director that serves. `believe`: availability goes first, the claim goes on as if it were off. One that no device can
 * switch off, and one whose heartbeats come, is waited for.
 */
export function mayWithSilent(
  director: string,
  { fenced = [], startup = 'wait' }: ProtectionSettings,
  { isHeard = false, wasHeard = false }: { readonly isHeard?: boolean; readonly wasHeard?: boolean },
): 'wait' | 'fence' | 'believe' {
  if (isHeard || !fenced.includes(director)) return 'wait';
  if (wasHeard) return 'fence';
  return startup === 'take' ? 'believe' : startup;
}
