import { spawnSync } from 'node:child_process';
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { Reader, Writer } from '../../src/core/bytes.ts';
import { ip } from '../../src/core/ip.ts';
import { SystemError } from '../../src/io/errno.ts';
import { rawio } from '../../src/io/rawio.ts';
import { AF, parseSockaddr, sockaddrIp, sockaddrNetlink, sockaddrUnix } from '../../src/io/sockaddr.ts';
import { fullReceives, SO, SOCK, SOL_SOCKET, Socket } from '../../src/io/socket.ts';
import { HANGS_MILLISECONDS } from '../patience.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ip as iproute } from './namespace.ts';

enterNamespace();
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const test = suite('socket');
const LOOPBACK = ip('127.0.0.1');
const NETLINK_ROUTE = 0;

function udp(room = { data: 64 }): Socket {
  const socket = new Socket(AF.INET, SOCK.DGRAM, 0, 'test datagrams');
  socket.bind(sockaddrIp(LOOPBACK));
  socket.reserve(room);
  return socket;
}

/** RTM_GETLINK for the loopback interface: struct nlmsghdr and struct ifinfomsg. */
function getLink(sequence: number): Uint8Array {
  const out = new Writer(32).u32host(32).u16host(18).u16host(1).u32host(sequence).u32host(0);
  return out.u32host(0).i32host(1).u32host(0).u32host(0).finish();
}

const socketCount = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

function caught(action: () => void): SystemError {
  try {
    action();
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

test('a netlink request is answered in the same turn', () => {
  const socket = new Socket(AF.NETLINK, SOCK.RAW, NETLINK_ROUTE, 'netlink');
  socket.bind(sockaddrNetlink());
  socket.reserve({ data: 32768, slots: 1 });
  assert.is(socket.send(getLink(7)), 32);
  const [answer, ...more] = socket.receive();
  assert.is(more.length, 0);
  assert.is(answer?.truncated, false);
  const header = new Reader(answer?.data ?? new Uint8Array());
  assert.is(header.u32host(), answer?.data.length);
  assert.is(header.u16host(), 16, 'RTM_NEWLINK');
  assert.is(header.u16host(), 0, 'flags');
  assert.is(header.u32host(), 7, 'sequence');
  assert.equal(parseSockaddr(answer?.name ?? new Uint8Array()), { family: 'netlink', port: 0, groups: 0 });
  assert.equal(socket.receive(), []);
  socket.close();
});

test('a datagram that is longer than the room is marked', () => {
  const socket = udp({ data: 8 });
  socket.send(new Uint8Array(9), socket.localName());
  socket.send(new Uint8Array(8), socket.localName());
  const [long, exact] = socket.receive();
  assert.equal([long?.data.length, long?.truncated], [8, true]);
  assert.equal([exact?.data.length, exact?.truncated], [8, false]);
  socket.close();
});

test('unix datagrams arrive from the event loop', async () => {
  const name = sockaddrUnix(`@vipkeeper-test-${process.pid}`);
  const receiver = new Socket(AF.UNIX, SOCK.DGRAM, 0, 'receiver');
  receiver.bind(name);
  receiver.reserve({ data: 64, slots: 2 });
  const seen: number[] = [];
  const full = fullReceives();
  receiver.listen({ datagram: ({ data }) => seen.push(data[0] ?? -1), error: assert.unreachable });
  const sender = new Socket(AF.UNIX, SOCK.DGRAM, 0, 'sender');
  sender.connect(name);
  const datagrams = [1, 2, 3, 4, 5].map((n) => Uint8Array.of(n));
  assert.is(sender.sendBatch(datagrams), 5);
  await eventually(() => (seen.length === 5 ? true : undefined), 'five datagrams');
  assert.equal(seen, [1, 2, 3, 4, 5]);
  assert.ok(fullReceives() > full, 'receives of two slots were full');
  sender.close();
  receiver.close();
});

test('a batch goes out whole, and its failure has a name', () => {
  const receiver = udp();
  receiver.setOption(SOL_SOCKET, SO.RCVBUFFORCE, 8 << 20);
  const sender = udp();
  const datagrams = Array.from({ length: 1000 }, (_, i) => new Writer(4).u32be(i).finish());
  assert.is(sender.sendBatch(datagrams, receiver.localName()), 1000);
  const seen: number[] = [];
  for (let some = receiver.receive(); some.length > 0; some = receiver.receive()) {
    for (const { data } of some) seen.push(new Reader(data).u32be());
  }
  assert.equal(seen, Array.from(datagrams.keys()));
  assert.is(sender.sendBatch([], receiver.localName()), 0);
  const refused = caught(() => sender.sendBatch(datagrams, sockaddrIp(ip('192.0.2.1'), 9)));
  assert.equal([refused.code, refused.syscall], ['ENETUNREACH', 'sendmmsg']);
  sender.close();
  receiver.close();
});

test('errors say what, where and why', () => {
  const family = caught(() => new Socket(99, SOCK.DGRAM, 0, 'odd socket'));
  assert.equal([family.code, family.errno, family.syscall], ['EAFNOSUPPORT', 97, 'socket']);
  assert.is(family.message, 'odd socket: socket: EAFNOSUPPORT (address family not supported)');
  const socket = udp();
  assert.is(caught(() => socket.bind(socket.localName())).code, 'EINVAL', 'it is bound already');
  const option = caught(() => socket.setOption(SOL_SOCKET, 9999, 1));
  assert.match(option.message, /^test datagrams: setsockopt\(1, 9999\): ENOPROTOOPT/);
  socket.close();
  socket.close();
  assert.is(caught(() => socket.send(new Uint8Array(1))).code, 'EBADF');
  assert.is(caught(() => socket.localName()).code, 'EBADF');
  const listening = caught(() => socket.listen({ datagram: () => {}, error: () => {} }));
  assert.is(listening.code, 'EBADF');
});

test('options are read back', () => {
  const socket = udp();
  socket.setOption(SOL_SOCKET, SO.MARK, 42);
  assert.is(new Reader(socket.getOption(SOL_SOCKET, SO.MARK)).i32host(), 42);
  socket.close();
});

test('the addon checks every length and type', () => {
  const sock = new rawio.Sock(AF.INET, SOCK.DGRAM, 0);
  const slab = new Uint8Array(256);
  const EINVAL = -22;
  assert.is(sock.recv(slab, new Uint32Array(8), 2, 32, 32, 72), EINVAL, 'slab too short');
  assert.is(sock.recv(slab, new Uint32Array(7), 2, 32, 32, 64), EINVAL, 'meta too short');
  assert.is(sock.recv(slab, new Uint32Array(8), 0, 32, 32, 64), EINVAL, 'no slots');
  assert.is(sock.recv(slab, new Uint32Array(999), 65, 0, 0, 0), EINVAL, 'too many slots');
  assert.is(sock.recv(slab, new Uint32Array(8), 1, 4, 32, 64), EINVAL, 'not aligned');
  assert.throws(() => sock.recv(slab, new Uint32Array(8), 1, -8, 32, 64), TypeError);
  const small = Uint32Array.of(200, 57);
  assert.is(sock.sendBatch(slab, small, undefined, undefined), EINVAL, 'lengths exceed the data');
  assert.throws(() => sock.send('text' as unknown as Uint8Array, undefined, undefined), TypeError);
  assert.throws(() => sock.bind(new Uint16Array(8) as unknown as Uint8Array), /Uint8Array is expected/);
  const nothing = undefined as unknown as () => void;
  assert.throws(() => sock.start(slab, new Uint32Array(8), 1, 0, 0, 64, nothing), /function is expected/);
  assert.throws(() => sock.send.call({} as typeof sock, slab, undefined, undefined));
  sock.close();
});

test('a slab that the callback gives away ends the listening, not the process', async () => {
  const sock = new rawio.Sock(AF.INET, SOCK.DGRAM, 0);
  sock.bind(sockaddrIp(LOOPBACK));
  const name = new Uint8Array(16);
  sock.getsockname(name);
  const slab = new Uint8Array(64);
  const counts: number[] = [];
  sock.start(slab, new Uint32Array(4), 1, 0, 0, 64, (count) => {
    counts.push(count);
    if (counts.length === 1) structuredClone(slab.buffer, { transfer: [slab.buffer] });
  });
  for (let i = 0; i < 3; i++) sock.send(Uint8Array.of(i), name, undefined);
  await eventually(() => (counts.length > 1 ? true : undefined), 'a receive into nothing');
  assert.equal(counts, [1, -22]);
  sock.close();
});

test('a socket that only the event loop knows survives garbage collection', async () => {
  const seen: number[] = [];
  const listen = (): Uint8Array => {
    const socket = udp();
    socket.listen({
      datagram: ({ data }) => {
        seen.push(data[0] ?? -1);
        socket.close();
      },
      error: assert.unreachable,
    });
    return socket.localName();
  };
  const before = socketCount();
  const name = listen();
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await new Promise(setImmediate);
  }
  assert.is(socketCount(), before + 1);
  const sender = udp();
  sender.send(Uint8Array.of(3), name);
  await eventually(() => seen[0], 'the datagram');
  sender.close();
  assert.is(socketCount(), before);
});

test('a forgotten socket that nobody listens on is closed', async () => {
  const before = socketCount();
  (() => {
    for (let i = 0; i < 10; i++) {
      const socket = udp();
      socket.listen({ datagram: () => {}, error: () => {} });
      socket.stop();
    }
  })();
  assert.is(socketCount(), before + 10);
  await eventually(() => {
    collectGarbage();
    return socketCount() === before ? true : undefined;
  }, 'the sockets are closed');
});

test('an overrun netlink socket reports ENOBUFS and goes on listening', async () => {
  const RTMGRP_LINK = 1;
  const socket = new Socket(AF.NETLINK, SOCK.RAW, NETLINK_ROUTE, 'link monitor');
  socket.setOption(SOL_SOCKET, SO.RCVBUF, 0);
  socket.bind(sockaddrNetlink(0, RTMGRP_LINK));
  socket.reserve({ data: 32768 });
  const events: string[] = [];
  socket.listen({ datagram: () => events.push('link'), error: ({ code }) => events.push(code) });
  for (let i = 0; i < 10; i++) iproute(`link set lo mtu ${2000 + i}`);
  await eventually(() => (events.includes('ENOBUFS') ? true : undefined), 'ENOBUFS');
  const before = events.length;
  iproute('link set lo mtu 3000');
  await eventually(() => (events.length > before ? true : undefined), 'another event');
  assert.is(events.at(-1), 'link');
  socket.close();
});

test('children inherit no socket', () => {
  const socket = udp();
  const { stdout } = spawnSync('readlink', ['-v', `/proc/self/fd/${socket.detach()}`], { encoding: 'utf8' });
  assert.not.match(stdout, /socket:/);
});

test('a detached descriptor stays open and belongs to the caller', () => {
  const before = socketCount();
  const socket = udp();
  const fd = socket.detach();
  socket.close();
  assert.is(socketCount(), before + 1);
  closeSync(fd);
  assert.is(caught(() => socket.detach()).code, 'EBADF');
});

/** Runs the text as a module that has the project's sockets; its exit status and standard error. */
function run(code: string): { status: number | null; stderr: string } {
  const io = new URL('../../src/io/', import.meta.url);
  const head = `import { Socket } from '${io}socket.js';
    import { sockaddrIp } from '${io}sockaddr.js';
    const socket = new Socket(2, 2, 0, 'child');
    socket.bind(sockaddrIp('127.0.0.1'));
    socket.reserve({ data: 64 });
    socket.send(Uint8Array.of(1), socket.localName());`;
  const args = ['--input-type=module', '--eval', head + code];
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: HANGS_MILLISECONDS });
}

test('an exception in a callback surfaces', () => {
  const thrown = run(`socket.listen({ datagram() { throw new Error('lost?'); }, error() {} });`);
  assert.is(thrown.status, 1);
  assert.match(thrown.stderr, /lost\?/);
  const handled = run(`process.on('uncaughtException', () => process.exit(7));
    socket.listen({ datagram() { throw new Error('lost?'); }, error() {} });`);
  assert.is(handled.status, 7);
});

test('a closed or stopped socket lets the process end, from inside its callback too', () => {
  for (const how of ['close', 'stop']) {
    const ended = run(`socket.listen({ datagram() { socket.${how}(); }, error() {} });`);
    assert.equal([ended.status, ended.stderr], [0, '']);
  }
});

test('workers with busy sockets end cleanly', () => {
  const io = new URL('../../src/io/', import.meta.url);
  const worker = `
    (async () => {
      const { parentPort } = await import('node:worker_threads');
      const { Socket } = await import('${io}socket.js');
      const { sockaddrIp } = await import('${io}sockaddr.js');
      const { Alarm, now } = await import('${io}clock.js');
      const alarm = new Alarm(() => alarm.arm(now() + 100));
      alarm.arm(now());
      for (let i = 0; i < 20; i++) {
        const socket = new Socket(2, 2, 0, 'worker');
        socket.bind(sockaddrIp('127.0.0.1'));
        socket.reserve({ data: 64 });
        const echo = () => socket.send(Uint8Array.of(1), socket.localName());
        socket.listen({ datagram: echo, error() {} });
        echo();
      }
      parentPort.postMessage('busy');
    })();`;
  // In a process whose main thread never loads the addon: Node unloads it when the last worker ends.
  const main = `
    import { readdirSync, readlinkSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    const open = () => readdirSync('/proc/self/fd').filter((fd) => {
      try { return /^socket|timerfd/.test(readlinkSync('/proc/self/fd/' + fd)); } catch { return false; }
    }).length;
    const before = open();
    for (let round = 0; round < 5; round++) {
      const workers = [1, 2, 3].map(() => new Worker(${JSON.stringify(worker)}, { eval: true }));
      await Promise.all(workers.map((worker) => new Promise((busy) => worker.once('message', busy))));
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    console.error('descriptors left:', open() - before);`;
  const args = ['--input-type=module', '--eval', main];
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const ended = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: HANGS_MILLISECONDS,
    stdio: [...stdio],
  });
  assert.equal([ended.signal, ended.status, ended.stderr], [null, 0, 'descriptors left: 0\n']);
});

test.run();
