import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import type { ProbedCheck } from '../../src/core/check/settings.ts';
import type { CheckResult } from '../../src/core/check/verdict.ts';
import { ip } from '../../src/core/ip.ts';
import { micros, millis, seconds, toMillis } from '../../src/core/time.ts';
import { now } from '../../src/io/clock.ts';
import { startProbe } from '../../src/io/probes.ts';
import { suite } from '../suite.ts';
import { enterNamespace } from './namespace.ts';
import { makeCertificate, newFolder } from './real-servers.ts';

/**
 * A check process that stood still (a paused virtual machine, SIGSTOP) finds timers expired and answers in its sockets:
 * it reads before it judges. The servers are in a thread of their own, which goes on meanwhile.
 */
enterNamespace();
const test = suite('checks of a process that stood still');

const TIMEOUT = millis(400);
const STALL_MS = 1500;

/** Answers of all kinds a moment after the question; what is sent to `silent` is not answered. */
const SERVERS = `
const { parentPort, workerData } = require('node:worker_threads');
const net = require('node:net'), tls = require('node:tls'), dgram = require('node:dgram');
const soon = (f) => setTimeout(f, 60);
const quiet = (s) => s.on('error', () => {});
const PAGE = 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok';
const http = (s) => quiet(s).on('data', () => soon(() => s.end(PAGE)));
const smtp = (s) => {
  quiet(s).on('data', (d) => soon(() => s.write(/HELO/.test(d) ? '250 yes\\r\\n' : '221 bye\\r\\n')));
  s.write('220 ready\\r\\n');
};
const all = {
  http: net.createServer(http),
  https: tls.createServer(workerData, http),
  smtp: net.createServer(smtp),
  silent: net.createServer(quiet),
  impatient: net.createServer((s) => soon(() => quiet(s).end())),
};
const ports = {};
const said = (name, port) => {
  ports[name] = port;
  if (Object.keys(ports).length === 6) parentPort.postMessage(ports);
};
for (const [name, server] of Object.entries(all))
  server.listen(0, '127.0.0.1', () => said(name, server.address().port));
const udp = dgram.createSocket('udp4');
udp.on('message', (d, from) => soon(() => {
  if (d.length > 11) d[2] |= 0x80;
  udp.send(d, from.port, from.address);
}));
udp.bind(0, '127.0.0.1', () => said('udp', udp.address().port));
`;

type Name = 'http' | 'https' | 'smtp' | 'silent' | 'impatient' | 'udp';
const { cert, key } = makeCertificate(newFolder('stalled'), 'x.example');
const worker = new Worker(SERVERS, {
  eval: true,
  workerData: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
});
const ports = await new Promise<Record<Name, number>>((resolve) => worker.once('message', resolve));

const timing = { period: seconds(60), warmup: micros(0), retries: 0, retryDelay: seconds(1), alpha: false };
const to = (name: Name) => ({ ...timing, address: ip('127.0.0.1'), port: ports[name], timeout: TIMEOUT });
const requests = [{ path: '/', statuses: [{ first: 200, last: 200 }], compliant: false }];
const http = { kind: 'http', version: '1.1', requests, fastRecovery: false } as const;
const script = (words: string): ProbedCheck => ({
  kind: 'misc',
  ...timing,
  command: ['/bin/sh', '-c', words],
  timeout: TIMEOUT,
  dynamic: false,
});

const CHECKS: Readonly<Record<string, ProbedCheck>> = {
  tcp: { kind: 'tcp', ...to('silent') },
  http: { ...http, ...to('http') },
  https: { ...http, ...to('https'), tls: { sni: false, verify: false } },
  smtp: { kind: 'smtp', ...to('smtp'), helo: 'x' },
  dns: { kind: 'dns', ...to('udp'), name: 'x.example', record: 'A' },
  udp: { kind: 'udp', ...to('udp'), reply: { pattern: '76', least: 1, most: 100 } },
  ping: { kind: 'ping', ...to('udp') },
  misc: script('sleep 0.1'),
};

/** Stands still where timers come next in the loop. */
const stand = (): Promise<void> =>
  new Promise((resolve) =>
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
      resolve();
    }),
  );
const probe = (check: ProbedCheck): Promise<CheckResult> =>
  new Promise((resolve) => startProbe(check, 0, resolve));

for (const [kind, check] of Object.entries(CHECKS)) {
  for (const [when, delay] of [
    ['at once', 0],
    ['after a moment', 30],
  ] as const) {
    test(`${kind}: its answer comes while the process stands still, ${when}`, async () => {
      const result = probe(check);
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      await stand();
      const { verdict, reason } = await result;
      assert.is(verdict, 'good', reason);
    });
  }
}

test('what does not answer gets its whole time, and its result says how long the process stood', async () => {
  const silent = [{ ...http, ...to('silent') }, { kind: 'smtp', ...to('silent'), helo: 'x' } as const];
  for (const check of [...silent, script('sleep 5')]) {
    const begun = now();
    const result = probe(check);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await stand();
    const { verdict, reason, stood = micros(0) } = await result;
    assert.is(verdict, 'bad');
    assert.match(reason, /(within|than) 0.4 s$/);
    assert.ok(stood >= millis(STALL_MS - 200) && stood <= now() - begun, `stood ${stood}`);
    // A stall is known by a look that is late: what was left until that look is not known to be lost.
    assert.ok(toMillis(micros(now() - begun)) >= STALL_MS + 400 - 60);
  }
});

test('a server that did not wait for a process that stood still', async () => {
  const result = probe({ ...http, ...to('impatient') });
  await stand();
  const { verdict, stood } = await result;
  assert.is(verdict, 'bad');
  assert.ok((stood ?? 0) > millis(STALL_MS - 200));
});

test('without a stall nothing of the kind is said', async () => {
  for (const check of [CHECKS.http, CHECKS.misc, { ...http, ...to('silent') } as const]) {
    if (check === undefined) throw new Error('no such check');
    assert.is((await probe(check)).stood, undefined);
  }
});

test.after(() => void worker.terminate());
test.run();
