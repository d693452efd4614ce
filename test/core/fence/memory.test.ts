import * as assert from 'uvu/assert';
import type { FenceOutcome } from '../../../src/core/fence/device.ts';
import { heardAgain, offBefore, recorded, recordsOf, recordsText } from '../../../src/core/fence/memory.ts';
import { suite } from '../../suite.ts';

const test = suite('fence memory');
const outcome = (what: FenceOutcome['what'], target = 'b'): FenceOutcome => ({
  ...{ target, what, by: ['power'], why: 'it is silent' },
});

test('the last of each director is kept, and is news when it is another or a new one', () => {
  const first = recorded([], outcome('failed'), 1);
  assert.is(first.news, true);
  const again = recorded(first.records, outcome('failed'), 2);
  assert.is(again.news, false, 'it fails again and again');
  const off = recorded(first.records, outcome('off'), 3);
  assert.is(off.news, true);
  assert.equal(
    off.records.map(({ what, time }) => [what, time]),
    [['off', 3]],
  );
  assert.is(recorded(heardAgain(off.records, 'b', 4), outcome('off'), 5).news, true);
});

test('who was off and not heard since was off before', () => {
  const { records } = recorded(recorded([], outcome('off'), 1).records, outcome('failed', 'c'), 2);
  const all = recorded(records, outcome('confirmed', 'd'), 3).records;
  assert.equal(offBefore(all), ['b', 'd']);
  assert.equal(offBefore(heardAgain(all, 'b', 4)), ['d']);
});

test('what is written is read again; what is no record is left out', () => {
  const records = heardAgain(recorded([], outcome('off'), 1).records, 'b', 7);
  assert.equal(recordsOf(recordsText(records)), records);
  const odd = [{ ...records[0], time: 'now' }, { target: 1 }, null, 7, { ...records[0], what: 'on' }];
  assert.equal(recordsOf(JSON.stringify(odd)), []);
  assert.equal(recordsOf('{}'), []);
  assert.throws(() => recordsOf('{'));
});

test.run();
