import type { Ip } from '../core/ip.ts';
import { IP, IPPROTO_IP } from './inet.ts';
import { sendMulticastBy } from './membership.ts';
import { AF, sockaddrIp } from './sockaddr.ts';
import { SOCK, Socket } from './socket.ts';

/** Gives this host's kernel sync datagrams, as if they had come by an interface that its backup daemon listens on. */
export class SyncEntry {
  readonly #socket: Socket;
  readonly #group: Ip;

  /** For an IPv4 group. Throws SystemError. */
  constructor(device: { readonly name: string; readonly ifindex: number }, group: Ip) {
    this.#socket = new Socket(AF.INET, SOCK.DGRAM, 0, `sync entry of ${device.name}`);
    this.#group = group;
    try {
      sendMulticastBy(this.#socket, device.ifindex);
      // It is looped back to who listens on this host, and not sent: so no tap takes it for the kernel's own.
      this.#socket.setOption(IPPROTO_IP, IP.MULTICAST_TTL, 0);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Nothing happens where no backup daemon listens on the port. Throws SystemError. */
  give(port: number, payload: Uint8Array): void {
    this.#socket.send(payload, sockaddrIp(this.#group, port));
  }

  close(): void {
    this.#socket.close();
  }
}
