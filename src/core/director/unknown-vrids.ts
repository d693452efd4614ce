import { counted } from '../counted.ts';
import type { Ip } from '../ip.ts';
import type { Level } from '../level.ts';
import { type Instant, seconds } from '../time.ts';
import { Limiter } from '../vrrp/limiter.ts';

/** As of each kind of bad advert: one line a minute. */
const REPORT_PERIOD = seconds(60);

/** Counts adverts of virtual routers that this director has no part in, and says so where that is wanted. */
export class UnknownVrids {
  count = 0;
  /** `log_unknown_vrids`. */
  logged = false;
  readonly #limiter = new Limiter<'unknown'>(REPORT_PERIOD);
  readonly #log: (level: Level, message: string) => void;

  constructor(log: (level: Level, message: string) => void) {
    this.#log = log;
  }

  memory() {
    return { count: this.count, logged: this.logged, limiter: this.#limiter.memory() };
  }

  recall({ count, logged, limiter }: ReturnType<UnknownVrids['memory']>): void {
    this.count = count;
    this.logged = logged;
    this.#limiter.recall(limiter);
  }

  heard(device: string, vrid: number, source: Ip, now: Instant): void {
    this.count += 1;
    if (!this.logged) return;
    const count = this.#limiter.count('unknown', now);
    if (count === 0) return;
    this.#log(
      'info',
      `${device}: ${counted(count, 'advert')} of virtual routers that are not here, now VRID ${vrid} of ${source}`,
    );
  }
}
