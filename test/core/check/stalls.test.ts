import * as assert from 'uvu/assert';
import { Stalls } from '../../../src/core/check/stalls.ts';
import { instant, millis } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('stalls');
const at = (ms: number) => instant(ms * 1e3);

test('looks in time lose nothing', () => {
  const stalls = new Stalls();
  stalls.expect(at(0));
  for (let ms = 10; ms < 5000; ms += 50) assert.is(stalls.look(at(ms)), 0);
  assert.is(stalls.lost, 0);
});

test('a look that is a little late is a busy machine; a later one says how long the process stood still', () => {
  const stalls = new Stalls();
  stalls.expect(at(0));
  assert.is(stalls.look(at(550)), 0);
  assert.is(stalls.look(at(600 + 4000)), millis(4000));
  assert.is(stalls.look(at(4601)), 0);
  assert.is(stalls.look(at(4650 + 1000)), millis(1000));
  assert.is(stalls.lost, millis(5000));
});

test('while nothing is waited for, no look is late', () => {
  const stalls = new Stalls();
  stalls.expect(at(0));
  assert.is(stalls.look(at(40)), 0);
  stalls.rest();
  assert.is(stalls.look(at(9000)), 0);
  stalls.expect(at(9000));
  assert.is(stalls.look(at(9050)), 0);
  assert.is(stalls.lost, 0);
});

test.run();
