import { createRequire } from 'node:module';
import { installed } from './installed.ts';

/**
 * The types of the addon (src/io/native). Every number that comes back is a count or -errno. Only socket.ts, clock.ts,
 * signals.ts, placement.ts, namespace.ts, lock.ts, stderr.ts, seclusion.ts, execution.ts and watchdog.ts of this folder
 * use it; everybody else uses those.
 */
export interface Sock {
  /** The descriptor, or -errno when the socket could not be opened or is closed. */
  fd(): number;
  bind(name: Uint8Array): number;
  connect(name: Uint8Array): number;
  setsockopt(level: number, option: number, value: Uint8Array): number;
  getsockopt(level: number, option: number, into: Uint8Array): number;
  getsockname(into: Uint8Array): number;
  attachFilter(program: Uint8Array): number;
  send(data: Uint8Array, name: Uint8Array | undefined, control: Uint8Array | undefined): number;
  sendBatch(
    data: Uint8Array,
    lengths: Uint32Array,
    name: Uint8Array | undefined,
    control: Uint8Array | undefined,
  ): number;
  recv(
    slab: Uint8Array,
    meta: Uint32Array,
    slots: number,
    nameSize: number,
    controlSize: number,
    dataSize: number,
  ): number;
  start(
    slab: Uint8Array,
    meta: Uint32Array,
    slots: number,
    nameSize: number,
    controlSize: number,
    dataSize: number,
    callback: (count: number) => void,
  ): number;
  stop(): number;
  detach(): number;
  close(): number;
}

export interface Timer {
  /** `us` on CLOCK_BOOTTIME; negative disarms. */
  set(us: number, callback: () => void): number;
  close(): number;
}

/** Many TCP connections (src/io/native/streams.c); only src/io/streams.ts uses it. */
export interface Streams {
  open(
    name: Uint8Array,
    source: Uint8Array | undefined,
    device: Uint8Array | undefined,
    mark: number,
  ): number;
  write(place: number, data: Uint8Array): number;
  end(place: number, how: number): number;
  detach(place: number): number;
  sweep(): number;
  keepAlive(on: number): number;
}

/** Signals that Node does not know, by number. */
export interface Signal {
  listen(number: number, callback: (count: number) => void): number;
}

interface Rawio {
  readonly Sock: new (domain: number, type: number, protocol: number) => Sock;
  readonly Timer: new () => Timer;
  readonly Streams: new (
    capacity: number,
    callback: (rows: number, full: boolean) => void,
    buffer: Uint8Array,
    rows: Uint32Array,
  ) => Streams;
  readonly Signal: new () => Signal;
  /** The clock of this number, of clock_gettime(2), in whole microseconds. */
  clock(id: number): number;
  /** How finely that clock goes, in whole microseconds. */
  clockTick(id: number): number;
  sched(policy: number, priority: number): number;
  affinity(thread: number, mask: Uint8Array): number;
  limit(resource: number, soft: number): number;
  setns(fd: number, type: number): number;
  closeOnExec(fd: number): number;
  /** `data` is as long as the request says (_IOC_SIZE), and is written into. */
  ioctl(fd: number, request: number, data: Uint8Array): number;
  defaultSignals(): number;
  hideMemory(): number;
  /** The signal of this number ends nothing any more, and tells nobody. */
  unheard(number: number): number;
  /** flock(2), exclusively and without waiting: -EWOULDBLOCK when another has it. */
  lock(fd: number): number;
  /** Takes note of the end of a child: 0 while it lives, else its id. */
  bury(pid: number): number;
  /**
   * execve(2): another program in this process, with these words of its command line and variables, each ended by a
   * zero byte, and our standard descriptors. Only returns -errno.
   */
  execute(path: Uint8Array, words: Uint8Array, variables: Uint8Array): number;
  /** Never waits: how much was written, -EAGAIN when nothing can be now. */
  writeNow(fd: number, data: Uint8Array): number;
}

function load(): Rawio {
  const path = installed('rawio.node');
  try {
    return createRequire(path)(path) as Rawio;
  } catch (cause) {
    throw new Error(`cannot load the native addon ${path}; build it with: make -C src/io/native`, { cause });
  }
}

export const rawio = load();
