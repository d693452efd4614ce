import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import type { ProbedCheck, SmtpCheck, TcpCheck } from '../../src/core/check/settings.ts';
import type { CheckResult } from '../../src/core/check/verdict.ts';
import { ip } from '../../src/core/ip.ts';
import { millis, seconds } from '../../src/core/time.ts';
import { startProbe } from '../../src/io/probes.ts';
import { Patience } from '../patience.ts';
import { suite } from '../suite.ts';

const test = suite('probes');

const check = (port: number, more: Partial<TcpCheck> = {}): TcpCheck => ({
  kind: 'tcp',
  address: ip('127.0.0.1'),
  port,
  timeout: seconds(60),
  period: seconds(60),
  warmup: seconds(0),
  retries: 0,
  retryDelay: seconds(1),
  alpha: false,
  ...more,
});

const outcomeOf = (settings: ProbedCheck): Promise<CheckResult> =>
  new Promise((resolve) => startProbe(settings, 0, resolve));

async function listen(
  host: string,
  accept: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  const server = createServer(accept).listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** A port that nobody listens on: it was ours a moment ago. */
async function freePort(): Promise<number> {
  const { server, port } = await listen('127.0.0.1', () => {});
  server.close();
  await once(server, 'close');
  return port;
}

test('a server that accepts: connected, with the time it took', async () => {
  const { server, port } = await listen('127.0.0.1', (socket) => socket.resume());
  const outcome = await outcomeOf(check(port));
  assert.is(outcome.reason, 'connected');
  assert.ok((outcome.latency ?? -1) >= 0);
  server.close();
});

test('over IPv6', async () => {
  const { server, port } = await listen('::1', (socket) => socket.resume());
  assert.is((await outcomeOf(check(port, { address: ip('::1') }))).reason, 'connected');
  server.close();
});

test('nobody listens: refused', async () => {
  assert.equal(await outcomeOf(check(await freePort())), {
    verdict: 'bad',
    reason: 'connection refused',
  });
});

test('the close is orderly, also towards a server that greets first', async () => {
  const accepted = new Promise<Socket>((accept) => {
    void listen('127.0.0.1', accept).then(async ({ server, port }) => {
      await outcomeOf(check(port));
      await accepted;
      server.close();
    });
  });
  const socket = await accepted;
  socket.write('220 ready\r\n');
  socket.resume();
  await once(socket, 'end');
  await once(socket, 'close');
});

test('source address and port are used; the port can be used again at once', async () => {
  const peers: string[] = [];
  const { server, port } = await listen('127.0.0.1', (socket) => {
    peers.push(`${socket.remoteAddress}:${socket.remotePort}`);
    socket.on('error', () => {});
    socket.end('220 ready\r\n250 hello\r\n221 bye\r\n');
  });
  const sourcePort = await freePort();
  const settings: SmtpCheck = {
    ...check(port, { source: ip('127.0.0.2'), sourcePort }),
    kind: 'smtp',
    helo: 'x',
  };
  assert.is((await outcomeOf(settings)).reason, 'answers HELO');
  assert.is((await outcomeOf(settings)).reason, 'answers HELO');
  server.close();
  await once(server, 'close');
  assert.equal(peers, [`127.0.0.2:${sourcePort}`, `127.0.0.2:${sourcePort}`]);
});

test('a source address that is not on this host is named by its errno', async () => {
  const outcome = await outcomeOf(check(9, { source: ip('192.0.2.1') }));
  assert.is(outcome.verdict, 'unknown');
  assert.match(outcome.reason, /EADDRNOTAVAIL/);
});

/**
 * A listener that never accepts, its queue filled: the kernel drops every further SYN, as a dead host would. It
 * lives in a thread that sleeps, since Node accepts by itself.
 */
async function blackhole(): Promise<{ port: number; close(): Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(fillers.map((socket) => once(socket, 'connect')));
  return {
    port,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}

test('no answer at all: timeout', async () => {
  const { port, close } = await blackhole();
  assert.equal(await outcomeOf(check(port, { timeout: millis(100) })), {
    verdict: 'bad',
    reason: 'no answer within 0.1 s',
  });
  await close();
});

test('an aborted probe says nothing', async () => {
  const { port, close } = await blackhole();
  let said = 0;
  const probe = startProbe(check(port, { timeout: millis(50) }), 0, () => said++);
  probe.abort();
  // A probe that was begun later has timed out: the aborted one would have before.
  await outcomeOf(check(port, { timeout: millis(100) }));
  assert.is(said, 0);
  await close();
});

test('every descriptor comes back, also of aborted probes and of servers that do not close', async () => {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await outcomeOf(check(port));
  const count = (): number => readdirSync('/proc/self/fd').length - sockets.size;
  const before = count();
  const mute: SmtpCheck = { ...check(port, { timeout: millis(300) }), kind: 'smtp', helo: 'x' };
  const running = Array.from({ length: 200 }, (_, i) => {
    if (i % 4 === 0) startProbe(mute, 0, () => assert.unreachable('aborted')).abort();
    return i % 2 === 0 ? outcomeOf(check(port)) : outcomeOf(mute);
  });
  await Promise.all(running);
  // The server keeps its half open: what drains is dropped after a while.
  const patience = new Patience(60);
  while (!patience.isOver && count() > before) await pause(20);
  assert.ok(count() <= before, `${count()} descriptors, ${before} before`);
  for (const socket of sockets) socket.destroy();
  server.close();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test.run();
