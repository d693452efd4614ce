import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { record } from '../../src/core/shape.ts';
import { Channel } from '../../src/io/channel.ts';
import type { SocketEnd } from '../../src/io/socketend.ts';
import {
  awaitSuccessor,
  BEQUEST,
  findOrphan,
  ownNetwork,
  releaseOf,
  takePlace,
} from '../../src/io/succession.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

const test = suite('succession of supervisors');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
const path = join(folder, 'vrrp.orphan');
const WHO = { release: releaseOf('1', process.execPath), network: ownNetwork() };
/** What is to be closed after a test, whatever came of it. */
const open: (() => void)[] = [];
test.after.each(() => {
  for (const close of open.splice(0)) close();
});
test.after(() => rmSync(folder, { recursive: true }));

interface Said {
  readonly words: string;
}

/** Waits for a supervisor, as a process does that has lost its own. */
function waiting(where = path): { adopted: SocketEnd[]; troubles: string[]; yielded: () => boolean } {
  const [adopted, troubles]: [SocketEnd[], string[]] = [[], []];
  let yielded = false;
  open.push(
    awaitSuccessor(where, WHO, {
      adopted: (end) => void adopted.push(end),
      bequest: () => ({ masters: ['eth0 IPv4 VRID 7'] }),
      yielded: () => {
        yielded = true;
      },
      trouble: (why) => void troubles.push(why),
    }),
  );
  return { adopted, troubles, yielded: () => yielded };
}

async function found(): Promise<SocketEnd> {
  const answer = await findOrphan(path);
  assert.ok('end' in answer, JSON.stringify(answer));
  open.push(() => answer.end.close());
  assert.equal(answer.orphan, { type: 'orphan', pid: process.pid, bequest: BEQUEST, ...WHO });
  return answer.end;
}

async function whyNot(): Promise<string> {
  const answer = await findOrphan(path);
  assert.ok('why' in answer, 'somebody was found');
  return answer.why;
}

/** Serves what is no process of ours. */
async function stranger(says: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(says);
    open.push(() => socket.destroy());
  });
  open.push(() => server.close());
  server.listen(path);
  await once(server, 'listening');
  return server;
}

test('who is found and told so is adopted, once; both talk, and large messages arrive whole', async () => {
  const { adopted } = waiting();
  assert.is(statSync(path).mode & 0o777, 0o600);
  const end = await found();
  end.send({ type: 'adopt' }, () => undefined);
  const theirs = await eventually(() => adopted[0], 'it is adopted');
  assert.not.ok(existsSync(path), 'it does not wait for another one');
  const [one, two] = [end, theirs].map((each) => new Channel<Said, Said>(each, record, assert.unreachable));
  const heard: string[] = [];
  two?.onMessage(({ words }) => heard.push(words));
  one?.onMessage(({ words }) => heard.push(words));
  const long = 'ä'.repeat(1 << 20);
  for (const words of ['a', long, 'b']) one?.send({ words });
  await eventually(() => heard.length === 3 || undefined, 'all came');
  two?.send({ words: 'c' });
  await eventually(() => heard.length === 4 || undefined, 'the answer came');
  assert.equal(heard, ['a', long, 'b', 'c']);
  let closed = false;
  two?.onClose(() => {
    closed = true;
  });
  one?.close();
  await eventually(() => closed || undefined, 'the end is noticed');
  assert.not.ok(two?.open);
});

test('who is found and left goes on waiting, also after nonsense', async () => {
  const { adopted } = waiting();
  (await found()).close();
  const socket = connect(path);
  socket.on('error', () => undefined);
  socket.end('{"type":"adept"}\n[[[\n');
  socket.resume();
  await once(socket, 'close');
  (await found()).send({ type: 'adopt' }, () => undefined);
  await eventually(() => adopted[0], 'it is adopted');
  assert.is(adopted.length, 1);
  adopted[0]?.close();
});

test('a channel goes on with the next supervisor, and hears nothing of the one before', async () => {
  const heard: string[] = [];
  let channel: Channel<Said, Said> | undefined;
  let ends = 0;
  for (const life of ['first', 'second']) {
    const { adopted } = waiting();
    const end = await found();
    end.send({ type: 'adopt' }, () => undefined);
    const theirs = await eventually(() => adopted[0], 'it is adopted');
    if (channel === undefined) {
      channel = new Channel<Said, Said>(theirs, record, assert.unreachable);
      channel.onMessage(({ words }) => heard.push(words));
      channel.onClose(() => {
        ends++;
      });
    } else channel.renew(theirs);
    assert.ok(channel.open);
    end.send({ words: life }, () => undefined);
    await eventually(() => heard.includes(life) || undefined, `the ${life} one is heard`);
    end.close();
    await eventually(() => ends === heard.length || undefined, 'its end is known');
    channel.send({ words: 'to nobody' });
    assert.is(channel.dropped, 1);
  }
  assert.equal(heard, ['first', 'second']);
});

test('why nobody is found', async () => {
  assert.is(await whyNot(), 'nobody waits for a supervisor');
  const silent = await stranger('');
  assert.is(await whyNot(), 'it says nothing');
  silent.close();
  rmSync(path, { force: true });
  await stranger('{"type":"orphan","pid":"1"}\n');
  assert.is(await whyNot(), 'it says nonsense.pid: a number is wanted');
});

test('where the socket cannot be, it is said; what another life left there is no hindrance', async () => {
  const { troubles } = waiting(join(folder, 'nowhere', 'x'));
  await eventually(() => troubles[0], 'it is said');
  assert.match(troubles[0] ?? '', /^the next supervisor cannot take over: .*(ENOENT|EACCES)/);
  writeFileSync(path, '');
  const { adopted } = waiting();
  (await found()).close();
  assert.equal(adopted, []);
});

test('who is asked for its place says what it leaves, once; nonsense and an end are no hindrance', async () => {
  const { adopted, yielded } = waiting();
  assert.equal(await takePlace(path), { bequest: { masters: ['eth0 IPv4 VRID 7'] } });
  await eventually(() => yielded() || undefined, 'it knows');
  assert.equal(adopted, []);
  rmSync(path, { force: true });
  const hello = JSON.stringify({ type: 'orphan', pid: 1, bequest: BEQUEST, ...WHO });
  const mute = await stranger(`${hello}\n`);
  mute.on('connection', (socket) => socket.on('data', () => socket.destroy()));
  assert.equal(await takePlace(path), { why: 'it ended before it yielded' });
  mute.close();
  rmSync(path, { force: true });
  const babbler = await stranger(`${hello}\n`);
  babbler.on('connection', (socket) => socket.on('data', () => socket.write('{"type":"yielded"}\n')));
  assert.equal(await takePlace(path), { why: 'it says nonsense.bequest: an object is wanted' });
});

test('another build is another release', () => {
  assert.not.equal(releaseOf('1', process.execPath), releaseOf('1', '/bin/sh'));
  assert.match(releaseOf('1', '/nowhere'), /^1 \(process \d+: ENOENT/);
});

test.run();
