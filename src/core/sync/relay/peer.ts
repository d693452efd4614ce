import { equalBytes } from '../../bytes.ts';
import type { Ip } from '../../ip.ts';
import { Sealed } from '../../sealed.ts';
import type { RelayKeys, Session } from './keys.ts';
import { isParcel, readParcel, writeParcelHeader } from './parcel.ts';
import { ReplayWindow } from './window.ts';

/**
 * One other director, as the relay of connection sync knows it.
 *
 * Why nothing old counts. Each relay has a random *life* from its start on, and for each peer a random *challenge*. A
 * greeting tells the peer both, and the *echo*: the challenge that was heard of it last. A life is believed only in a
 * greeting that echoes our present challenge, and then the challenge is replaced: so a greeting from before our start,
 * or from before the present life of the peer, can never bring a life back that has ended. A session is a key made of
 * the two lives (and addresses, in the sender's order): what was sealed for another life of either does not open, and
 * what comes twice within it is stopped by the window. No clock is compared. Nothing is written to a disk.
 *
 * Why no nonce comes twice. It is the datagram's number, which only grows as long as the life lasts, and no two
 * sessions have the same key.
 *
 * An old greeting that is sent again is answered, and changes nothing but which challenge is echoed until the next
 * second's greeting; the answer is for whoever has the key and echoes what it answers.
 */

export const NONCE_BYTES = 16;
const GREETING_MARK = 'VKG1';

/** Why a datagram is not taken. */
export type Rejection =
  /** From an address that is no peer. */
  | 'unknown sender'
  /** No datagram of the relay from this peer to us, or cut so that it is none. */
  | 'malformed'
  /** A greeting that no valid key has signed. */
  | 'wrong key'
  /** Of a session that we do not have: of an earlier life, or by a key that is not valid here. */
  | 'other session'
  /** Changed or cut on the way, or made without the key. */
  | 'forged'
  /** It came already, or is older than what the window knows. */
  | 'replayed';

/** What a datagram brought. */
export type Taken =
  | { readonly type: 'payload'; readonly thread: number; readonly payload: Uint8Array }
  /** Something to send back, if at all; `began`: the peer has begun a life. */
  | { readonly type: 'greeted'; readonly answer?: Uint8Array; readonly began: boolean }
  | { readonly type: 'rejected'; readonly reason: Rejection };

const rejected = (reason: Rejection): Taken => ({ type: 'rejected', reason });

export class RelayPeer {
  readonly #own: Ip;
  readonly #peer: Ip;
  readonly #life: Uint8Array;
  #keys: RelayKeys;
  #challenge: Uint8Array;
  /** Of the peer, as heard last. */
  #echo = new Uint8Array(NONCE_BYTES);
  #peerLife: Uint8Array | undefined;
  #out: Session | undefined;
  #in: readonly Session[] = [];
  #window = new ReplayWindow();
  #sent = 0;
  #received = 0;
  #lost = 0;

  /** `life`: `NONCE_BYTES` that no relay had before. */
  constructor(own: Ip, peer: Ip, life: Uint8Array, keys: RelayKeys) {
    this.#own = own;
    this.#peer = peer;
    this.#life = life;
    this.#keys = keys;
    this.#challenge = keys.nonce();
  }

  /** Whether it can be sent to. */
  get connected(): boolean {
    return this.#out !== undefined;
  }
  /** Datagrams of the kernel's that were sealed for it. */
  get sent(): number {
    return this.#sent;
  }
  /** And those of it that were taken. */
  get received(): number {
    return this.#received;
  }
  /** Of its datagrams, those that never came, so far. */
  get lost(): number {
    return this.#lost + this.#window.missing;
  }

  /** Other keys from now on; the lives go on, and so what is valid by both is not lost. */
  rekey(keys: RelayKeys): void {
    this.#keys = keys;
    if (this.#peerLife !== undefined) this.#open(this.#peerLife);
  }

  greeting(): Uint8Array {
    const body = new Uint8Array([...this.#life, ...this.#challenge, ...this.#echo]);
    return this.#greetings(this.#own, this.#peer).close(body);
  }

  /** A datagram of our kernel's thread, sealed; `undefined` as long as the peer is not known. */
  seal(thread: number, payload: Uint8Array): Uint8Array | undefined {
    if (this.#out === undefined) return undefined;
    const number = ++this.#sent;
    const header = writeParcelHeader({ thread, session: this.#out.name, number });
    const sealed = this.#out.seal(number, header, payload);
    const datagram = new Uint8Array(header.length + sealed.length);
    datagram.set(header);
    datagram.set(sealed, header.length);
    return datagram;
  }

  /** What came from the peer's address. Never throws. */
  take(datagram: Uint8Array): Taken {
    return isParcel(datagram) ? this.#unpack(datagram) : this.#greeted(datagram);
  }

  #unpack(datagram: Uint8Array): Taken {
    const parcel = readParcel(datagram);
    if (parcel === undefined) return rejected('malformed');
    const { thread, session: name, number, header, sealed } = parcel;
    const session = this.#in.find((each) => equalBytes(each.name, name));
    if (session === undefined) return rejected('other session');
    if (!this.#window.isNew(number)) return rejected('replayed');
    const payload = session.open(number, header, sealed);
    if (payload === undefined) return rejected('forged');
    this.#window.note(number);
    this.#received++;
    return { type: 'payload', thread, payload };
  }

  #greeted(datagram: Uint8Array): Taken {
    const unsealed = this.#greetings(this.#peer, this.#own).open(datagram);
    if ('fault' in unsealed) return rejected(unsealed.fault === 'foreign' ? 'malformed' : 'wrong key');
    const { body } = unsealed;
    if (body.length !== 3 * NONCE_BYTES) return rejected('malformed');
    const [life, challenge, echo] = [0, 1, 2].map((part) =>
      body.slice(part * NONCE_BYTES, (part + 1) * NONCE_BYTES),
    ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
    this.#echo = challenge;
    const fresh = equalBytes(echo, this.#challenge);
    const began = fresh && !(this.#peerLife !== undefined && equalBytes(life, this.#peerLife));
    if (began) this.#begin(life);
    return { type: 'greeted', began, ...((began || !fresh) && { answer: this.greeting() }) };
  }

  #begin(life: Uint8Array): void {
    this.#peerLife = life;
    this.#challenge = this.#keys.nonce();
    this.#lost += this.#window.missing;
    this.#window = new ReplayWindow();
    this.#open(life);
  }

  #open(peerLife: Uint8Array): void {
    [this.#out] = this.#sessions(this.#own, this.#life, this.#peer, peerLife);
    this.#in = this.#sessions(this.#peer, peerLife, this.#own, this.#life);
  }

  #sessions(from: Ip, life: Uint8Array, to: Ip, other: Uint8Array): readonly Session[] {
    const direction = new TextEncoder().encode(`${from}>${to}`);
    return this.#keys.sessions(new Uint8Array([...life, ...other, ...direction]));
  }

  /** Those of one direction: what goes from A to B means nothing to A, nor from C. */
  #greetings(from: Ip, to: Ip): Sealed {
    return new Sealed(GREETING_MARK, `${from}>${to}`, this.#keys);
  }
}
