import { randomInt } from 'node:crypto';
import type { BfdDatagram } from '../core/bfd/demultiplexer.ts';
import { BFD_MULTIHOP_PORT, BFD_PORT } from '../core/bfd/packet.ts';
import { Reader, ShortInput } from '../core/bytes.ts';
import { type Family, familyOf, type Ip, ip, ipFromBytes } from '../core/ip.ts';
import { findControl } from './cmsg.ts';
import { SystemError } from './errno.ts';
import { IP, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPV6 } from './inet.ts';
import { AF, parseSockaddr, sockaddrIp } from './sockaddr.ts';
import { type Datagram, SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

const ANY: Readonly<Record<Family, Ip>> = { 4: ip('0.0.0.0'), 6: ip('::') };
/** A packet with authentication has up to 24 + 255 bytes. */
const ROOM = { data: 512, control: 128, slots: 32 };
const RECEIVE_BUFFER = 1 << 20;
/** Network control, as routing protocols mark what must arrive: DSCP CS6. */
const TRAFFIC_CLASS = 0xc0;
/** RFC 5881, 4: where the packets of a session come from; one port for as long as it lives. */
const SOURCE_PORTS = { first: 49152, last: 65535 };
const PORT_TRIES = 1000;

const portOf = (multihop: boolean): number => (multihop ? BFD_MULTIHOP_PORT : BFD_PORT);

/** A number for a session that nobody can guess; 1..2^32-1. */
export const newDiscriminator = (): number => randomInt(1, 0x1_0000_0000);

function udpSocket(family: Family, what: string): Socket {
  const socket = new Socket(family === 4 ? AF.INET : AF.INET6, SOCK.DGRAM, IPPROTO_UDP, what);
  if (family === 6) socket.setOption(IPPROTO_IPV6, IPV6.V6ONLY, 1);
  return socket;
}

export interface BfdHandlers {
  datagram(datagram: BfdDatagram): void;
  error(error: SystemError): void;
}

/**
 * Receives the control packets of all sessions of one family and port. Not `node:dgram`, which does not tell
 * the TTL.
 */
export class BfdReceiver {
  /** Datagrams without the control messages asked for; they were dropped. */
  malformed = 0;
  readonly #socket: Socket;

  /** Throws SystemError: `EADDRINUSE` when another BFD daemon runs here. */
  constructor(family: Family, multihop: boolean, handlers: BfdHandlers) {
    const port = portOf(multihop);
    this.#socket = udpSocket(family, `BFD receiver on port ${port} (IPv${family})`);
    try {
      this.#prepare(family);
      this.#socket.bind(sockaddrIp(ANY[family], port));
      this.#socket.reserve(ROOM);
      this.#socket.listen({
        datagram: (datagram) => {
          const parsed = parse(datagram, family, multihop);
          if (parsed === undefined) this.malformed++;
          else handlers.datagram(parsed);
        },
        error: handlers.error,
      });
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  #prepare(family: Family): void {
    this.#socket.setOption(SOL_SOCKET, SO.RCVBUF, RECEIVE_BUFFER);
    if (family === 4) {
      this.#socket.setOption(IPPROTO_IP, IP.RECVTTL, 1);
      this.#socket.setOption(IPPROTO_IP, IP.PKTINFO, 1);
    } else {
      this.#socket.setOption(IPPROTO_IPV6, IPV6.RECVHOPLIMIT, 1);
      this.#socket.setOption(IPPROTO_IPV6, IPV6.RECVPKTINFO, 1);
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** `undefined` when it does not say where it came from, where to, and from how far. */
function parse(
  { data, name, control, truncated }: Datagram,
  family: Family,
  multihop: boolean,
): BfdDatagram | undefined {
  const sender = parseSockaddr(name);
  const [level, hops, info] =
    family === 4
      ? ([IPPROTO_IP, IP.TTL, IP.PKTINFO] as const)
      : ([IPPROTO_IPV6, IPV6.HOPLIMIT, IPV6.PKTINFO] as const);
  const count = findControl(control, level, hops);
  const addressed = findControl(control, level, info);
  if (truncated || sender?.family !== 'ip' || count === undefined || addressed === undefined)
    return undefined;
  try {
    // struct in_pktinfo has the destination of the header last, struct in6_pktinfo first.
    const destination = family === 4 ? addressed.subarray(8, 12) : addressed.subarray(0, 16);
    return {
      payload: data,
      source: sender.ip,
      destination: ipFromBytes(destination),
      ttl: new Reader(count).i32host(),
      multihop,
    };
  } catch (error) {
    if (error instanceof ShortInput || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Sends the packets of one session, all from one port. */
export class BfdSender {
  readonly #socket: Socket;
  readonly #to: Uint8Array;

  /** Throws SystemError: `EADDRNOTAVAIL` while the source is not an address of this host. */
  constructor(neighbor: Ip, source: Ip | undefined, ttl: number, multihop: boolean) {
    const family = familyOf(neighbor);
    this.#to = sockaddrIp(neighbor, portOf(multihop));
    this.#socket = udpSocket(family, `BFD sender to ${neighbor}`);
    try {
      this.#socket.deafen();
      if (family === 4) {
        this.#socket.setOption(IPPROTO_IP, IP.TTL, ttl);
        this.#socket.setOption(IPPROTO_IP, IP.TOS, TRAFFIC_CLASS);
      } else {
        this.#socket.setOption(IPPROTO_IPV6, IPV6.UNICAST_HOPS, ttl);
        this.#socket.setOption(IPPROTO_IPV6, IPV6.TCLASS, TRAFFIC_CLASS);
      }
      this.#bind(source ?? ANY[family]);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  /** To a free port of the range, wherever the search begins. */
  #bind(source: Ip): void {
    const { first, last } = SOURCE_PORTS;
    const count = last - first + 1;
    const begin = randomInt(count);
    for (let tries = 1; ; tries++) {
      try {
        this.#socket.bind(sockaddrIp(source, first + ((begin + tries) % count)));
        return;
      } catch (error) {
        const taken = error instanceof SystemError && error.code === 'EADDRINUSE';
        if (!taken || tries >= PORT_TRIES) throw error;
      }
    }
  }

  /** Throws SystemError: `ENETUNREACH`, `EHOSTUNREACH`, `EPERM` of a firewall. */
  send(payload: Uint8Array): void {
    this.#socket.send(payload, this.#to);
  }

  close(): void {
    this.#socket.close();
  }
}
