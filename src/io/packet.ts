import { AF, sockaddrPacket } from './sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

/** Room in the send queue for thousands of gratuitous ARPs; the kernel counts about 800 bytes for each. */
const SEND_BUFFER = 8 << 20;
/** No protocol: a packet socket that is given none receives nothing (packet(7)). */
const NOTHING = 0;

/** Sends complete Ethernet frames on any interface: gratuitous ARP, unsolicited neighbour advertisements. */
export class FrameSender {
  readonly #socket = new Socket(AF.PACKET, SOCK.RAW, NOTHING, 'frame sender');

  /** Throws SystemError: `EPERM` without CAP_NET_RAW. */
  constructor() {
    try {
      this.#socket.setOption(SOL_SOCKET, SO.SNDBUFFORCE, SEND_BUFFER);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  /**
   * How many of the frames the interface took, from the first on. Fewer than given means a full queue: send
   * the rest a little later. Throws SystemError when it took none: `ENETDOWN`, `ENXIO`, `ENOBUFS`, `EAGAIN`.
   */
  send(ifindex: number, frames: readonly Uint8Array[]): number {
    if (frames.length === 0) return 0;
    return this.#socket.sendBatch(frames, sockaddrPacket(ifindex));
  }

  close(): void {
    this.#socket.close();
  }
}
