import { Reader, ShortInput, Writer } from '../core/bytes.ts';
import { type Family, type Ip, ipFromBytes, ipToBytes } from '../core/ip.ts';
import { AH_BYTES, AH_PROTOCOL } from '../core/vrrp/auth-header.ts';
import { buildControl, findControl } from './cmsg.ts';
import type { SystemError } from './errno.ts';
import { IP, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_RAW, IPV6 } from './inet.ts';
import { joinGroup, leaveGroup, sendMulticastBy } from './membership.ts';
import { AF, parseSockaddr, sockaddrIp } from './sockaddr.ts';
import { type Datagram, SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

/** IP protocol number of VRRP (RFC 9568, 5.1.1.4). */
export const IPPROTO_VRRP = 112;
/** TTL or hop limit of every advert; a receiver discards any other (RFC 9568, 5.1.1.3). */
const HOPS = 255;
/** Internetwork control, as keepalived marks its adverts: DSCP CS6. */
const TRAFFIC_CLASS = 0xc0;

/** The checksum is the fourth 16-bit word of a VRRP message (RFC 9568, 5.2). */
const CHECKSUM_OFFSET = 6;
/** The largest message has 255 IPv6 addresses and comes in fragments, which the kernel joins. */
const ROOM = { data: 8 + 255 * 16, control: 128, slots: 32 };
/** Bytes that may wait: the adverts of thousands of routers while the process is stalled, none lost. */
const RECEIVE_BUFFER = 4 << 20;
const IPV4_HEADER = 20;

/** A VRRP message as it came in. `payload` is a view: copy what must outlive the callback. */
export interface ReceivedAdvert {
  readonly payload: Uint8Array;
  readonly source: Ip;
  readonly destination: Ip;
  /** TTL or hop limit. */
  readonly ttl: number;
  readonly ifindex: number;
  /** The IPv4 header and the authentication header, where one came before the payload. A view as well. */
  readonly header?: Uint8Array;
}

export interface AdvertHandlers {
  advert(advert: ReceivedAdvert): void;
  error(error: SystemError): void;
}

/** The interface that a socket is bound to. */
export interface Device {
  readonly name: string;
  readonly ifindex: number;
}

function rawSocket(family: Family, protocol: number, role: string, device: Device): Socket {
  const domain = family === 4 ? AF.INET : AF.INET6;
  const socket = new Socket(domain, SOCK.RAW, protocol, `VRRP ${role} on ${device.name} (IPv${family})`);
  try {
    socket.setOption(SOL_SOCKET, SO.BINDTODEVICE, new TextEncoder().encode(device.name));
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/**
 * Receives VRRP on one interface for one family: the multicast groups that it joins and unicast to any local
 * address. IPv6 checksums are verified by the kernel (IPV6_CHECKSUM), as keepalived has it.
 */
export class VrrpReceiver {
  /** Datagrams without a sound IP header or the control messages asked for; they were dropped. */
  malformed = 0;
  readonly #family: Family;
  readonly #device: Device;
  readonly #socket: Socket;

  /**
   * `protocol` is 112, or 51 for IPv4 adverts behind an authentication header, which a socket for 112 does not
   * get. Throws SystemError: `EPERM` without CAP_NET_RAW and CAP_NET_ADMIN, `ENODEV` without the interface.
   */
  constructor(family: Family, device: Device, groups: readonly Ip[], protocol = IPPROTO_VRRP) {
    this.#family = family;
    this.#device = device;
    this.#socket = rawSocket(family, protocol, 'receiver', device);
    try {
      this.#prepare();
      for (const group of groups) this.join(group);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  #prepare(): void {
    const socket = this.#socket;
    socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, RECEIVE_BUFFER);
    if (this.#family === 4) {
      // Only the groups that this socket joined, not those of everybody on the host.
      socket.setOption(IPPROTO_IP, IP.MULTICAST_ALL, 0);
      socket.setOption(IPPROTO_IP, IP.PKTINFO, 1);
    } else {
      socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_ALL, 0);
      socket.setOption(IPPROTO_IPV6, IPV6.RECVPKTINFO, 1);
      socket.setOption(IPPROTO_IPV6, IPV6.RECVHOPLIMIT, 1);
      socket.setOption(IPPROTO_IPV6, IPV6.CHECKSUM, CHECKSUM_OFFSET);
    }
    socket.reserve(ROOM);
  }

  /** Joins a multicast group on the interface. Throws SystemError. */
  join(group: Ip): void {
    joinGroup(this.#socket, group, this.#device.ifindex);
  }

  /** Leaves a group that it has joined. Throws SystemError. */
  leave(group: Ip): void {
    leaveGroup(this.#socket, group, this.#device.ifindex);
  }

  listen(handlers: AdvertHandlers): void {
    const parse = this.#family === 4 ? parseAdvert4 : parseAdvert6;
    this.#socket.listen({
      datagram: (datagram) => {
        const advert = parse(datagram);
        if (advert === undefined) this.malformed++;
        else handlers.advert(advert);
      },
      error: handlers.error,
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** A raw IPv4 socket hands over the IP header as well; `undefined` when its lengths do not hold. */
export function parseAdvert4({ data, control, truncated }: Datagram): ReceivedAdvert | undefined {
  if (truncated || data.length < IPV4_HEADER) return undefined;
  const from = new Reader(data);
  const versionAndLength = from.u8();
  const headerLength = (versionAndLength & 0x0f) * 4;
  from.skip(1);
  const totalLength = from.u16be();
  if (versionAndLength >> 4 !== 4 || headerLength < IPV4_HEADER) return undefined;
  if (totalLength < headerLength || totalLength > data.length) return undefined;
  from.skip(4);
  const ttl = from.u8();
  const protocol = from.u8();
  from.skip(2);
  const source = ipFromBytes(from.bytes(4));
  const destination = ipFromBytes(from.bytes(4));
  // struct in_pktinfo begins with the ifindex.
  const ifindex = readInt(findControl(control, IPPROTO_IP, IP.PKTINFO), 0);
  if (ifindex === undefined) return undefined;
  if (protocol !== AH_PROTOCOL) {
    return { payload: data.subarray(headerLength, totalLength), source, destination, ttl, ifindex };
  }
  const begin = headerLength + AH_BYTES;
  if (begin > totalLength) return undefined;
  const header = data.subarray(0, begin);
  return { payload: data.subarray(begin, totalLength), source, destination, ttl, ifindex, header };
}

/** IPv6 hands over the payload alone; what the header said comes in control messages (RFC 3542, 6). */
export function parseAdvert6({ data, name, control, truncated }: Datagram): ReceivedAdvert | undefined {
  const sender = parseSockaddr(name);
  const info = findControl(control, IPPROTO_IPV6, IPV6.PKTINFO);
  const ttl = readInt(findControl(control, IPPROTO_IPV6, IPV6.HOPLIMIT), 0);
  const ifindex = readInt(info, 16);
  if (truncated || sender?.family !== 'ip' || info === undefined) return undefined;
  if (ttl === undefined || ifindex === undefined) return undefined;
  return { payload: data, source: sender.ip, destination: ipFromBytes(info.subarray(0, 16)), ttl, ifindex };
}

function readInt(bytes: Uint8Array | undefined, offset: number): number | undefined {
  if (bytes === undefined) return undefined;
  try {
    return new Reader(bytes, offset).i32host();
  } catch (error) {
    if (error instanceof ShortInput) return undefined;
    throw error;
  }
}

/** What is sent over IPv4. */
interface Message4 {
  readonly payload: Uint8Array;
  readonly destination: Ip;
  readonly source: Ip | undefined;
  readonly hops: number;
  readonly header: Uint8Array | undefined;
}

/** With its IP header, and the address that the kernel is told. */
interface Whole4 extends Message4 {
  readonly datagram: Uint8Array;
  readonly to: Uint8Array;
}

/**
 * Sends VRRP on one interface for one family; receives nothing. For IPv4 it writes the IP header itself, so
 * that any source address works (`mcast_src_ip`), and the kernel fills in the header's id and checksum. For
 * IPv6 any source works too, and the kernel computes the VRRP checksum over it.
 */
export class VrrpSender {
  readonly #family: Family;
  readonly #ifindex: number;
  readonly #socket: Socket;
  readonly #made = new WeakMap<Uint8Array, Whole4>();

  /** Throws SystemError: `EPERM` without CAP_NET_RAW, `ENODEV` without the interface. */
  constructor(family: Family, device: Device) {
    this.#family = family;
    this.#ifindex = device.ifindex;
    this.#socket = rawSocket(family, family === 4 ? IPPROTO_RAW : IPPROTO_VRRP, 'sender', device);
    try {
      this.#prepare();
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  #prepare(): void {
    const socket = this.#socket;
    socket.deafen();
    if (this.#family === 4) {
      sendMulticastBy(socket, this.#ifindex);
      socket.setOption(IPPROTO_IP, IP.MULTICAST_LOOP, 0);
    } else {
      socket.setOption(IPPROTO_IPV6, IPV6.CHECKSUM, CHECKSUM_OFFSET);
      socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_IF, this.#ifindex);
      socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_LOOP, 0);
      socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_HOPS, HOPS);
      socket.setOption(IPPROTO_IPV6, IPV6.UNICAST_HOPS, HOPS);
      socket.setOption(IPPROTO_IPV6, IPV6.TCLASS, TRAFFIC_CLASS);
      // A VMAC speaks with the link-local address of the interface below.
      socket.setOption(IPPROTO_IPV6, IPV6.FREEBIND, 1);
    }
  }

  /**
   * Sends a VRRP message to a group or a peer. Without a `source` the kernel takes an address of the
   * interface. `hops` is the TTL or hop limit of unicast; a group gets 255. A `header` (IPv4 only) goes out
   * instead of ours, as it is but for the IP checksum.
   * Throws SystemError: `ENETDOWN`, `ENETUNREACH`.
   */
  send(payload: Uint8Array, destination: Ip, source?: Ip, hops = HOPS, header?: Uint8Array): void {
    if (this.#family === 4) {
      const { datagram, to } = this.#whole({ payload, destination, source, hops, header });
      this.#socket.send(datagram, to);
      return;
    }
    const to = sockaddrIp(destination, 0, this.#ifindex);
    this.#socket.send(payload, to, control6(source, hops, this.#ifindex));
  }

  /** An advert that is sent again and again is the same bytes, and is put together once. */
  #whole(message: Message4): Whole4 {
    const { payload, destination, source, hops, header } = message;
    const made = this.#made.get(payload);
    if (made?.destination === destination && made.source === source && made.hops === hops && !header)
      return made;
    const before = header ?? ipv4Header(payload.length, destination, source, hops);
    const datagram = new Writer(before.length + payload.length).bytes(before).bytes(payload).finish();
    const whole = { ...message, datagram, to: sockaddrIp(destination) };
    if (header === undefined) this.#made.set(payload, whole);
    return whole;
  }

  /** Has the host report membership of a group on the interface; it still receives nothing. Throws SystemError. */
  join(group: Ip): void {
    joinGroup(this.#socket, group, this.#ifindex);
  }

  /** The host reports it no more. Throws SystemError. */
  leave(group: Ip): void {
    leaveGroup(this.#socket, group, this.#ifindex);
  }

  close(): void {
    this.#socket.close();
  }
}

/** RFC 791 header with zeros where raw(7) says that the kernel fills them in: id, checksum, absent source. */
function ipv4Header(length: number, destination: Ip, source: Ip | undefined, hops: number): Uint8Array {
  const out = new Writer(IPV4_HEADER);
  out
    .u8(0x45)
    .u8(TRAFFIC_CLASS)
    .u16be(IPV4_HEADER + length)
    .u16be(0)
    .u16be(0);
  out.u8(hops).u8(IPPROTO_VRRP).u16be(0);
  if (source === undefined) out.zeros(4);
  else out.bytes(ipToBytes(source));
  return out.bytes(ipToBytes(destination)).finish();
}

/** What differs from the socket's own: struct in6_pktinfo with source and interface, and the hop limit. */
function control6(source: Ip | undefined, hops: number, ifindex: number): Uint8Array | undefined {
  const messages = [];
  if (source !== undefined) {
    const data = new Writer(20).bytes(ipToBytes(source)).i32host(ifindex).finish();
    messages.push({ level: IPPROTO_IPV6, type: IPV6.PKTINFO, data });
  }
  if (hops !== HOPS) {
    messages.push({ level: IPPROTO_IPV6, type: IPV6.HOPLIMIT, data: new Writer(4).i32host(hops).finish() });
  }
  return messages.length === 0 ? undefined : buildControl(messages);
}
