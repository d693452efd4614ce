import { familyOf, type Ip } from '../core/ip.ts';
import { IP, IPPROTO_IP, IPPROTO_IPV6, IPV6 } from './inet.ts';
import { joinGroup, sendMulticastBy } from './membership.ts';
import { AF, sockaddrIp } from './sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

/** The largest of ours, and what others may send. */
const ROOM = { data: 2048, slots: 32 };
/** All of a window of lists, and more. */
const RECEIVE_BUFFER = 1 << 20;

/** Where the directors of a sync group hear each other. */
export interface SyncGroup {
  readonly device: { readonly name: string; readonly ifindex: number };
  readonly group: Ip;
  readonly ttl: number;
}

/** Sends datagrams to a port of a multicast group on an interface, and hears those that come to another port. */
export class SyncGroupSocket {
  readonly #socket: Socket;
  readonly #place: SyncGroup;

  /** Throws SystemError: `EADDRINUSE` where the port is another program's. */
  constructor(place: SyncGroup, port: number) {
    const { device, group, ttl } = place;
    const family = familyOf(group);
    this.#place = place;
    this.#socket = new Socket(
      family === 4 ? AF.INET : AF.INET6,
      SOCK.DGRAM,
      0,
      `bulk copy on ${device.name}`,
    );
    try {
      if (family === 4) {
        this.#socket.setOption(IPPROTO_IP, IP.MULTICAST_LOOP, 0);
        this.#socket.setOption(IPPROTO_IP, IP.MULTICAST_TTL, ttl);
        sendMulticastBy(this.#socket, device.ifindex);
      } else {
        this.#socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_LOOP, 0);
        this.#socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_HOPS, ttl);
        this.#socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_IF, device.ifindex);
      }
      this.#socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, RECEIVE_BUFFER);
      this.#socket.bind(sockaddrIp(group, port, device.ifindex));
      joinGroup(this.#socket, group, device.ifindex);
      this.#socket.reserve(ROOM);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  listen(received: (datagram: Uint8Array) => void, failed: (error: Error) => void): void {
    this.#socket.listen({ datagram: ({ data }) => received(data), error: failed });
  }

  /** What the system does not take is lost, as what the network does not carry. */
  send(datagrams: readonly Uint8Array[], port: number): void {
    const to = sockaddrIp(this.#place.group, port, this.#place.device.ifindex);
    try {
      this.#socket.sendBatch(datagrams, to);
    } catch {
      // Whoever needs it asks again.
    }
  }

  close(): void {
    this.#socket.close();
  }
}
