import type { Ip } from '../ip.ts';
import { after, type Duration, type Instant, micros, seconds, toSeconds } from '../time.ts';
import type { OtherMaster, VrrpEffect, VrrpState } from './events.ts';
import { type Advert, type Datagram, RESIGNING, type RejectReason } from './packet.ts';
import type { VrrpSettings } from './settings.ts';

/** Why adverts are dropped that a living master of this virtual router may send, in words. */
const WORDS: Partial<Record<RejectReason, string>> = {
  version: 'VRRP version differs',
  'auth-unknown': 'authentication differs',
  'auth-mismatch': 'authentication differs',
  'auth-failure': 'password differs',
  'auth-missing': 'it does not sign its adverts with auth_hmac',
  'auth-key': 'its auth_hmac key is not known here',
  'auth-invalid': 'key differs',
  'auth-stale': 'its clock differs from ours',
};
/** A claim is over after so many intervals without it, and a little more. */
const INTERVALS = 3;
const MARGIN: Duration = seconds(1);
/** Whoever changes what differs, or comes and goes, has no script run more often. */
const TELL_PAUSE: Duration = seconds(60);
/** Whoever sends from ever new addresses is not told of each. */
const MOST = 8;

interface Claim extends OtherMaster {
  readonly until: Instant;
  /** It is of other addresses: a VRID that is used twice, which is wrong whoever is master. */
  readonly foreign: boolean;
  told: boolean;
}

/**
 * Those who claim the virtual router beside us: masters whose adverts are dropped because something differs in their
 * configuration, and routers of another cluster with the same VRID. Each is told once, when we are master too.
 */
export class OtherMasters {
  #settings: VrrpSettings;
  readonly #emit: (effect: VrrpEffect) => void;
  readonly #claims = new Map<Ip, Claim>();
  #quietUntil = 0 as Instant;

  constructor(settings: VrrpSettings, emit: (effect: VrrpEffect) => void) {
    this.#settings = settings;
    this.#emit = emit;
  }

  get all(): OtherMaster[] {
    return Array.from(this.#claims.values(), ({ address, why, since, heard }) => ({
      address,
      why,
      since,
      heard,
    }));
  }

  memory() {
    const claims = new Map(Array.from(this.#claims, ([source, claim]) => [source, { ...claim }]));
    return { claims, quietUntil: this.#quietUntil };
  }

  recall({ claims, quietUntil }: ReturnType<OtherMasters['memory']>): void {
    this.#quietUntil = quietUntil;
    for (const [source, claim] of claims) this.#claims.set(source, { ...claim });
  }

  configure(settings: VrrpSettings): void {
    this.#settings = settings;
  }

  /** An advert was dropped. Returns what differs, in words; `undefined` where the reason says all. */
  refused(reason: RejectReason, { payload, source }: Datagram, now: Instant): string | undefined {
    const [, , priority = RESIGNING, , , wireInterval = 0] = payload;
    const { version, advertInterval } = this.#settings;
    // Where the interval is said in seconds; ours is not wrong by much elsewhere.
    const interval = version === 2 ? seconds(wireInterval) : advertInterval;
    const why =
      reason === 'interval' && version === 2
        ? `advert_int is ${wireInterval} s there, ${toSeconds(advertInterval)} s here`
        : WORDS[reason];
    if (why === undefined) return undefined;
    if (priority === RESIGNING) this.#end(source);
    else this.#claim(source, why, interval, false, now);
    return why;
  }

  /** An advert was taken: its sender is elected with us, unless its addresses are all others (`differ`: not ours). */
  accepted(advert: Advert, differ: boolean, source: Ip, now: Instant): void {
    const { addresses, priority, interval } = advert;
    if (!differ || priority === RESIGNING || !this.#areForeign(addresses)) {
      this.#end(source);
      return;
    }
    const [first, ...more] = addresses;
    const rest = more.length > 0 ? ` and ${more.length} more` : '';
    this.#claim(source, `the same VRID for other addresses: ${first}${rest}`, interval, true, now);
  }

  #areForeign(addresses: readonly Ip[]): boolean {
    const own = new Set(this.#settings.addresses.map(({ address }) => address.ip));
    return addresses.length > 0 && own.size > 0 && !addresses.some((address) => own.has(address));
  }

  /** Time has passed, or the state is another. */
  look(state: VrrpState, now: Instant): void {
    // Who does not serve has nobody beside it.
    if (state === 'INIT' || state === 'FAULT') this.#claims.clear();
    for (const [source, claim] of this.#claims) {
      if (claim.until <= now) this.#end(source);
      else if (!claim.told && now >= this.#quietUntil && (claim.foreign || state === 'MASTER')) {
        claim.told = true;
        this.#quietUntil = after(now, TELL_PAUSE);
        this.#emit({ type: 'other-master', address: source, why: claim.why });
      }
    }
  }

  #claim(source: Ip, why: string, interval: Duration, foreign: boolean, now: Instant): void {
    const known = this.#claims.get(source);
    if (known === undefined && this.#claims.size >= MOST) return;
    const longest = Math.max(interval, this.#settings.advertInterval);
    const until = after(now, micros(INTERVALS * longest + MARGIN));
    const same = known?.why === why;
    const since = same ? known.since : now;
    this.#claims.set(source, {
      address: source,
      why,
      since,
      heard: now,
      until,
      foreign,
      told: same && known.told,
    });
  }

  #end(source: Ip): void {
    const claim = this.#claims.get(source);
    if (claim === undefined) return;
    this.#claims.delete(source);
    if (claim.told) this.#emit({ type: 'other-master', address: source, why: undefined });
  }
}
