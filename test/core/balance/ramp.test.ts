import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Ramp } from '../../../src/core/balance/ramp.ts';
import { after, instant, micros, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('slow start');

/** The weights of a ramp of that length, from step to step. */
function weights(full: number, length: number): number[] {
  const ramp = new Ramp(instant(0), seconds(length));
  const seen = [ramp.weight(full, instant(0))];
  for (let at = ramp.next(full, instant(0)); at !== undefined; at = ramp.next(full, at)) {
    seen.push(ramp.weight(full, at));
  }
  return seen;
}

test('a weight grows by steps of at least 1, at most twenty', () => {
  assert.equal(weights(4, 10), [1, 1, 2, 3, 4]);
  assert.equal(weights(100, 10), [1, ...Array.from({ length: 20 }, (_, i) => 5 * (i + 1))]);
  assert.is(weights(2_147_483_647, 1).at(-1), 2_147_483_647);
});

test('weights 0 and 1 have no steps', () => {
  assert.equal(new Set(weights(1, 10)), new Set([1]));
  assert.equal(new Set(weights(0, 10)), new Set([0]));
});

const LONGEST = 600_000_000;
const times = fc.array(fc.integer({ min: 0, max: LONGEST }), { maxLength: 30 });

test('never above the full weight, never falling, and exactly the full weight at the end', () => {
  const full = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 2_147_483_647 }));
  fc.assert(
    fc.property(full, fc.integer({ min: 1, max: LONGEST }), times, (most, length, looks) => {
      const ramp = new Ramp(instant(1000), micros(length));
      let last = Math.min(1, most);
      for (const look of looks.sort((a, b) => a - b)) {
        const weight = ramp.weight(most, instant(1000 + look));
        assert.ok(weight >= last && weight <= most && Number.isInteger(weight));
        if (look >= length) assert.is(weight, most);
        last = weight;
      }
      assert.is(ramp.weight(most, after(instant(1000), micros(length))), most);
    }),
  );
});

test('the weight only changes when it was said, and that is after now', () => {
  const any = fc.record({
    full: fc.integer({ min: 0, max: 1000 }),
    length: fc.integer({ min: 1, max: LONGEST }),
    at: fc.integer({ min: 0, max: LONGEST }),
  });
  fc.assert(
    fc.property(any, ({ full, length, at }) => {
      const ramp = new Ramp(instant(0), micros(length));
      const next = ramp.next(full, instant(at));
      if (next === undefined) return assert.ok(at >= length);
      assert.ok(next > at);
      assert.is(ramp.weight(full, instant(next - 1)), ramp.weight(full, instant(at)));
    }),
  );
});

test.run();
