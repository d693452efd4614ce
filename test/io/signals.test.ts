import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import * as assert from 'uvu/assert';
import { SIGNALS, type SignalName } from '../../src/core/supervision/signals.ts';
import { rawio } from '../../src/io/rawio.ts';
import { onSignal, takeSignals } from '../../src/io/signals.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

/** Signals from another program to this very process. */
const test = suite('signals');
const NAMES = Object.keys(SIGNALS) as SignalName[];
const heard: SignalName[] = [];

test.before(() => {
  takeSignals();
  // Libraries that clean up at the end of a process listen too, and would have the default happen.
  for (const name of ['SIGHUP', 'SIGTERM', 'SIGUSR2'] as const) {
    process.once(name, () => process.kill(process.pid, name));
  }
  for (const name of NAMES) onSignal(name, () => heard.push(name));
});

const send = (number: number, times = 1): void => {
  for (let i = 0; i < times; i++) execFileSync('kill', [`-${number}`, String(process.pid)]);
};

test("each is heard once, real-time ones too, with keepalived's numbers", async () => {
  for (const name of NAMES) {
    heard.length = 0;
    send(SIGNALS[name]);
    await eventually(() => heard.length > 0 || undefined, name);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(heard, [name]);
    // 2.2 does not know TDUMP.
    if (name === 'STOP' || name === 'TDUMP') continue;
    const theirs = execFileSync('keepalived', [`--signum=${name}`], { encoding: 'utf8' });
    assert.is(Number(theirs), SIGNALS[name], name);
  }
});

test('what came before anybody wanted it is told then, once, to the latest who does', async () => {
  const early = fork(import.meta.filename, ['early'], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  await once(early, 'message');
  for (const name of [...NAMES, ...NAMES]) execFileSync('kill', [`-${SIGNALS[name]}`, `${early.pid}`]);
  execFileSync('kill', ['-40', `${early.pid}`]);
  early.send('listen');
  const [told] = await once(early, 'message');
  assert.equal(told, NAMES);
  const [status] = await once(early, 'exit');
  assert.is(status, 0);
});

/** Takes signals, listens when it is told to, and says what it heard. */
function early(): void {
  takeSignals();
  process.send?.('taken');
  process.once('message', () => {
    const told: SignalName[] = [];
    for (const name of NAMES) {
      onSignal(name, () => told.push('STOP'));
      onSignal(name, () => told.push(name));
    }
    setTimeout(() => process.send?.(told, () => process.exit(0)), 100);
  });
}

test('many at once: none is lost, and a number that is none is refused', async () => {
  const signal = new rawio.Signal();
  let count = 0;
  const RTMIN_5 = 39;
  assert.is(
    signal.listen(RTMIN_5, (arrived) => {
      count += arrived;
    }),
    0,
  );
  send(RTMIN_5, 50);
  await eventually(() => count === 50 || undefined, '50 signals');
  for (const bad of [0, 65, -1]) assert.ok(new rawio.Signal().listen(bad, () => undefined) < 0);
  assert.ok(new rawio.Signal().listen(RTMIN_5, () => undefined) < 0, 'one listener each');
});

if (process.argv[2] === 'early') early();
else test.run();
