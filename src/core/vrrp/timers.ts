import { assert } from '../assert.ts';
import { earliest, type Timers } from '../time.ts';
import type { AdvertTimer } from './advertiser.ts';
import type { VrrpState } from './events.ts';
import type { EvidenceTimer } from './evidence.ts';
import type { HoldingTimer } from './holding.ts';
import type { PreemptionTimer } from './preemption.ts';
import type { SilenceTimer } from './silence.ts';

/** All timers of a virtual router: each belongs to one of its parts. */
export type TimerName = 'start' | AdvertTimer | SilenceTimer | PreemptionTimer | HoldingTimer | EvidenceTimer;

/** Throws InvariantError unless the timers that run are those of the state. */
export function checkTimers(timers: Timers<TimerName>, state: VrrpState, router: string): void {
  const armed = (name: TimerName): boolean => timers.due(name) !== undefined;
  const what = `${router}: timers of ${state}`;
  if (state === 'MASTER') assert(armed('advert') && !armed('down') && !armed('pulse'), what);
  else if (state === 'BACKUP') assert(armed('down') && armed('pulse') && !armed('advert'), what);
  else assert(timers.next() === earliest(timers.due('start'), timers.due('probe')), what);
}
