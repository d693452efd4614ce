import type { Socket } from 'node:net';
import type { End } from './channel.ts';

/** Characters of one message: a configuration of thousands of virtual routers has a few million. */
const MAX_MESSAGE = 1 << 28;
/** As with the pipe of a child: more than this waits, and large messages are counted. */
const CROWDED_BYTES = 128 * 1024;

/** The end of a channel that is a unix socket: messages are lines of JSON. One that sends anything else is cut off. */
export class SocketEnd implements End {
  readonly #socket: Socket;
  /** Of a line that has not ended. */
  #parts: string[] = [];
  #length = 0;
  #receive: ((message: unknown) => void) | undefined;
  /** Whole messages, before there is anybody to receive them. */
  #early: unknown[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text) => this.#read(String(text)));
    socket.on('error', () => socket.destroy());
  }

  get open(): boolean {
    return this.#socket.writable;
  }

  send(message: object, sent: () => void): boolean {
    this.#socket.write(`${JSON.stringify(message)}\n`, sent);
    return this.#socket.writableLength < CROWDED_BYTES;
  }

  /** Only the latest receiver is told. */
  onMessage(receive: (message: unknown) => void): void {
    this.#receive = receive;
    for (const message of this.#early.splice(0)) receive(message);
  }

  onClose(closed: () => void): void {
    if (this.#socket.closed) setImmediate(closed);
    else this.#socket.once('close', closed);
  }

  close(): void {
    this.#socket.destroySoon();
  }

  #read(text: string): void {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      const whole = [...this.#parts, line].join('');
      this.#parts = [];
      this.#length = 0;
      if (!this.#take(whole)) return;
    }
    this.#parts.push(rest);
    this.#length += rest.length;
    if (this.#length > MAX_MESSAGE) this.#socket.destroy();
  }

  /** Whether it was a message. */
  #take(line: string): boolean {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.#socket.destroy();
      return false;
    }
    if (this.#receive === undefined) this.#early.push(message);
    else this.#receive(message);
    return true;
  }
}
