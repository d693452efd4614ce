import type { Ip } from '../ip.ts';
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
  VRRP_GROUP,
} from './packet.ts';
import type { VrrpSettings } from './settings.ts';

/** How one virtual router speaks and what it understands: the codec with the settings filled in. */
export class Wire {
  readonly #settings: VrrpSettings;
  readonly #expected: Expectation;
  readonly #advertised: readonly Ip[];
  #source: Ip | undefined;
  /** Adverts by priority: they change only with the source. */
  readonly #made = new Map<number, Uint8Array>();

  constructor(settings: VrrpSettings) {
    this.#settings = settings;
    // keepalived moves what the count field cannot say to the excluded addresses: held, not advertised.
    this.#advertised = settings.addresses.slice(0, MAX_ADVERTISED).map(({ address }) => address.ip);
    this.#expected = {
      version: settings.version,
      family: settings.family,
      vrid: settings.vrid,
      interval: settings.advertInterval,
      addresses: this.#advertised,
      block: addressBlock(this.#advertised),
      destination: VRRP_GROUP[settings.family],
      password: settings.password === undefined ? undefined : passwordBytes(settings.password),
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

  /** Sends an advert; `undefined` when no source is known. The payload is shared, not to be written to. */
  advert(priority: number): VrrpEffect | undefined {
    const source = this.#source;
    if (source === undefined) return undefined;
    const { version, vrid, advertInterval: interval, family, plainChecksum } = this.#settings;
    const destination = VRRP_GROUP[family];
    let payload = this.#made.get(priority);
    if (payload === undefined) {
      const advert = { version, vrid, priority, interval, addresses: this.#advertised };
      const { password } = this.#expected;
      payload = encodeAdvert(advert, { source, destination, password, plainChecksum });
      this.#made.set(priority, payload);
    }
    return { type: 'send', payload, source, destination };
  }

  decode(datagram: Datagram): Decoded {
    const decoded = decodeAdvert(datagram, this.#expected);
    return decoded.ok && datagram.source === this.#source ? { ok: false, reason: 'own-address' } : decoded;
  }
}
