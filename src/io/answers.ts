import type { Family, Ip } from '../core/ip.ts';
import { formatMac } from '../core/netlink/link.ts';
import { answeredAddress, answerFilter, answerType } from '../core/vrrp/question.ts';
import type { SystemError } from './errno.ts';
import { AF, parseSockaddr, sockaddrPacket } from './sockaddr.ts';
import { SOCK, Socket } from './socket.ts';

/** An answer is no longer. */
const ROOM = { data: 256, slots: 32 };
/** None, until the filter is in place. */
const NOTHING = 0;

export interface AnswerHandlers {
  /** Who has that MAC address (`02:00:00:00:00:01`) answers for the address. */
  answer(address: Ip, mac: string): void;
  error(error: SystemError): void;
}

/** Hears the ARP replies (IPv4) or neighbour advertisements (IPv6) that come in on an interface. */
export class AnswerListener {
  readonly #socket: Socket;
  readonly #family: Family;

  /** Throws SystemError: `EPERM` without CAP_NET_RAW, `ENODEV` without the interface. */
  constructor(device: { readonly name: string; readonly ifindex: number }, family: Family) {
    this.#family = family;
    this.#socket = new Socket(AF.PACKET, SOCK.DGRAM, NOTHING, `listener for answers on ${device.name}`);
    try {
      this.#socket.attachFilter(answerFilter(family));
      this.#socket.bind(sockaddrPacket(device.ifindex, answerType(family)));
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  listen({ answer, error }: AnswerHandlers): void {
    this.#socket.reserve(ROOM);
    this.#socket.listen({
      datagram: ({ data, name }) => {
        const sender = parseSockaddr(name);
        const address = answeredAddress(data, this.#family);
        if (address !== undefined && sender?.family === 'packet') answer(address, formatMac(sender.hardware));
      },
      error,
    });
  }

  close(): void {
    this.#socket.close();
  }
}
