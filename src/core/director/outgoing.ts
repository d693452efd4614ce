import type { VrrpEffect } from '../vrrp/events.ts';
import type { DirectorEffect } from './events.ts';

type Advert = Extract<VrrpEffect, { type: 'send' }>;
type Sent = Extract<DirectorEffect, { type: 'send' }>;

/** Adverts of a router on their way out: one that comes again is the same object again, which its record sees. */
export class Outgoing {
  readonly #made = new WeakMap<Advert, Sent>();

  of(advert: Advert, router: string, port: string): Sent {
    const made = this.#made.get(advert);
    if (made?.port === port) return made;
    const sent: Sent = { ...advert, router, port };
    this.#made.set(advert, sent);
    return sent;
  }
}
