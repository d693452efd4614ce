import { type Instant, Timers } from '../time.ts';
import type { Digest } from './auth-digest.ts';
import type { Beat } from './beat.ts';
import type { VrrpEffect, VrrpState, VrrpStatus } from './events.ts';
import { Evidence } from './evidence.ts';
import { Grounds } from './grounds.ts';
import { Hearing } from './hearing.ts';
import { Mastership } from './mastership.ts';
import { Membership } from './membership.ts';
import { Preemption } from './preemption.ts';
import { Reports } from './reports.ts';
import type { VrrpSettings } from './settings.ts';
import { Silence } from './silence.ts';
import type { TimerName } from './timers.ts';
import { Truce } from './truce.ts';

/** What a virtual router is made of: each part remembers something. */
export function makeParts(
  settings: VrrpSettings,
  emit: (effect: VrrpEffect) => void,
  digest?: Digest,
  beat?: Beat,
) {
  const timers = new Timers<TimerName>();
  const reports = new Reports(emit);
  const mastership = new Mastership(settings, timers, reports, emit, digest, beat);
  return {
    timers,
    reports,
    grounds: new Grounds(settings),
    mastership,
    silence: new Silence(settings, timers, reports),
    preemption: new Preemption(settings, timers),
    membership: new Membership(emit),
    evidence: new Evidence(settings, timers, emit),
    truce: new Truce(),
    hearing: new Hearing(settings, mastership.advertiser, reports, emit),
  };
}
export type VrrpParts = ReturnType<typeof makeParts>;

/** Other settings for all but the grounds, which say the effective priority that is in them. */
export function configureParts(
  parts: VrrpParts,
  settings: VrrpSettings,
  serving: boolean,
  now: Instant,
): void {
  parts.mastership.configure(settings, serving, now);
  parts.preemption.configure(settings);
  parts.silence.configure(settings, now);
  parts.evidence.configure(settings);
  parts.hearing.configure(settings);
}

/** How it stands, for its sync group; the effective priority is in the settings. */
export function standingOf(
  { grounds, silence, preemption }: VrrpParts,
  { priority }: VrrpSettings,
  state: VrrpState,
): Parameters<Membership['tell']>[1] {
  const faults = grounds.known ? grounds.ownFaults : [];
  const follows = silence.master !== undefined;
  return { state, follows, resigned: preemption.yields, spares: preemption.sparing, faults, priority };
}

/** The virtual router as people want to see it; the effective priority is in the settings. */
export function statusOf(
  { timers, grounds, mastership, silence, reports, hearing, evidence }: VrrpParts,
  { name, priority, advertInterval }: VrrpSettings,
  stand: Pick<VrrpStatus, 'state' | 'since' | 'cause'>,
): VrrpStatus {
  const { source, left: heard } = mastership.advertiser;
  const ourselves = source && { address: source, priority, interval: advertInterval, heard };
  return {
    name,
    ...stand,
    priority,
    faults: grounds.known ? grounds.faults : [],
    source,
    master: stand.state === 'MASTER' ? ourselves : silence.master,
    peer: reports.peer,
    otherMasters: hearing.otherMasters,
    deadline: timers.next(),
    takeover: evidence.status,
    statistics: reports.statistics,
  };
}
