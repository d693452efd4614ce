import { assert } from '../core/assert.ts';
import { Writer } from '../core/bytes.ts';
import { check, SystemError } from './errno.ts';
import { rawio, type Sock } from './rawio.ts';

/** Socket types, from <bits/socket_type.h>. */
export const SOCK = { DGRAM: 2, RAW: 3 } as const;

/** Options of SOL_SOCKET, from <asm-generic/socket.h>. */
export const SOL_SOCKET = 1;
export const SO = {
  SNDBUF: 7,
  RCVBUF: 8,
  BINDTODEVICE: 25,
  SNDBUFFORCE: 32,
  RCVBUFFORCE: 33,
  MARK: 36,
} as const;

/** What one receive brought. The arrays are views that the next receive overwrites: copy what must stay. */
export interface Datagram {
  readonly data: Uint8Array;
  /** The sender's socket address; empty when the family gives none. */
  readonly name: Uint8Array;
  readonly control: Uint8Array;
  /** The datagram was longer than the slab's `data`, and its end is lost. */
  readonly truncated: boolean;
}

export interface ReceiveHandlers {
  datagram(datagram: Datagram): void;
  /** The socket lives on; `ENOBUFS` of netlink, say, means that messages were lost. */
  error(error: SystemError): void;
}

/** Room for what is received, in bytes: `data` for a datagram, `control` for its control messages. */
export interface Room {
  readonly data: number;
  readonly control?: number;
  /** Datagrams read by one system call, 1 to 64. */
  readonly slots?: number;
}

/** A sockaddr_storage. */
const NAME_ROOM = 128;
const META_WORDS = 4;
const MSG_TRUNC = 0x20;
/** The one instruction `ret #0`. */
const DROP_ALL = new Writer(8).u16host(0x06).zeros(6).finish();
const EAGAIN = 11;

let full = 0;
/**
 * How many receives of this thread filled all of their slots so far. When it has not moved during a turn
 * of the event loop, every listening socket was read empty in it.
 */
export const fullReceives = (): number => full;
/** Another kind of socket was not read empty in this turn. */
export function countFullReceive(): void {
  full++;
}

/** The memory that a socket receives into, reused for ever: nothing is allocated for a datagram but views. */
class Slab {
  readonly slots: number;
  readonly data: number;
  readonly control: number;
  readonly bytes: Uint8Array;
  readonly meta: Uint32Array;

  constructor(room: Room) {
    this.slots = room.slots ?? 32;
    this.data = (room.data + 7) & ~7;
    this.control = ((room.control ?? 0) + 7) & ~7;
    this.bytes = new Uint8Array(this.slots * (NAME_ROOM + this.control + this.data));
    this.meta = new Uint32Array(this.slots * META_WORDS);
  }

  datagram(slot: number): Datagram {
    const word = slot * META_WORDS;
    const data = this.meta[word] ?? 0;
    const name = this.meta[word + 1] ?? 0;
    const control = this.meta[word + 2] ?? 0;
    const flags = this.meta[word + 3] ?? 0;
    const at = slot * (NAME_ROOM + this.control + this.data);
    const controlAt = at + NAME_ROOM;
    const dataAt = controlAt + this.control;
    return {
      name: this.bytes.subarray(at, at + name),
      control: this.bytes.subarray(controlAt, controlAt + control),
      data: this.bytes.subarray(dataAt, dataAt + data),
      truncated: (flags & MSG_TRUNC) !== 0,
    };
  }
}

/**
 * A datagram socket of any family, non-blocking and closed on exec. Each method throws SystemError with the
 * call's name and `what`, which says for a reader what the socket is: `VRRP receiver on eth0`.
 */
export class Socket {
  readonly what: string;
  readonly #sock: Sock;
  #slab: Slab | undefined;
  #listening = false;

  constructor(domain: number, type: number, protocol: number, what: string) {
    this.what = what;
    this.#sock = new rawio.Sock(domain, type, protocol);
    check(this.#sock.fd(), 'socket', what);
  }

  bind(name: Uint8Array): void {
    check(this.#sock.bind(name), 'bind', this.what);
  }

  connect(name: Uint8Array): void {
    check(this.#sock.connect(name), 'connect', this.what);
  }

  /** A number is passed as an int in host order. */
  setOption(level: number, option: number, value: number | Uint8Array): void {
    const bytes = typeof value === 'number' ? new Writer(4).i32host(value).finish() : value;
    check(this.#sock.setsockopt(level, option, bytes), `setsockopt(${level}, ${option})`, this.what);
  }

  /** At most `room` bytes of the option's value. */
  getOption(level: number, option: number, room = 4): Uint8Array {
    const into = new Uint8Array(room);
    const length = this.#sock.getsockopt(level, option, into);
    return into.subarray(0, check(length, `getsockopt(${level}, ${option})`, this.what));
  }

  /** The socket address that it is bound to. */
  localName(): Uint8Array {
    const into = new Uint8Array(NAME_ROOM);
    return into.subarray(0, check(this.#sock.getsockname(into), 'getsockname', this.what));
  }

  /** Only what the classic BPF program takes is queued from now on: its instructions, 8 bytes each. */
  attachFilter(program: Uint8Array): void {
    check(this.#sock.attachFilter(program), 'setsockopt(SO_ATTACH_FILTER)', this.what);
  }

  /** Drops all that arrives before it is queued; for a raw socket that only sends. */
  deafen(): void {
    this.attachFilter(DROP_ALL);
  }

  /** Sends one datagram; the bytes taken. `EAGAIN` when the send buffer is full. */
  send(data: Uint8Array, to?: Uint8Array, control?: Uint8Array): number {
    return check(this.#sock.send(data, to, control), 'sendmsg', this.what);
  }

  /**
   * Sends many to one destination with few system calls; how many were taken, from the first on. Throws
   * only when not even the first was: fewer than given means that sending the rest tells why.
   */
  sendBatch(datagrams: readonly Uint8Array[], to?: Uint8Array, control?: Uint8Array): number {
    const lengths = Uint32Array.from(datagrams, (datagram) => datagram.length);
    const data = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const datagram of datagrams) {
      data.set(datagram, at);
      at += datagram.length;
    }
    return check(this.#sock.sendBatch(data, lengths, to, control), 'sendmmsg', this.what);
  }

  /** Sets aside the memory that `receive` and `listen` use; call it once, before them. */
  reserve(room: Room): void {
    assert(!this.#listening, `${this.what}: reserve while listening`);
    this.#slab = new Slab(room);
  }

  /** What is waiting right now, at most one slab; empty when nothing is. Does not wait. */
  receive(): Datagram[] {
    const slab = this.#room();
    const count = this.#sock.recv(slab.bytes, slab.meta, slab.slots, NAME_ROOM, slab.control, slab.data);
    if (count === -EAGAIN) return [];
    check(count, 'recvmmsg', this.what);
    return Array.from({ length: count }, (_, slot) => slab.datagram(slot));
  }

  /** Delivers what arrives from the event loop, until `stop` or `close`. Keeps the process alive. */
  listen(handlers: ReceiveHandlers): void {
    const slab = this.#room();
    const { bytes, meta, slots, control, data } = slab;
    const started = this.#sock.start(bytes, meta, slots, NAME_ROOM, control, data, (count) => {
      if (count < 0) handlers.error(new SystemError(-count, 'recvmmsg', this.what));
      if (count === slots) full++;
      for (let slot = 0; slot < count && this.#listening; slot++) handlers.datagram(slab.datagram(slot));
    });
    check(started, 'poll', this.what);
    this.#listening = true;
  }

  stop(): void {
    this.#listening = false;
    this.#sock.stop();
  }

  /** Gives the descriptor away, for `new net.Socket({ fd })`; this object is closed then. */
  detach(): number {
    this.#listening = false;
    return check(this.#sock.detach(), 'detach', this.what);
  }

  /** May be called again. */
  close(): void {
    this.#listening = false;
    this.#sock.close();
  }

  #room(): Slab {
    assert(this.#slab !== undefined, `${this.what}: reserve memory before receiving`);
    return this.#slab;
  }
}
