import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** A UDP socket on an address and port of this host. */
export class DatagramSocket {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Rejects with what the system refuses. Later errors go to `failed`. */
  static open(
    address: string,
    port: number,
    received: (datagram: Uint8Array, from: RemoteInfo) => void,
    failed: (error: Error) => void,
  ): Promise<DatagramSocket> {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, () => {
        socket.off('error', reject);
        socket.on('error', failed);
        socket.on('message', received);
        resolve(new DatagramSocket(socket));
      });
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** What does not arrive is sent again by who needs it: errors are told by the socket's own. */
  send(datagram: Uint8Array, to: Pick<RemoteInfo, 'address' | 'port'>): void {
    this.#socket.send(datagram, to.port, to.address, () => undefined);
  }

  close(): void {
    this.#socket.close();
  }
}
