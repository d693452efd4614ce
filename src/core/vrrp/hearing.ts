import type { Ip } from '../ip.ts';
import type { Instant } from '../time.ts';
import type { Advertiser } from './advertiser.ts';
import type { OtherMaster, VrrpEffect, VrrpState } from './events.ts';
import { OtherMasters } from './other-masters.ts';
import { type Advert, type Datagram, isOfAddresses, OWNER } from './packet.ts';
import type { Reports } from './reports.ts';
import type { VrrpSettings } from './settings.ts';

/** Reads what a virtual router hears: what is ignored is reported, and who claims the router beside us is kept. */
export class Hearing {
  readonly #advertiser: Advertiser;
  readonly #reports: Reports;
  readonly #otherMasters: OtherMasters;
  #settings: VrrpSettings;

  constructor(
    settings: VrrpSettings,
    advertiser: Advertiser,
    reports: Reports,
    emit: (effect: VrrpEffect) => void,
  ) {
    this.#settings = settings;
    this.#advertiser = advertiser;
    this.#reports = reports;
    this.#otherMasters = new OtherMasters(settings, emit);
  }

  get otherMasters(): OtherMaster[] {
    return this.#otherMasters.all;
  }

  memory() {
    return this.#otherMasters.memory();
  }

  recall(memory: ReturnType<OtherMasters['memory']>): void {
    this.#otherMasters.recall(memory);
  }

  /** The priority in the settings is the effective one. */
  configure(settings: VrrpSettings): void {
    this.#settings = settings;
    this.#otherMasters.configure(settings);
  }

  /** The advert in a datagram, where it counts. `followed` is the master whom a backup follows. */
  hear(datagram: Datagram, followed: Ip | undefined, now: Instant): Advert | undefined {
    const { source } = datagram;
    const decoded = this.#advertiser.decode(datagram, now);
    if (!decoded.ok) {
      const why = this.#otherMasters.refused(decoded.reason, datagram, now);
      this.#reports.rejected(decoded.reason, source, why, now);
      return undefined;
    }
    const { advert } = decoded;
    // The addresses of the master that is followed are not compared with the configuration.
    const spared = this.#settings.skipAddressCheck === true && source === followed;
    const notices = spared ? decoded.notices.filter((notice) => !isOfAddresses(notice)) : decoded.notices;
    const second = this.#settings.priority === OWNER && advert.priority === OWNER;
    this.#reports.accepted(advert, second ? [...notices, 'second-owner'] : notices, source, now);
    this.#otherMasters.accepted(advert, notices.some(isOfAddresses), source, now);
    return advert;
  }

  /** Time has passed, or the state is another. */
  look(state: VrrpState, now: Instant): void {
    this.#otherMasters.look(state, now);
  }
}
