import * as assert from 'uvu/assert';
import { Reloads } from '../../../src/core/supervision/reloads.ts';
import {
  answerTo,
  SIGNALS,
  type SignalName,
  UNHEARD_BY_CHILDREN,
  UNHEARD_BY_DAEMON,
} from '../../../src/core/supervision/signals.ts';
import { mayPass } from '../../../src/core/supervision/trouble.ts';
import { after, type Instant, millis } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('signals, in each phase of the life of a daemon');
const NAMES = Object.keys(SIGNALS) as SignalName[];

test('while it runs, each is acted on; a stop ends a start, which keeps all others; a stop is not begun twice', () => {
  for (const name of NAMES) assert.is(answerTo(name, 'running'), 'act');
  for (const name of NAMES) assert.is(answerTo(name, 'starting'), name === 'STOP' ? 'act' : 'keep');
  for (const name of NAMES) {
    assert.is(answerTo(name, 'stopping'), name === 'STOP' || name === 'RELOAD' ? 'drop' : 'act');
  }
});

test('what means nothing is none of those that do; children hear of an end only', () => {
  for (const number of Object.values(SIGNALS)) {
    assert.not.ok(UNHEARD_BY_DAEMON.includes(number));
    assert.is(UNHEARD_BY_CHILDREN.includes(number), number !== SIGNALS.STOP);
  }
  // Faults stay deadly, and nobody can take these two.
  for (const number of [4, 6, 7, 8, 9, 11, 19]) assert.not.ok(UNHEARD_BY_CHILDREN.includes(number));
});

const at = (ms: number): Instant => after(0 as Instant, millis(ms));

/** When reloads happen that are asked for at these times, each of which takes `length`. */
function reloads(asked: readonly number[], length = 0): number[] {
  const machine = new Reloads();
  const happened: number[] = [];
  const take = (now: number): void => {
    for (const _ of machine.take()) {
      happened.push(now);
      machine.handle({ type: 'done' }, at(now + length));
    }
  };
  for (let now = 0; now <= 10_000; now++) {
    for (const time of asked) if (time === now) machine.handle({ type: 'asked' }, at(now));
    take(now);
    machine.timeout(at(now));
    take(now);
  }
  return happened;
}

test('a reload is made at once; 40 within a second are one more, after the last of them', () => {
  assert.equal(reloads([5]), [5]);
  assert.equal(reloads(Array.from({ length: 40 }, (_, i) => 10 + i)), [10, 1010]);
  assert.equal(
    reloads(
      Array.from({ length: 40 }, (_, i) => 10 + i * 50),
      300,
    ),
    [10, 1310, 2610],
  );
  assert.equal(reloads([0, 2000]), [0, 2000]);
});

test('every request is followed by a reload', () => {
  for (const second of [1, 500, 999, 1000, 1001]) {
    const happened = reloads([0, second]);
    assert.ok((happened.at(-1) ?? 0) >= second, `${second}: ${happened}`);
  }
});

test('trouble that may pass is none of ours', () => {
  for (const code of ['EMFILE', 'ENOSPC', 'EROFS', 'ENOMEM', 'EPERM']) assert.ok(mayPass(code));
  for (const code of ['ENOENT', 'EINVAL', 'ERR_ASSERTION', undefined]) assert.not.ok(mayPass(code));
});

test.run();
