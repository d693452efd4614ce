import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SIGNALS, type SignalName } from '../../src/core/supervision/signals.ts';
import { rawio } from '../../src/io/rawio.ts';
import { onSignal } from '../../src/io/signals.ts';
import { Store } from '../../src/io/store.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

/** Signals from another program to this very process. */
const test = suite('signals');
const NAMES = Object.keys(SIGNALS) as SignalName[];
const heard: SignalName[] = [];
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-signals-'));
// Its library listens too, and would have the default happen.
new Store(folder, () => undefined);
for (const name of NAMES) onSignal(name, () => heard.push(name));
test.after(() => rmSync(folder, { recursive: true }));

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

test.run();
