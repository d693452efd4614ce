import { familyOf, type Ip } from '../core/ip.ts';
import { AF, parseSockaddr, sockaddrIp } from './sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

/** Bytes, for bursts: a datagram of 1400 costs 2304 of them. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;
const ROOM = { data: 65_536, slots: 16 };

/** A UDP socket on an address of this host, for many datagrams: the kernel is asked for several at once. */
export class UnicastSocket {
  readonly #socket: Socket;

  /** Throws SystemError: `EADDRNOTAVAIL` where the host does not have the address, `EADDRINUSE`. */
  constructor(local: Ip, port: number, what: string) {
    this.#socket = new Socket(familyOf(local) === 4 ? AF.INET : AF.INET6, SOCK.DGRAM, 0, what);
    try {
      this.#socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, RECEIVE_BUFFER);
      this.#socket.bind(sockaddrIp(local, port));
      this.#socket.reserve(ROOM);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The datagram is a view that the next one overwrites. */
  listen(datagram: (from: Ip, datagram: Uint8Array) => void, error: (error: Error) => void): void {
    this.#socket.listen({
      datagram: ({ data, name }) => {
        const from = parseSockaddr(name);
        if (from?.family === 'ip') datagram(from.ip, data);
      },
      error,
    });
  }

  /** Throws SystemError: `EAGAIN` when the send buffer is full, `ENETUNREACH`. */
  send(datagram: Uint8Array, address: Ip, port: number): void {
    this.#socket.send(datagram, sockaddrIp(address, port));
  }

  close(): void {
    this.#socket.close();
  }
}
