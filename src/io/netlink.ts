import { Reader } from '../core/bytes.ts';
import {
  decodeOutcome,
  encodeBatch,
  encodeDump,
  FLAG,
  inBatches,
  MESSAGE,
  type Message,
  type Outcome,
  type Request,
  splitDatagram,
} from '../core/netlink/message.ts';
import { encodeTransaction } from '../core/netlink/nftables.ts';
import { errnoName, SystemError } from './errno.ts';
import { AF, sockaddrNetlink } from './sockaddr.ts';
import { type Datagram, SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

/** Protocols of AF_NETLINK. */
export const NETLINK = { ROUTE: 0, NETFILTER: 12, GENERIC: 16 } as const;

const SOL_NETLINK = 270;
const OPTION = { addMembership: 1, capAck: 10, extAck: 11, strictCheck: 12 } as const;
/** The kernel never builds a larger dump datagram than 32 KiB. */
const DATAGRAM_ROOM = 32_768;
const REQUEST_SLOTS = 16;
const MONITOR_SLOTS = 8;
/** Room for some thousand events while the process is busy; what is above is lost and said (ENOBUFS). */
const MONITOR_BUFFER = 4 << 20;
/** A dump that changes under way is asked for again; after so many times the last one must do. */
const DUMP_TRIES = 5;
export const ENOBUFS = 105;
const ENODATA = 61;
const KERNEL = sockaddrNetlink();
/** Where the port is in a socket address. */
const PORT_AT = 4;

/** Hears of each request and what became of it, while there is one. */
let listener: ((line: string) => void) | undefined;

/** Every request of this process, and what became of it, goes to `tell` from now on; to nobody when it is absent. */
export function tellRequests(tell: ((line: string) => void) | undefined): void {
  listener = tell;
}

const told = ({ asked }: Request, outcome: Outcome): void =>
  listener?.(`${asked}: ${outcome.errno === 0 ? 'done' : explainOutcome(outcome)}`);

/** A request that the kernel refused: what was asked, why, and in which attribute if it said so. */
export class NetlinkError extends Error {
  override name = 'NetlinkError';
  /** Positive, as in errno(3). */
  readonly errno: number;
  /** The name to branch on: `EEXIST`. */
  readonly code: string;
  readonly asked: string;

  constructor(asked: string, outcome: Outcome) {
    super(`${asked}: ${explainOutcome(outcome)}`);
    this.errno = outcome.errno;
    this.code = errnoName(outcome.errno);
    this.asked = asked;
  }
}

/** `EINVAL (ipv4: Invalid prefix length)`: the errno's name and the kernel's own words if it has any. */
export function explainOutcome(outcome: Outcome): string {
  const code = errnoName(outcome.errno);
  return outcome.text === undefined ? code : `${code} (${outcome.text})`;
}

/**
 * A socket for requests. The kernel works on a request within `send` and has queued the answer when it
 * returns, so that answers are read in the same turn: there are no promises and nothing to correlate later.
 */
export class NetlinkSocket {
  readonly #socket: Socket;
  #sequence = 1;

  /**
   * `protocol` is one of NETLINK; `what` names the socket in errors; `room`: of what is sent at once, in bytes. Throws
   * SystemError.
   */
  constructor(protocol: number, what: string, room?: number) {
    this.#socket = new Socket(AF.NETLINK, SOCK.RAW, protocol, what);
    if (room !== undefined) enlarge(this.#socket, SO.SNDBUFFORCE, SO.SNDBUF, room);
    this.#socket.setOption(SOL_NETLINK, OPTION.capAck, 1);
    this.#socket.setOption(SOL_NETLINK, OPTION.extAck, 1);
    // Dumps may say what they are for; the kernel sorts out the rest.
    this.#socket.setOption(SOL_NETLINK, OPTION.strictCheck, 1);
    this.#socket.bind(sockaddrNetlink());
    this.#socket.reserve({ data: DATAGRAM_ROOM, slots: REQUEST_SLOTS });
  }

  /** What the kernel knows it by. */
  get port(): number {
    return new Reader(this.#socket.localName(), PORT_AT).u32host();
  }

  /**
   * Sends requests in order, at most MAX_BATCH in one send, and gives the outcome of each. There is no
   * transaction: a request that fails does not stop those after it. Throws SystemError only when the socket
   * itself fails. An answer that was lost counts as ENOBUFS: the change may have been made.
   */
  request(requests: readonly Request[]): Outcome[] {
    return inBatches(requests).flatMap((batch) => this.#batch(batch));
  }

  #batch(requests: readonly Request[]): Outcome[] {
    const first = this.#take(requests.length);
    this.#socket.send(encodeBatch(requests, first), KERNEL);
    const outcomes: (Outcome | undefined)[] = requests.map(() => undefined);
    let missing = requests.length;
    while (missing > 0) {
      const messages = this.#receive();
      if (messages === undefined) break;
      for (const message of messages) {
        const index = message.sequence - first;
        const outcome = decodeOutcome(message);
        if (outcome === undefined || index < 0 || index >= requests.length) continue;
        if (outcomes[index] === undefined) missing--;
        outcomes[index] = outcome;
      }
    }
    const all = outcomes.map((outcome) => outcome ?? { errno: ENOBUFS, text: 'the answer was lost' });
    if (listener !== undefined)
      for (const [i, request] of requests.entries()) told(request, all[i] as Outcome);
    return all;
  }

  /**
   * Has nf_tables do all of the requests, or none. The outcome of the first that was refused, with what it asked for;
   * success when none was. Throws SystemError only when the socket itself fails.
   */
  transact(requests: readonly Request[]): Outcome & { readonly asked?: string } {
    const first = this.#take(requests.length + 2);
    this.#socket.send(encodeTransaction(requests, first), KERNEL);
    const last = first + requests.length;
    // Acknowledgements come in the order of the requests, and that of the last is always asked for.
    for (let messages = this.#receive(); messages !== undefined; messages = this.#receive()) {
      for (const message of messages) {
        const outcome = decodeOutcome(message);
        if (outcome === undefined || message.sequence < first || message.sequence > last + 1) continue;
        const asked = requests[message.sequence - first - 1]?.asked;
        if (outcome.errno !== 0) return { ...outcome, ...(asked !== undefined && { asked }) };
        if (message.sequence === last) return outcome;
      }
    }
    return { errno: ENOBUFS, text: 'the answer was lost' };
  }

  /** The messages that answer one request that is no dump. Throws NetlinkError when it is refused. */
  ask(request: Request): Message[] {
    const sequence = this.#take(1);
    this.#socket.send(encodeBatch([request], sequence), KERNEL);
    const { messages, outcome } = this.#collect(sequence);
    told(request, outcome);
    if (outcome.errno !== 0) throw new NetlinkError(request.asked, outcome);
    return messages;
  }

  /**
   * All messages of a dump. One that the kernel marks as inconsistent, or of which parts were lost, is asked
   * for again a few times. Throws NetlinkError when it is refused or does not come through.
   */
  dump(request: Request): Message[] {
    let outcome: Outcome = { errno: ENOBUFS };
    for (let tries = 1; tries <= DUMP_TRIES; tries++) {
      const sequence = this.#take(1);
      this.#socket.send(encodeDump(request, sequence), KERNEL);
      const answer = this.#collect(sequence);
      outcome = answer.outcome;
      if (outcome.errno === ENOBUFS) continue;
      if (outcome.errno !== 0) break;
      const interrupted = answer.messages.some(({ flags }) => (flags & FLAG.dumpInterrupted) !== 0);
      if (!interrupted || tries === DUMP_TRIES) {
        told(request, outcome);
        return answer.messages;
      }
    }
    told(request, outcome);
    throw new NetlinkError(request.asked, outcome);
  }

  /** What `decode` finds in the messages of a dump. */
  list<T>(request: Request, decode: (message: Message) => T | undefined): T[] {
    return this.dump(request)
      .map(decode)
      .filter((each) => each !== undefined);
  }

  close(): void {
    this.#socket.close();
  }

  /** Reads until the request `sequence` is acknowledged, refused or, for a dump, done. */
  #collect(sequence: number): { messages: Message[]; outcome: Outcome } {
    const found: Message[] = [];
    for (;;) {
      const messages = this.#receive();
      if (messages === undefined) return { messages: found, outcome: { errno: ENOBUFS } };
      for (const message of messages) {
        if (message.sequence !== sequence) continue;
        const outcome = decodeOutcome(message);
        if (outcome !== undefined) return { messages: found, outcome };
        if (message.type > MESSAGE.overrun) found.push({ ...message, body: message.body.slice() });
      }
    }
  }

  /** What is queued; `undefined` when nothing more comes: some of it was lost. */
  #receive(): Message[] | undefined {
    try {
      const datagrams = this.#socket.receive();
      if (datagrams.length === 0 || datagrams.some(({ truncated }) => truncated)) return undefined;
      return datagrams.filter(isFromKernel).flatMap(({ data }) => splitDatagram(data).messages);
    } catch (error) {
      if (error instanceof SystemError && error.errno === ENOBUFS) return undefined;
      throw error;
    }
  }

  #take(count: number): number {
    if (this.#sequence + count > 0xffffffff) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }
}

/** The first message of an answer that must not be empty. Throws NetlinkError (ENODATA) when it is. */
export function only<T>(asked: string, decoded: readonly (T | undefined)[]): T {
  const first = decoded.find((each) => each !== undefined);
  if (first === undefined) throw new NetlinkError(asked, { errno: ENODATA, text: 'the answer was empty' });
  return first;
}

/** Port 0: another process with the right to could send to us as well. */
function isFromKernel({ name }: Datagram): boolean {
  return name.length >= 8 && new Reader(name, PORT_AT).u32host() === 0;
}

export interface NetlinkListener {
  message(message: Message): void;
  /** Events were lost: what is known must be read again. `why` is for the log. */
  resync(why: string): void;
}

/** A socket that hears the multicast groups of a netlink protocol. */
export class NetlinkMonitor {
  readonly #socket: Socket;
  #listener: NetlinkListener | undefined;

  /** `buffer` is the receive queue in bytes. Throws SystemError. */
  constructor(protocol: number, groups: readonly number[], what: string, buffer = MONITOR_BUFFER) {
    this.#socket = new Socket(AF.NETLINK, SOCK.RAW, protocol, what);
    enlarge(this.#socket, SO.RCVBUFFORCE, SO.RCVBUF, buffer);
    this.#socket.bind(sockaddrNetlink());
    for (const group of groups) this.#socket.setOption(SOL_NETLINK, OPTION.addMembership, group);
    this.#socket.reserve({ data: DATAGRAM_ROOM, slots: MONITOR_SLOTS });
  }

  /** Takes only what the filter does: instructions of classic BPF. Before it is started. */
  filter(program: Uint8Array): void {
    this.#socket.attachFilter(program);
  }

  /** Delivers from the event loop. Start it before the first dump, or what happens between is missed. */
  start(listener: NetlinkListener): void {
    this.#listener = listener;
    this.#socket.listen({
      datagram: (datagram) => this.#deliver(datagram),
      error: (error) => this.#fail(error),
    });
  }

  /** Hears these groups too, from now on. */
  join(groups: readonly number[]): void {
    for (const group of groups) this.#socket.setOption(SOL_NETLINK, OPTION.addMembership, group);
  }

  /** Delivers what is waiting now: the kernel tells of a request before it answers. Not from within the listener. */
  drain(): void {
    try {
      for (let waiting = this.#socket.receive(); waiting.length > 0; waiting = this.#socket.receive()) {
        for (const datagram of waiting) this.#deliver(datagram);
      }
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#fail(error);
    }
  }

  #deliver(datagram: Datagram): void {
    if (!isFromKernel(datagram)) return;
    const { messages, leftover } = splitDatagram(datagram.data);
    for (const message of messages) this.#listener?.message(message);
    if (datagram.truncated || leftover > 0) this.#listener?.resync('an event was cut short');
  }

  #fail(error: SystemError): void {
    if (error.errno !== ENOBUFS) throw error;
    this.#listener?.resync('events were lost (ENOBUFS)');
  }

  close(): void {
    this.#socket.close();
  }
}

/** A buffer beyond net.core.rmem_max or wmem_max where we may. */
function enlarge(socket: Socket, force: number, option: number, bytes: number): void {
  try {
    socket.setOption(SOL_SOCKET, force, bytes);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EPERM') throw error;
    socket.setOption(SOL_SOCKET, option, bytes);
  }
}
