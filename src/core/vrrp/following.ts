import type { Ip } from '../ip.ts';
import type { Duration, Instant } from '../time.ts';
import type { VrrpEvent } from './events.ts';
import { type Advert, RESIGNING } from './packet.ts';
import type { VrrpParts } from './parts.ts';

/** What a backup makes of the adverts that it hears, and of silence. */

export function heardAsBackup(
  { silence, preemption, membership }: VrrpParts,
  advert: Advert,
  source: Ip,
  now: Instant,
): void {
  if (advert.priority === RESIGNING) {
    silence.resigned(source, now);
  } else if (preemption.spares(advert.priority, now)) {
    membership.candidate = undefined;
    silence.follow(advert, source, now);
  } else {
    silence.lesser(advert.priority, source);
  }
}

/** The Master_Down_Timer expired `late`: why nobody else is master; `undefined` to listen longer. */
export function silenceEnded(
  { silence, evidence, membership, preemption }: VrrpParts,
  late: Duration,
  now: Instant,
): string | undefined {
  const cause = silence.ended(late, now);
  if (cause === undefined) membership.candidate = undefined;
  else if (evidence.begins(silence.missing, cause, now)) silence.again(now);
  else return `${cause}${preemption.words}`;
  return undefined;
}

/** What else is known of the silent master: why it is replaced; `undefined` to judge anew after the next listening. */
export function weighed(
  { silence, evidence, membership }: VrrpParts,
  event: Extract<VrrpEvent, { type: 'weighed' }>,
  now: Instant,
): string | undefined {
  const cause = evidence.weigh(event, silence.missing, now);
  if (cause === undefined) membership.candidate = undefined;
  return cause;
}
