import { readFileSync } from 'node:fs';
import { Reader } from '../core/bytes.ts';
import type { Ip } from '../core/ip.ts';
import { decodeMessage } from '../core/sync/message.ts';
import { readTapped, type SyncTarget, type TapChoice, tapFilter } from '../core/sync/tap.ts';
import { AF, sockaddrPacket } from './sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

const ETH_P_ALL = 3;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
/** Nobody reads what is counted: it need not be kept. */
const NO_BUFFER = 1;
/** Of other syncids a few are looked at. */
const ROOM = { data: 256, slots: 16 };

/** Datagrams of connection sync on an interface, counted by the kernel: what it costs is the same however many come. */
export class SyncCount {
  readonly #sent: Counter;
  readonly #heard: Counter;
  readonly #others: Socket;

  /** Throws SystemError: `EPERM` without CAP_NET_RAW. */
  constructor(
    device: { readonly name: string; readonly ifindex: number },
    target: SyncTarget,
    syncId: number,
  ) {
    const what = `sync counter on ${device.name}`;
    const open = (choice: TapChoice): Socket => packetSocket(device.ifindex, tapFilter(target, choice), what);
    this.#sent = new Counter(open({ outgoing: true, syncId }));
    try {
      this.#heard = new Counter(open({ outgoing: false, syncId }));
      try {
        this.#others = open({ outgoing: false, syncId, others: true });
        this.#others.reserve(ROOM);
      } catch (error) {
        this.#heard.close();
        throw error;
      }
    } catch (error) {
      this.#sent.close();
      throw error;
    }
  }

  /** So far, modulo 2^32: those of this host, and those that came. */
  counts(): { readonly sent: number; readonly heard: number } {
    return { sent: this.#sent.count(), heard: this.#heard.count() };
  }

  /** Senders of other syncids since the last call: some of them. */
  others(): { readonly source: Ip; readonly syncId: number }[] {
    return this.#others.receive().flatMap(({ data }) => {
      const tapped = readTapped(data);
      const decoded = tapped && decodeMessage(tapped.payload);
      if (tapped === undefined || decoded?.ok !== true) return [];
      return [{ source: tapped.source, syncId: decoded.message.syncId }];
    });
  }

  close(): void {
    this.#sent.close();
    this.#heard.close();
    this.#others.close();
  }
}

function packetSocket(ifindex: number, filter: Uint8Array, what: string): Socket {
  const socket = new Socket(AF.PACKET, SOCK.DGRAM, 0, what);
  try {
    socket.setOption(SOL_SOCKET, SO.RCVBUF, NO_BUFFER);
    socket.attachFilter(filter);
    socket.bind(sockaddrPacket(ifindex, ETH_P_ALL));
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** What a packet socket's filter has let through, dropped or not: the kernel counts from one question to the next. */
class Counter {
  readonly #socket: Socket;
  #count = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  count(): number {
    const packets = new Reader(this.#socket.getOption(SOL_PACKET, PACKET_STATISTICS, 8)).u32host();
    this.#count = (this.#count + packets) >>> 0;
    return this.#count;
  }

  close(): void {
    this.#socket.close();
  }
}

/** The kernel's `sync_ports`: a thread and a port each. Where we are; 1 where the kernel does not say. */
export function syncPorts(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/vs/sync_ports', 'latin1')) || 1;
  } catch {
    return 1;
  }
}
