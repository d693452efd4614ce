import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { askControl, serveControl } from '../../src/io/control.ts';
import { suite } from '../suite.ts';

const test = suite('the control socket');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
const path = join(folder, 'deep', 'control.sock');
let server: Server;

test.before.each(async () => {
  server = serveControl(path, (request) => {
    if (request === 'fail') throw new Error('not today');
    return { heard: request };
  });
  await once(server, 'listening');
});
test.after.each(() => {
  server.close();
});
test.after(() => rmSync(folder, { recursive: true }));

async function client(text: string): Promise<Socket> {
  const socket = connect(path);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** All that the server says to these bytes until it hangs up. */
async function say(text: string): Promise<string> {
  const socket = await client(text);
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    answer += part;
  });
  // Not `once`, which fails when the server cuts the connection off.
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

test('a request is answered, by root only', async () => {
  assert.equal(await askControl(path, { verb: 'x' }), { heard: { verb: 'x' } });
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.equal(await askControl(path, null), { heard: null });
});

test('what the answer throws goes back as an error', async () => {
  assert.equal(await askControl(path, 'fail'), { error: 'not today' });
});

test('garbage is answered with an error', async () => {
  assert.match(await say('GET / HTTP/1.1\r\n'), /^{"error":".*JSON.*"}\n$/);
  assert.match(await say('\n'), /^{"error":/);
});

test('only the first line counts', async () => {
  assert.is(await say('1\n2\n'), '{"heard":1}\n');
});

test('a line without an end is cut off, and nobody else notices', async () => {
  assert.is(await say('x'.repeat(4 << 20)), '');
  assert.equal(await askControl(path, 1), { heard: 1 });
});

test('clients that say nothing are sent away; meanwhile so many may come, and no more', async () => {
  const idle = await Promise.all(Array.from({ length: 64 }, () => client('"half a li')));
  const gone = Promise.all(idle.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  const tooMany = await askControl(path, 1).catch((error: Error) => error);
  assert.instance(tooMany, Error);
  // One that goes on dripping gets no more time.
  const drip = setInterval(() => idle[0]?.write('n'), 100);
  await gone;
  clearInterval(drip);
  assert.equal(await askControl(path, 2), { heard: 2 });
});

test('the socket of an earlier life is replaced', async () => {
  const successor = serveControl(path, () => 'the successor');
  await once(successor, 'listening');
  assert.is(await askControl(path, 1), 'the successor');
  successor.close();
});

test('without a daemon the asking fails with the reason', async () => {
  const error = await askControl(join(folder, 'none'), 1).catch((reason: NodeJS.ErrnoException) => reason);
  assert.is((error as NodeJS.ErrnoException).code, 'ENOENT');
});

test('the mask of files made later is what it was', () => {
  assert.is.not(process.umask(), 0o177);
});

test.run();
