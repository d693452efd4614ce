import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as assert from 'uvu/assert';
import { number, record } from '../../src/core/shape.ts';
import { Channel, pipeEnd } from '../../src/io/channel.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

/** To the peer: something that costs room, or a question how many of these it got. */
type ToPeer = { readonly number: number; readonly ballast: string } | { readonly report: number };
interface Count {
  readonly report: number;
  readonly received: number;
  readonly inOrder: boolean;
}

/** The other end, in a process of its own: counts what it gets. */
function runPeer(): void {
  const channel = new Channel<ToPeer, Count>(pipeEnd(process), record, assert.unreachable);
  let received = 0;
  let last = -1;
  let inOrder = true;
  channel.onMessage((message) => {
    if ('report' in message) {
      channel.send({ report: message.report, received, inOrder });
      return;
    }
    received += 1;
    inOrder &&= message.number > last;
    last = message.number;
  });
  channel.onClose(() => process.exit());
}

const test = suite('the channel between processes');
let child: ChildProcess;
let channel: Channel<Count, ToPeer>;
let refusals: string[] = [];

test.before.each(() => {
  refusals = [];
  child = fork(import.meta.filename, ['peer']);
  channel = new Channel<Count, ToPeer>(pipeEnd(child), record, (why) => refusals.push(why));
});
test.after.each(async () => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
});

let lastReport = 0;

/** Asks until there is an answer: a question may be dropped too. */
async function count(): Promise<Omit<Count, 'report'>> {
  let answer: Omit<Count, 'report'> | undefined;
  const wanted = ++lastReport;
  channel.onMessage(({ report, ...counted }) => {
    if (report === wanted) answer = counted;
  });
  const asking = setInterval(() => channel.send({ report: wanted }), 20);
  try {
    return await eventually(() => answer, 'the peer reports');
  } finally {
    clearInterval(asking);
  }
}

function sendMany(messages: number, bytes: number): void {
  const ballast = 'x'.repeat(bytes);
  for (let number = 0; number < messages; number++) channel.send({ number, ballast });
}

test('messages arrive, all and in order', async () => {
  sendMany(1000, 100);
  assert.equal(await count(), { received: 1000, inOrder: true });
  assert.is(channel.dropped, 0);
});

test('what is of the wrong shape is refused and counted, and what comes after it arrives', async () => {
  const wrong = new Channel<Count, ToPeer>(pipeEnd(child), number, (why) => refusals.push(why));
  let received = 0;
  wrong.onMessage(() => {
    received++;
  });
  await count();
  assert.is(received, 0);
  assert.ok(wrong.refused > 0);
  assert.is(refusals[0], 'a message was refused: message: a number is wanted');
  assert.is(channel.refused, 0);
});

test('a frozen peer costs messages, not the sender; thawed, it gets what was kept', async () => {
  await count();
  child.kill('SIGSTOP');
  sendMany(10_000, 100);
  const { dropped } = channel;
  assert.ok(dropped >= 8000, `dropped ${dropped}`);
  child.kill('SIGCONT');
  assert.equal(await count(), { received: 10_000 - dropped, inOrder: true });
});

test('large messages to a frozen peer take no more than their share of memory', async () => {
  await count();
  child.kill('SIGSTOP');
  sendMany(1000, 1 << 20);
  const kept = 1000 - channel.dropped;
  assert.ok(kept > 0 && kept < 50, `kept ${kept}`);
  child.kill('SIGCONT');
  assert.equal(await count(), { received: kept, inOrder: true });
});

test('to a peer that is gone messages are dropped without an error', async () => {
  await count();
  let closed = false;
  channel.onClose(() => {
    closed = true;
  });
  child.kill('SIGKILL');
  // Before its death is known, and after.
  sendMany(10, 1 << 20);
  await once(child, 'exit');
  await eventually(() => closed || undefined, 'the channel closes');
  assert.not.ok(channel.open);
  const before = channel.dropped;
  sendMany(10, 10);
  assert.is(channel.dropped, before + 10);
});

if (process.argv[2] === 'peer') runPeer();
else test.run();
