import { Reader, ShortInput, Writer } from '../core/bytes.ts';
import { familyOf, IPV4_BYTES, IPV6_BYTES, type Ip, ipFromBytes, ipToBytes } from '../core/ip.ts';

/** Address families, from <bits/socket.h>. */
export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17 } as const;

/** A socket address as the kernel gives or takes it. `scope` is the interface of a link-local address. */
export type SocketAddress =
  | { readonly family: 'ip'; readonly ip: Ip; readonly port: number; readonly scope: number }
  | { readonly family: 'netlink'; readonly port: number; readonly groups: number }
  | {
      readonly family: 'packet';
      readonly ifindex: number;
      readonly protocol: number;
      readonly hardware: Uint8Array;
    }
  | { readonly family: 'unix'; readonly path: string };

/** `sun_path` holds 108 bytes with the final zero (unix(7)). */
const UNIX_PATH_MAX = 107;
/** `sll_addr` holds 8 bytes (packet(7)). */
const HARDWARE_MAX = 8;

/** sockaddr_in or sockaddr_in6 by the address's family; `scope` is an ifindex, used by IPv6 only. */
export function sockaddrIp(ip: Ip, port = 0, scope = 0): Uint8Array {
  if (familyOf(ip) === 4)
    return new Writer(16).u16host(AF.INET).u16be(port).bytes(ipToBytes(ip)).zeros(8).finish();
  const name = new Writer(28).u16host(AF.INET6).u16be(port).u32be(0).bytes(ipToBytes(ip));
  return name.u32host(scope).finish();
}

/** sockaddr_nl: `port` 0 lets the kernel choose (bind) or is the kernel (send); `groups` is a 32-bit mask. */
export function sockaddrNetlink(port = 0, groups = 0): Uint8Array {
  return new Writer(12).u16host(AF.NETLINK).u16host(0).u32host(port).u32host(groups).finish();
}

/** sockaddr_ll: `protocol` is an EtherType; 0 lets the kernel read it from the frame when sending. */
export function sockaddrPacket(ifindex: number, protocol = 0): Uint8Array {
  const name = new Writer(20).u16host(AF.PACKET).u16be(protocol).i32host(ifindex);
  return name.u16host(0).u8(0).u8(0).zeros(HARDWARE_MAX).finish();
}

/** sockaddr_un; a leading `@` means the abstract namespace. Throws RangeError when it does not fit. */
export function sockaddrUnix(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length === 0 || name.length > UNIX_PATH_MAX) {
    throw new RangeError(`a unix socket path has 1 to ${UNIX_PATH_MAX} bytes, not ${name.length}: ${path}`);
  }
  const out = new Writer(110).u16host(AF.UNIX);
  if (path.startsWith('@')) return out.u8(0).bytes(name.subarray(1)).finish();
  return out.bytes(name).u8(0).finish();
}

/** What the kernel filled in; `undefined` when it is empty, cut short or of a family not used here. */
export function parseSockaddr(bytes: Uint8Array): SocketAddress | undefined {
  try {
    return readSockaddr(new Reader(bytes));
  } catch (error) {
    if (error instanceof ShortInput) return undefined;
    throw error;
  }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function readSockaddr(from: Reader): SocketAddress | undefined {
  switch (from.u16host()) {
    case AF.INET: {
      const port = from.u16be();
      return { family: 'ip', ip: ipFromBytes(from.bytes(IPV4_BYTES)), port, scope: 0 };
    }
    case AF.INET6: {
      const port = from.u16be();
      from.skip(4);
      const ip = ipFromBytes(from.bytes(IPV6_BYTES));
      return { family: 'ip', ip, port, scope: from.u32host() };
    }
    case AF.NETLINK: {
      from.skip(2);
      const port = from.u32host();
      return { family: 'netlink', port, groups: from.u32host() };
    }
    case AF.PACKET: {
      const protocol = from.u16be();
      const ifindex = from.i32host();
      from.skip(3);
      const length = Math.min(from.u8(), HARDWARE_MAX);
      return { family: 'packet', ifindex, protocol, hardware: from.bytes(length).slice() };
    }
    case AF.UNIX: {
      const path = from.bytes(from.remaining);
      if (path[0] === 0 && path.length > 1) return { family: 'unix', path: `@${text(path.subarray(1))}` };
      const zero = path.indexOf(0);
      return { family: 'unix', path: text(zero < 0 ? path : path.subarray(0, zero)) };
    }
    default:
      return undefined;
  }
}
