import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { holders } from './answers.ts';

const test = suite('who answered');
const answers = (mac: string, from: number, to: number) =>
  Array.from({ length: (to - from) / 10 + 1 }, (_, i) => ({ at: from + 10 * i, mac }));
const of = (...all: ReturnType<typeof answers>[]) =>
  holders(
    all.flat().sort((a, b) => a.at - b.at),
    0,
  );

test('one all the time', () => {
  assert.equal(of(answers('a', 0, 1000)), { two: 0, nobody: 0 });
});

test('one after the other', () => {
  assert.equal(of(answers('a', 0, 1000), answers('b', 3000, 4000)), { two: 0, nobody: 2000 });
});

test('both for a while, and again', () => {
  const found = of(answers('a', 0, 1000), answers('b', 800, 4000), answers('a', 2000, 2500));
  assert.equal(found, { two: 700, nobody: 0 });
});

test('nobody at the start', () => {
  assert.equal(of(answers('b', 500, 600)), { two: 0, nobody: 500 });
});

test.run();
