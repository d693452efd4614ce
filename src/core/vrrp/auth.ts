import { assert } from '../assert.ts';
import { type Instant, since } from '../time.ts';
import { type Addressing, type Digest, genuine, type Sealed, type Verdict } from './auth-digest.ts';
import { AuthHeader } from './auth-header.ts';
import { AuthTrailer, TRAILER_BYTES } from './auth-trailer.ts';
import type { Datagram, Expectation } from './packet.ts';
import type { VrrpSettings } from './settings.ts';

/**
 * How one virtual router signs its adverts and judges the signatures of others: with a header, a trailer, or
 * not at all. (The password of PASS is part of the message, and the codec's matter.)
 */
export class Authentication {
  readonly #digest: Digest | undefined;
  #header: AuthHeader | undefined;
  #trailer: AuthTrailer | undefined;
  /** The wall clock's reading in microseconds since 1970, and when it was read. */
  #clock: { readonly utc: number; readonly at: Instant } | undefined;

  /** Throws InvariantError when adverts are to be signed and there is no `digest`. */
  constructor(settings: VrrpSettings, digest: Digest | undefined) {
    this.#digest = digest;
    this.configure(settings);
  }

  /** Other settings, such as another active key: what was sent and heard is not forgotten. */
  configure({ name, ah, hmac, peers = [] }: VrrpSettings): void {
    const digest = this.#digest;
    assert(digest !== undefined || (ah === undefined && hmac === undefined), `${name}: no digest`);
    if (digest === undefined) return;
    if (ah === undefined) this.#header = undefined;
    else if (this.#header === undefined) this.#header = new AuthHeader(ah, digest);
    else this.#header.password = ah;
    if (hmac === undefined) this.#trailer = undefined;
    else if (this.#trailer === undefined) this.#trailer = new AuthTrailer(hmac, peers.length, digest);
    else this.#trailer.configure(hmac, peers.length);
  }

  memory() {
    return { header: this.#header?.memory(), trailer: this.#trailer?.memory(), clock: this.#clock };
  }

  /** Where the settings are the same. */
  recall({ header, trailer, clock }: ReturnType<Authentication['memory']>): void {
    if (header !== undefined) this.#header?.recall(header);
    if (trailer !== undefined) this.#trailer?.recall(trailer);
    this.#clock = clock;
  }

  /** What the codec is to look for. */
  get expected(): Pick<Expectation, 'ah' | 'trailer'> {
    if (this.#header !== undefined) return { ah: true };
    return this.#trailer === undefined ? {} : { trailer: TRAILER_BYTES };
  }

  /** Whether each advert is another: signed, with a number or the time in it. */
  get signs(): boolean {
    return this.#header !== undefined || this.#trailer?.signs === true;
  }

  /** Whether a router that begins must listen first, whatever its priority: to learn the sequence number. */
  get listensFirst(): boolean {
    return this.#header !== undefined;
  }

  /** The sequence numbers are used up: another must become master. */
  get spent(): boolean {
    return this.#header?.spent ?? false;
  }

  /** The wall clock was read: at the start, and each second, so that a step is noticed. */
  setClock(utc: number, at: Instant): void {
    this.#clock = { utc, at };
  }

  /** At the beginning of mastership. */
  lead(): void {
    this.#header?.lead();
  }

  /** Begins an advert, of which `seal` makes the copies. False when it cannot be signed, so cannot be sent. */
  begin(now: Instant): boolean {
    if (this.#trailer?.signs) this.#trailer.begin(this.#utc(now));
    return this.#header?.begin() ?? true;
  }

  seal(payload: Uint8Array, addressing: Addressing): Sealed {
    return (this.#header ?? this.#trailer)?.seal(payload, addressing) ?? { payload };
  }

  /** Of a datagram that the codec accepted, and that is not our own. */
  verify(datagram: Datagram, now: Instant): Verdict {
    if (this.#header !== undefined) return this.#header.verify(datagram);
    return this.#trailer?.verify(datagram, this.#utc(now)) ?? genuine;
  }

  #utc(now: Instant): number {
    assert(this.#clock !== undefined, 'a signature that needs the time before the clock was read');
    return this.#clock.utc + since(now, this.#clock.at);
  }
}
