import { internetChecksum } from '../checksum.ts';
import { familyOf, type Ip, ipFromBytes, ipToBytes } from '../ip.ts';
import { AH_BYTES } from '../vrrp/auth-header.ts';
import { messageLength, passwordBytes, pseudoChecksum } from '../vrrp/packet.ts';

/** What stands in an advert that is heard or sent, and may not stand in a recording. */
export interface AdvertChange {
  address(address: Ip): Ip;
  /** Of PASS, in the clear. */
  password(text: string): string;
}

export interface RecordedAdvert {
  readonly payload: Uint8Array;
  readonly header?: Uint8Array | undefined;
  readonly source: Ip;
  readonly destination: Ip;
}

const HEADER_BYTES = 8;
const COUNT_AT = 3;
const AUTH_TYPE_AT = 4;
const AUTH_PASS = 1;
const AUTH_BYTES = 8;
const CHECKSUM_AT = 6;
/** Source and destination in an IPv4 header. */
const IPV4_ADDRESSES_AT = [12, 16] as const;
/** From the end: the sender's address again, in the authentication header. */
const SPI_FROM_END = AH_BYTES - 4;

/**
 * The advert with other addresses and another password. A checksum that was right is right again, and a wrong one stays
 * wrong: whoever reads it comes to the same decision.
 */
export function changedAdvert<Advert extends RecordedAdvert>(advert: Advert, change: AdvertChange): Advert {
  const { source, destination, header } = advert;
  const fresh = {
    ...advert,
    source: change.address(source),
    destination: change.address(destination),
    ...(header !== undefined && { header: changedHeader(header, change) }),
  };
  return { ...fresh, payload: changedPayload(advert, fresh, change) };
}

function changedHeader(header: Uint8Array, { address }: AdvertChange): Uint8Array {
  const out = header.slice();
  for (const at of [...IPV4_ADDRESSES_AT, header.length - SPI_FROM_END]) {
    if (at >= 0 && at + 4 <= out.length) out.set(ipToBytes(address(ipFromBytes(out.slice(at, at + 4)))), at);
  }
  return out;
}

function changedPayload(before: RecordedAdvert, after: RecordedAdvert, change: AdvertChange): Uint8Array {
  const { payload } = before;
  if (payload.length < HEADER_BYTES) return payload;
  const family = familyOf(before.source);
  const version = (payload[0] ?? 0) >> 4 === 2 ? 2 : 3;
  const length = messageLength(version, family, payload[COUNT_AT] ?? 0);
  const out = payload.slice();
  // What does not have the length that it says is refused, whatever stands in it.
  if (payload.length < length) return out.fill(0, HEADER_BYTES);
  const size = family === 4 ? 4 : 16;
  for (let at = HEADER_BYTES, i = 0; i < (payload[COUNT_AT] ?? 0); i++, at += size)
    out.set(ipToBytes(change.address(ipFromBytes(payload.subarray(at, at + size)))), at);
  if (version === 2 && payload[AUTH_TYPE_AT] === AUTH_PASS) {
    const password = textOf(payload.subarray(length - AUTH_BYTES, length));
    out.set(passwordBytes(change.password(password)), length - AUTH_BYTES);
    out.fill(0, length);
  }
  const end = family === 4 ? length : out.length;
  mendChecksum([payload.subarray(0, end), before], [out.subarray(0, end), after]);
  return out;
}

type Message = readonly [message: Uint8Array, addresses: Pick<RecordedAdvert, 'source' | 'destination'>];

/** Writes into the changed message the checksum that the other has, by whichever of the two rules it is right. */
function mendChecksum([old, was]: Message, [fresh, is]: Message): void {
  const view = new DataView(fresh.buffer, fresh.byteOffset);
  const isPlain = internetChecksum(old) === 0;
  const isPseudo = pseudoChecksum(old, was.source, was.destination) === 0;
  const written = view.getUint16(CHECKSUM_AT);
  view.setUint16(CHECKSUM_AT, 0);
  const plain = internetChecksum(fresh);
  const pseudo = pseudoChecksum(fresh, is.source, is.destination);
  if (isPlain) view.setUint16(CHECKSUM_AT, plain);
  else if (isPseudo) view.setUint16(CHECKSUM_AT, pseudo);
  else
    view.setUint16(
      CHECKSUM_AT,
      [0, 1, 2].map((n) => (written + n) & 0xffff).find((sum) => sum !== plain && sum !== pseudo) ?? written,
    );
}

/** The password in its field, padded with zeros (RFC 2338, 5.3.10). */
export function textOf(field: Uint8Array): string {
  return new TextDecoder().decode(field.subarray(0, field.findLastIndex((byte) => byte !== 0) + 1));
}

/** Whether a value is an advert, as an event or an effect has it. */
export const isAdvert = (value: object): value is RecordedAdvert => {
  const { payload, source, destination } = value as Partial<RecordedAdvert>;
  return payload instanceof Uint8Array && typeof source === 'string' && typeof destination === 'string';
};
