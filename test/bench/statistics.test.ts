import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { median, percentile, spread } from './statistics.ts';

const statistics = suite('statistics of the bench');

statistics('the median is the middle sample, or the mean of the two in the middle', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
  assert.is(median([7]), 7);
});

statistics('percentiles by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.is(percentile(hundred, 0.5), 50);
  assert.is(percentile(hundred, 0.99), 99);
  assert.is(percentile(hundred, 1), 100);
  assert.is(percentile([5], 0), 5);
});

statistics('nothing was measured', () => {
  assert.ok(Number.isNaN(median([])));
  assert.ok(Number.isNaN(percentile([], 0.5)));
  assert.is(spread([]), undefined);
});

statistics('no statistic lies outside of its samples', () => {
  const samples = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
  fc.assert(
    fc.property(samples, fc.double({ noNaN: true, min: 0, max: 1 }), (values, p) => {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      for (const value of [median(values), percentile(values, p)]) {
        assert.ok(value >= low && value <= high);
      }
    }),
  );
});

statistics.run();
