import type { Ip } from '../ip.ts';
import { after, type Duration, type Instant, micros, seconds } from '../time.ts';
import type { HeardPeer, VrrpEffect } from './events.ts';
import { Limiter } from './limiter.ts';
import { type Advert, type Notice, RESIGNING, type RejectReason } from './packet.ts';
import { newStatistics, type VrrpStatistics } from './statistics.ts';

/** Of each kind one log line a minute, so that a broken neighbour does not flood the log. */
const REPORT_PERIOD = seconds(60);

/** Counts what is odd, and says now and then that it happened. */
export class Reports {
  readonly statistics = newStatistics();
  readonly #limiter = new Limiter<`rejected ${RejectReason}` | `noticed ${Notice}` | 'stalled' | 'not-sent'>(
    REPORT_PERIOD,
  );
  readonly #emit: (effect: VrrpEffect) => void;
  #contestedUntil = 0 as Instant;
  #peer: HeardPeer | undefined;

  constructor(emit: (effect: VrrpEffect) => void) {
    this.#emit = emit;
  }

  /** The router that was heard last. */
  get peer(): HeardPeer | undefined {
    return this.#peer;
  }

  memory() {
    const { rejected, noticed, ...counts } = this.statistics;
    const statistics: VrrpStatistics = { ...counts, rejected: { ...rejected }, noticed: { ...noticed } };
    return {
      statistics,
      limiter: this.#limiter.memory(),
      contestedUntil: this.#contestedUntil,
      peer: this.#peer,
    };
  }

  recall({ statistics, limiter, contestedUntil, peer }: ReturnType<Reports['memory']>): void {
    const { rejected, noticed, ...counts } = statistics;
    Object.assign(this.statistics, counts);
    Object.assign(this.statistics.rejected, rejected);
    Object.assign(this.statistics.noticed, noticed);
    this.#limiter.recall(limiter);
    this.#contestedUntil = contestedUntil;
    this.#peer = peer;
  }

  accepted(advert: Advert, notices: readonly Notice[], source: Ip, now: Instant): void {
    this.statistics.advertsReceived += 1;
    this.#peer = { address: source, priority: advert.priority, heard: now };
    if (advert.priority === RESIGNING) this.statistics.priorityZeroReceived += 1;
    for (const notice of notices) this.noticed(notice, source, now);
  }

  /** `why`: what differs, in words. */
  rejected(reason: RejectReason, source: Ip, why: string | undefined, now: Instant): void {
    this.statistics.rejected[reason] += 1;
    const count = this.#limiter.count(`rejected ${reason}`, now);
    if (count > 0) this.#emit({ type: 'rejected', reason, source, count, ...(why !== undefined && { why }) });
  }

  noticed(notice: Notice, source: Ip, now: Instant): void {
    this.statistics.noticed[notice] += 1;
    const count = this.#limiter.count(`noticed ${notice}`, now);
    if (count > 0) this.#emit({ type: 'noticed', notice, source, count });
  }

  /** A lesser master was heard; more of its adverts within half of our `interval` are no news. */
  contested(interval: Duration, now: Instant): void {
    if (now < this.#contestedUntil) return;
    this.#contestedUntil = after(now, micros(interval / 2));
    this.#emit({ type: 'contested' });
  }

  /** An advert did not leave. */
  notSent(why: string, now: Instant): void {
    const count = this.#limiter.count('not-sent', now);
    if (count > 0) this.#emit({ type: 'not-sent', why, count });
  }

  /** A timer came `late` and was not believed; `what` says what is done instead. */
  stalled(late: Duration, what: string, now: Instant): void {
    this.statistics.stalls += 1;
    const count = this.#limiter.count('stalled', now);
    if (count > 0) this.#emit({ type: 'stalled', late, what, count });
  }
}
