import { Reader } from '../../../src/core/bytes.ts';
import { decodeEvent, GROUP } from '../../../src/core/netlink/events.ts';
import { splitDatagram } from '../../../src/core/netlink/message.ts';
import { findControl } from '../../../src/io/cmsg.ts';
import { sched } from '../../../src/io/placement.ts';
import { AF, sockaddrNetlink } from '../../../src/io/sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from '../../../src/io/socket.ts';
import {
  type Advert,
  type Announcement,
  type Ask,
  type Change,
  clock,
  type Milliseconds,
  type Summary,
} from '../scene/observation.ts';
import { readFrame } from './frame.ts';

/**
 * `watch ADDRESS`, started in a host: notes each VRRP advert, announcement and address change there until it is
 * killed, and answers questions about them. It sends nothing by itself, so that it costs the daemons little.
 */
const watched = process.argv[2] ?? '';

const NETLINK_ROUTE = 0;
const ETH_P_ALL = 3;
const SO_TIMESTAMPNS = 35;
const RECEIVE_BUFFER = 16 << 20;
/** Ten minutes of adverts each 10 ms, and much to spare. */
const KEPT = 500_000;
/** Above any daemon's: on a busy machine the time of an address would else be the watcher's own delay. */
const REAL_TIME_PRIORITY = 90;

const adverts: Advert[] = [];
const announcements: Announcement[] = [];
const changes: Change[] = [];
const held = new Set<string>();
let takeovers = 0;
let lost = false;

function keep<T>(list: T[], value: T): void {
  if (list.length < KEPT) list.push(value);
  else lost = true;
}

function watchAddresses(): void {
  const socket = new Socket(AF.NETLINK, SOCK.RAW, NETLINK_ROUTE, 'address monitor');
  socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, RECEIVE_BUFFER);
  const bit = (group: number): number => 1 << (group - 1);
  socket.bind(sockaddrNetlink(0, bit(GROUP.ipv4Address) | bit(GROUP.ipv6Address)));
  socket.reserve({ data: 8192 });
  socket.listen({
    datagram: ({ data }) => {
      const at = clock();
      for (const message of splitDatagram(data).messages) {
        const event = decodeEvent(message);
        if (event?.type === 'address') note(at, event.address.address.ip, event.present);
      }
    },
    error: () => {
      lost = true;
    },
  });
}

/** A renewal of an address that is there already is no change. */
function note(at: Milliseconds, address: string, present: boolean): void {
  if (held.has(address) === present) return;
  if (present) held.add(address);
  else held.delete(address);
  if (present && address === watched) takeovers++;
  keep(changes, { at, address, present });
}

function watchFrames(): void {
  const socket = new Socket(AF.PACKET, SOCK.RAW, ETH_P_ALL << 8, 'frame monitor');
  socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, RECEIVE_BUFFER);
  socket.setOption(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  socket.reserve({ data: 256, control: 64 });
  socket.listen({
    datagram: ({ data, control }) => {
      const seen = readFrame(data);
      if (seen === undefined) return;
      const at = kernelTime(control) ?? clock();
      if (seen.kind === 'advert') {
        const { source, vrid, priority } = seen;
        keep(adverts, { at, source, vrid, priority });
      } else keep(announcements, { at, address: seen.address });
    },
    error: () => {
      lost = true;
    },
  });
}

/** The time of the packet as the kernel noted it (a timespec), the same clock as `clock()`. */
function kernelTime(control: Uint8Array): Milliseconds | undefined {
  const stamp = findControl(control, SOL_SOCKET, SO_TIMESTAMPNS);
  if (stamp === undefined) return undefined;
  const reader = new Reader(stamp);
  return Number(reader.u64host()) * 1e3 + Number(reader.u64host()) / 1e6;
}

function summary(): Summary {
  return {
    held: held.size,
    takeovers,
    adverts: adverts.length,
    lastAdvert: adverts.at(-1),
    announcements: announcements.length,
    changes: changes.length,
    lost,
  };
}

function answer(ask: Ask): unknown {
  if (ask === 'summary') return summary();
  if (ask === 'observations') return { adverts, announcements, changes };
  for (const list of [adverts, announcements, changes]) list.length = 0;
  takeovers = 0;
  lost = false;
  return {};
}

try {
  sched('RR', REAL_TIME_PRIORITY);
} catch {
  // Where real time is not permitted, the figures of a busy machine are coarser.
}
watchAddresses();
watchFrames();
process.on('message', ({ id, ask }: { id: number; ask: Ask }) => {
  process.send?.({ id, result: answer(ask) });
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, result: {} });
