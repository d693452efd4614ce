import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import * as assert from 'uvu/assert';
import type { HttpCheck, ProbedCheck } from '../../src/core/check/settings.ts';
import { ip } from '../../src/core/ip.ts';
import { micros, millis, seconds } from '../../src/core/time.ts';
import { startProbe } from '../../src/io/probes.ts';
import { suite } from '../suite.ts';
import { enterNamespace } from './namespace.ts';
import { fileText, makeCertificate, newFolder } from './real-servers.ts';

/** Servers that do what no server should: each check ends with a reason, holds little, and the next starts clean. */
enterNamespace();
const test = suite('hostile servers');

/** Of servers that are waited for in vain; whoever ends a check by what it sends has a minute for it. */
const TIMEOUT = millis(400);
const PATIENT = seconds(60);
const timing = { period: seconds(60), warmup: micros(0), retries: 0, retryDelay: seconds(1), alpha: false };
const http = (port: number, more: Partial<HttpCheck> = {}): HttpCheck => ({
  kind: 'http',
  ...timing,
  address: ip('127.0.0.1'),
  port,
  timeout: TIMEOUT,
  version: '1.1',
  requests: [{ path: '/', statuses: [{ first: 200, last: 299 }], compliant: false }],
  fastRecovery: false,
  ...more,
});
const https = (port: number): HttpCheck => http(port, { tls: { sni: false, verify: false } });
const smtp = (port: number): ProbedCheck => ({
  kind: 'smtp',
  ...timing,
  address: ip('127.0.0.1'),
  port,
  timeout: TIMEOUT,
  helo: 'x',
});

const words = (check: ProbedCheck): Promise<string> =>
  new Promise((resolve) => startProbe(check, 0, ({ verdict, reason }) => resolve(`${verdict}: ${reason}`)));

/** A server that does the same to all, and how to end it with its connections. */
async function serve(
  answer: (socket: Socket) => void,
): Promise<{ port: number; open: () => number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    answer(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, open: () => sockets.size, close };
}

/** Writes without end, as fast as it is read. */
function pour(socket: Socket, text: string): void {
  const chunk = Buffer.alloc(65_536, text);
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

/** A byte now and then. */
function drip(socket: Socket, text: string): void {
  let i = 0;
  const timer = setInterval(() => socket.write(text[i++ % text.length] ?? 'x'), 20);
  socket.on('close', () => clearInterval(timer));
}

/** Writes, and then goes on. */
function first(socket: Socket, text: string, then: () => unknown): void {
  socket.write(text);
  then();
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CASES: readonly [
  what: string,
  answer: (socket: Socket) => void,
  check: (port: number) => ProbedCheck,
  expected: RegExp,
][] = [
  ['says nothing', () => {}, http, /^bad: no response within 0.4 s$/],
  ['says nothing to TLS', () => {}, https, /^bad: no TLS handshake within 0.4 s$/],
  ['says nothing as a mail server', () => {}, smtp, /^bad: no greeting within 0.4 s$/],
  [
    'sends a header without end',
    (s) => first(s, HEAD, () => pour(s, 'X: y\r\n')),
    http,
    /^bad: a header of more than 65536 bytes$/,
  ],
  [
    'sends a body without end',
    (s) => first(s, `${HEAD}\r\n`, () => pour(s, 'x')),
    http,
    /^bad: (a body of more than|no end of the response)/,
  ],
  [
    'drips a header',
    (s) => drip(s, HEAD.repeat(1000)),
    http,
    /^bad: (no complete header|no response) within 0.4 s$/,
  ],
  [
    'drips a body',
    (s) => first(s, `${HEAD}Content-Length: 1000\r\n\r\n`, () => drip(s, 'x')),
    http,
    /^bad: no (end of the response \(status 200, \d+ of 1000 bytes\)|response|complete header) within 0.4 s$/,
  ],
  ['drips a greeting', (s) => drip(s, '220-x\r\n'), smtp, /^bad: no greeting within 0.4 s$/],
  ['pours garbage', (s) => pour(s, '\u0000\u00ff\u0001garbage'), http, /^bad: no HTTP response: "/],
  [
    'pours garbage as a mail server',
    (s) => pour(s, '\u0000\u00ff\u0001'),
    smtp,
    /^bad: (the greeting has more than|no line end in)/,
  ],
  ['pours garbage as TLS', (s) => pour(s, '\u0000\u00ff\u0001garbage'), https, /^bad: TLS: /],
  ['resets at once', (s) => s.resetAndDestroy(), http, /^bad: connection reset|^bad: connection closed/],
  [
    'resets in the middle',
    (s) =>
      first(s, `${HEAD}Content-Length: 1000\r\n\r\nxxx`, () => setTimeout(() => s.resetAndDestroy(), 30)),
    http,
    /^bad: connection reset: no end of the response/,
  ],
  ['closes without a word', (s) => s.end(), http, /^bad: closed without a response$/],
  [
    'closes within the header',
    (s) => s.end(HEAD),
    http,
    /^bad: closed within the header, after "HTTP\/1.1 200 OK"$/,
  ],
  [
    'redirects in a round',
    (s) => s.end('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'),
    http,
    /^bad: status 302 \(redirects are not followed\)$/,
  ],
  [
    'sends a status that is none',
    (s) => s.end('HTTP/1.1 9999 Great\r\n\r\n'),
    http,
    /^bad: no HTTP status: /,
  ],
  [
    'sends preliminary responses without end',
    (s) => pour(s, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    http,
    /^bad: (no (response|complete header) within|more than)/,
  ],
];

for (const [what, answer, check, expected] of CASES) {
  test(`a server that ${what}`, async () => {
    const server = await serve(answer);
    const inVain = expected.source.includes('within');
    const settings = { ...check(server.port), timeout: inVain ? TIMEOUT : PATIENT };
    for (let look = 0; look < 2; look++) assert.match(await words(settings), expected);
    server.close();
  });
}

test('a body that a pattern backtracks on without end', async () => {
  const server = await serve((socket) => socket.end(`${HEAD}\r\n${'a'.repeat(40)}c`));
  const body = { pattern: '(a+)+b', options: ['caseless'], inverse: false, from: 0 };
  const requests = [{ path: '/', statuses: [{ first: 200, last: 200 }], compliant: false, body }];
  const settings = http(server.port, { requests, timeout: PATIENT });
  for (let look = 0; look < 2; look++)
    assert.is(await words(settings), 'bad: status 200, but "(a+)+b" takes too long to look for');
  server.close();
});

test('twenty patterns that backtrack without end hold up no other check', async () => {
  // What is not read keeps a connection open: there may be thousands of checks.
  const server = await serve((socket) => socket.resume().end(`${HEAD}\r\n${'a'.repeat(40)}c`));
  const requestsOf = (pattern: string): HttpCheck['requests'] => {
    const body = { pattern, options: [], inverse: false, from: 0 };
    return [{ path: '/', statuses: [{ first: 200, last: 200 }], compliant: false, body }];
  };
  let bad = 0;
  const worst = Array.from({ length: 20 }, (_, i) =>
    words(http(server.port, { requests: requestsOf(`(a+)+b${i}`), timeout: PATIENT })).then((said) => {
      assert.match(said, /takes too long to look for$/);
      bad += 1;
    }),
  );
  let good = 0;
  while (bad < worst.length) {
    const requests = requestsOf('a{40}c');
    assert.is(await words(http(server.port, { requests, timeout: PATIENT })), 'good: status 200');
    good += 1;
    // The twenty have less of the processor than this would take.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  server.close();
  // Each of the twenty takes half a second, a good check some milliseconds. Behind them there is one for each at most.
  assert.ok(good > worst.length, `${good} good checks meanwhile`);
});

test('many of the worst at once hold little memory and no connection', async () => {
  const server = await serve((socket) => {
    socket.write(`${HEAD}\r\n`);
    drip(socket, 'x'.repeat(1000));
  });
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const results = await Promise.all(Array.from({ length: 500 }, () => words(http(server.port))));
  for (const result of results) assert.match(result, /^bad: no (end of the response|response|answer)/);
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 150, `${grown} MiB`);
  while (server.open() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  server.close();
});

test('a TLS server that breaks off after the handshake', async () => {
  const { cert, key } = makeCertificate(newFolder('hostile'), 'x.example');
  const server = createTlsServer({ cert: fileText(cert), key: fileText(key) }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  for (let look = 0; look < 2; look++)
    assert.match(await words(https(port)), /^bad: (closed without a response|TLS: connection reset)/);
  server.close();
});

test.run();
