import { Reader, ShortInput } from '../../../src/core/bytes.ts';
import { IPV4_BYTES, IPV6_BYTES, ipFromBytes } from '../../../src/core/ip.ts';

/** What an Ethernet frame tells a watcher. */
export type Seen =
  | { readonly kind: 'advert'; readonly source: string; readonly vrid: number; readonly priority: number }
  | { readonly kind: 'announcement'; readonly address: string };

const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
const PROTOCOL = { vrrp: 112, ah: 51, icmp6: 58 } as const;
const NEIGHBOUR_ADVERTISEMENT = 136;
const SOLICITED = 0x40;
const MAC_BYTES = 6;
/** An authentication header with HMAC-MD5-96, before the message. */
const AH_BYTES = 24;

/** An advert, a gratuitous ARP or an unsolicited neighbour advertisement; `undefined` for all else. */
export function readFrame(frame: Uint8Array): Seen | undefined {
  try {
    const reader = new Reader(frame, 2 * MAC_BYTES);
    switch (reader.u16be()) {
      case ETHERTYPE.ipv4:
        return readIpv4(reader);
      case ETHERTYPE.ipv6:
        return readIpv6(reader);
      case ETHERTYPE.arp:
        return readArp(reader);
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof ShortInput) return undefined;
    throw error;
  }
}

function readIpv4(reader: Reader): Seen | undefined {
  const start = reader.offset;
  const headerBytes = (reader.u8() & 0x0f) * 4;
  reader.skip(8);
  const protocol = reader.u8();
  if (protocol !== PROTOCOL.vrrp && protocol !== PROTOCOL.ah) return undefined;
  reader.skip(2);
  const source = ipFromBytes(reader.bytes(IPV4_BYTES));
  reader.offset = start + headerBytes + (protocol === PROTOCOL.ah ? AH_BYTES : 0);
  return { kind: 'advert', source, ...readRouter(reader) };
}

function readIpv6(reader: Reader): Seen | undefined {
  reader.skip(6);
  const next = reader.u8();
  reader.skip(1);
  const source = ipFromBytes(reader.bytes(IPV6_BYTES));
  reader.skip(IPV6_BYTES);
  if (next === PROTOCOL.vrrp) return { kind: 'advert', source, ...readRouter(reader) };
  if (next !== PROTOCOL.icmp6 || reader.u8() !== NEIGHBOUR_ADVERTISEMENT) return undefined;
  reader.skip(3);
  const flags = reader.u8();
  reader.skip(3);
  if ((flags & SOLICITED) !== 0) return undefined;
  return { kind: 'announcement', address: ipFromBytes(reader.bytes(IPV6_BYTES)) };
}

/** Version and type, VRID, priority: the same in versions 2 and 3. */
function readRouter(reader: Reader): { readonly vrid: number; readonly priority: number } {
  reader.skip(1);
  return { vrid: reader.u8(), priority: reader.u8() };
}

function readArp(reader: Reader): Seen | undefined {
  reader.skip(8 + MAC_BYTES);
  const sender = ipFromBytes(reader.bytes(IPV4_BYTES));
  reader.skip(MAC_BYTES);
  const target = ipFromBytes(reader.bytes(IPV4_BYTES));
  return sender === target ? { kind: 'announcement', address: sender } : undefined;
}
