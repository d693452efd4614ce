import { errnoName } from './errno.ts';
import { rawio, type Streams } from './rawio.ts';
import { countFullReceive } from './socket.ts';

/** How many connections there may be at a time, those that are just closing included. */
const CAPACITY = 16_384;
/** Of the buffer and the rows that the addon fills (streams.c: BATCH, PART, ROW). */
const BATCH = 64;
const PART = 16_384;
const ROW = 4;
const CONNECTED = 1;
const DATA = 2;
const ENDED = 4;
const FAILED = 8;
const HOW = { 'in order': 0, reset: 1 } as const;
/** How long a peer may take to close its side; up to twice that. */
const SWEEP_MS = 1000;

/** Who is told what happens to a connection. Each may end it. */
export interface StreamListener {
  connected(): void;
  /** A view that the next turn overwrites. */
  data(bytes: Uint8Array): void;
  ended(): void;
  /** The name of the errno. */
  failed(code: string): void;
}

/** Where to connect to, and from where: socket addresses as the kernel has them. */
export interface StreamTarget {
  readonly name: Uint8Array;
  readonly source?: Uint8Array;
  readonly device?: Uint8Array;
  readonly mark: number;
}

/**
 * TCP connections by the thousand: one descriptor for the event loop, one call for all that happened in a turn
 * (streams.c). A connection through `node:net` costs three times as much.
 */
class StreamTable {
  readonly #buffer = new Uint8Array(BATCH * PART);
  readonly #rows = new Uint32Array(BATCH * ROW);
  readonly #streams: Streams;
  readonly #listeners: (StreamListener | undefined)[] = [];
  #open = 0;
  #sweeping: NodeJS.Timeout | undefined;

  constructor() {
    this.#streams = new rawio.Streams(
      CAPACITY,
      (count, full) => this.#turn(count, full),
      this.#buffer,
      this.#rows,
    );
  }

  /** Begins to connect; a number to name the connection by, or -errno. */
  open({ name, source, device, mark }: StreamTarget, listener: StreamListener): number {
    const at = this.#streams.open(name, source, device, mark);
    if (at < 0) return at;
    this.#listeners[at] = listener;
    if (this.#open++ === 0) this.#streams.keepAlive(1);
    return at;
  }

  /** Whether all of it was taken: requests are small, and the socket is new. */
  write(at: number, bytes: Uint8Array): boolean {
    return this.#streams.write(at, bytes) === bytes.length;
  }

  /** The listener hears no more. In order: the peer reads to the end and closes; else it gets a reset. */
  end(at: number, how: keyof typeof HOW): void {
    this.#forget(at);
    const draining = this.#streams.end(at, HOW[how]);
    if (draining > 0) this.#sweeping ??= setTimeout(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Gives the descriptor away. */
  detach(at: number): number {
    this.#forget(at);
    return this.#streams.detach(at);
  }

  #forget(at: number): void {
    this.#listeners[at] = undefined;
    if (--this.#open === 0) this.#streams.keepAlive(0);
  }

  #sweep(): void {
    this.#sweeping = undefined;
    if (this.#streams.sweep() > 0) this.#sweeping = setTimeout(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** What a listener does may end its connection, whose further news then nobody hears. */
  #turn(count: number, full: boolean): void {
    if (full) countFullReceive();
    for (let row = 0; row < count; row++) {
      const word = row * ROW;
      const at = this.#rows[word] ?? 0;
      const bits = this.#rows[word + 1] ?? 0;
      const listener = this.#listeners[at];
      const heard = (): boolean => listener !== undefined && this.#listeners[at] === listener;
      if ((bits & CONNECTED) !== 0 && heard()) listener?.connected();
      if ((bits & DATA) !== 0 && heard()) {
        const begin = row * PART;
        listener?.data(this.#buffer.subarray(begin, begin + (this.#rows[word + 2] ?? 0)));
      }
      if ((bits & FAILED) !== 0 && heard()) listener?.failed(errnoName(this.#rows[word + 3] ?? 0));
      else if ((bits & ENDED) !== 0 && heard()) listener?.ended();
    }
  }
}

let table: StreamTable | undefined;
/** The table of this process, made when it is first needed. */
export function streams(): StreamTable {
  table ??= new StreamTable();
  return table;
}
