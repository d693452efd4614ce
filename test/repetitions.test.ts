import * as assert from 'uvu/assert';
import { FEWER, fewerBy, hasteOf, measureHaste, repetitions } from './repetitions.ts';
import { suite } from './suite.ts';

const test = suite('repetitions');
const before = { ...process.env };
test.after.each(() => {
  process.env = { ...before };
});

test('the usual number, the one of a long run, or a part of the usual, but never none', () => {
  for (const name of [FEWER, 'VIPKEEPER_LONG']) delete process.env[name];
  assert.equal([repetitions(300), repetitions(300, 9000)], [300, 300]);
  process.env[FEWER] = '4';
  assert.equal([repetitions(300), repetitions(300, 9000), repetitions(1)], [75, 75, 1]);
  process.env.VIPKEEPER_LONG = '1';
  assert.equal([repetitions(300), repetitions(300, 9000)], [300, 9000]);
});

test('a file may be told to make fewer still', () => {
  delete process.env[FEWER];
  assert.equal(fewerBy(4), { [FEWER]: '4' });
  process.env[FEWER] = '2.5';
  assert.equal(fewerBy(4), { [FEWER]: '10' });
});

test('a slow machine makes fewer, within bounds', () => {
  assert.equal([0.5, 1, 2, 3, 8, 20, 1000].map(hasteOf), [1, 1, 1, 1.5, 4, 10, 10]);
});

test('the machine is measured', async () => {
  const haste = await measureHaste();
  assert.ok(haste >= 1 && haste <= 10, `${haste}`);
});

test.run();
