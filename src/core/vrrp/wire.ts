import type { Ip } from '../ip.ts';
import type { Instant } from '../time.ts';
import type { Authentication } from './auth.ts';
import type { VrrpEffect } from './events.ts';
import {
  addressBlock,
  type Datagram,
  type Decoded,
  decodeAdvert,
  type Expectation,
  encodeAdvert,
  MAX_ADVERTISED,
  passwordBytes,
  RESIGNING,
  VRRP_GROUP,
  VRRP_TTL,
} from './packet.ts';
import type { VrrpSettings } from './settings.ts';

type Advert = Extract<VrrpEffect, { type: 'send' }>;

/** How one virtual router speaks and what it understands: the codec with the settings filled in. */
export class Wire {
  readonly #settings: VrrpSettings;
  readonly #expected: Expectation;
  readonly #advertised: readonly Ip[];
  readonly #authentication: Authentication;
  #source: Ip | undefined;
  /** Adverts by priority and destination, before they are signed: they change only with the source. */
  readonly #made = new Map<string, Advert>();

  /** `authentication` is for the same settings. */
  constructor(settings: VrrpSettings, authentication: Authentication) {
    this.#settings = settings;
    this.#authentication = authentication;
    // keepalived moves what the count field cannot say to the excluded addresses: held, not advertised.
    this.#advertised = settings.addresses.slice(0, MAX_ADVERTISED).map(({ address }) => address.ip);
    this.#expected = {
      version: settings.version,
      family: settings.family,
      vrid: settings.vrid,
      interval: settings.advertInterval,
      addresses: this.#advertised,
      block: addressBlock(this.#advertised),
      destination: isUnicast(settings) ? undefined : groupOf(settings),
      ...(settings.peers !== undefined && { peers: settings.peers }),
      // Whoever signs has a replay mark of its own: only peers do, as in keepalived.
      onlyPeers: settings.checkPeers === true || settings.hmac !== undefined,
      password: settings.password === undefined ? undefined : passwordBytes(settings.password),
      ...authentication.expected,
    };
  }

  /** Where adverts leave from: the last address known, also while the link is down. */
  get source(): Ip | undefined {
    return this.#source;
  }

  set source(source: Ip) {
    if (source !== this.#source) this.#made.clear();
    this.#source = source;
  }

  /** The same router's with other settings: it goes on from the same source. */
  configured(settings: VrrpSettings): Wire {
    const wire = new Wire(settings, this.#authentication);
    if (this.#source !== undefined) wire.source = this.#source;
    return wire;
  }

  /** Sends an advert to the group, or to each peer; nothing when no source is known, or it cannot be signed. */
  adverts(priority: number, now: Instant): VrrpEffect[] {
    const source = this.#source;
    if (source === undefined || !this.#authentication.begin(now)) return [];
    const { peers = [], unicastTtl = VRRP_TTL } = this.#settings;
    const advert = (destination: Ip, ttl: number): VrrpEffect => {
      const made = this.#advert(priority, source, destination, ttl);
      if (!this.#authentication.signs) return made;
      return { ...made, ...this.#authentication.seal(made.payload, { source, destination, ttl }) };
    };
    if (!isUnicast(this.#settings)) return [advert(groupOf(this.#settings), VRRP_TTL)];
    return peers.map(({ address }) => advert(address, unicastTtl));
  }

  /**
   * What tells whether adverts leave again, and says nothing to anybody: a resignation of VRID 0, which no router has
   * (RFC 9568, 5.2.3), so that all discard it.
   */
  probes(now: Instant): VrrpEffect[] {
    const probe = new Wire({ ...this.#settings, vrid: 0 }, this.#authentication);
    if (this.#source !== undefined) probe.source = this.#source;
    return probe.adverts(RESIGNING, now);
  }

  /** The same again and again: not to be written to. */
  #advert(priority: number, source: Ip, destination: Ip, ttl: number): Advert {
    const key = `${priority} ${destination}`;
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const { version, vrid, advertInterval: interval, plainChecksum } = this.#settings;
    const { password, ah } = this.#expected;
    const advert = { version, vrid, priority, interval, addresses: this.#advertised };
    const payload = encodeAdvert(advert, { source, destination, password, ah, plainChecksum });
    const whole: Advert = { type: 'send', payload, source, destination, ttl };
    this.#made.set(key, whole);
    return whole;
  }

  /** The signature is judged last: it remembers what it accepts, and only a sound advert is to count. */
  decode(datagram: Datagram, now: Instant): Decoded {
    const decoded = decodeAdvert(datagram, this.#expected);
    if (!decoded.ok) return decoded;
    if (datagram.source === this.#source) return { ok: false, reason: 'own-address' };
    const verdict = this.#authentication.verify(datagram, now);
    if (!verdict.ok) return verdict;
    if (verdict.notice === undefined) return decoded;
    return { ...decoded, notices: [...decoded.notices, verdict.notice] };
  }
}

const isUnicast = ({ peers = [] }: VrrpSettings): boolean => peers.length > 0;
const groupOf = ({ family, destination }: VrrpSettings): Ip => destination ?? VRRP_GROUP[family];
