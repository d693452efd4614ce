import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ReplayWindow, WINDOW } from '../../../../src/core/sync/relay/window.ts';
import { repetitions } from '../../../repetitions.ts';
import { suite } from '../../../suite.ts';

const test = suite('replay window of the relay');

const take = (window: ReplayWindow, number: number): boolean => {
  const isNew = window.isNew(number);
  if (isNew) window.note(number);
  return isNew;
};

test('each number once, in any order within the window', () => {
  const window = new ReplayWindow();
  const answers = [5, 5, 4, 7, 6, 4, 5 + WINDOW, 5, 6, 7, 8].map((number) => take(window, number));
  assert.equal(answers, [true, false, true, true, true, false, true, false, false, false, true]);
});

test('what never came is counted, from the first that came on', () => {
  const window = new ReplayWindow();
  assert.is(window.missing, 0);
  for (const number of [1000, 1001, 1005]) window.note(number);
  assert.is(window.missing, 3);
  window.note(1003);
  assert.is(window.missing, 2);
  window.note(999);
  assert.is(window.missing, 2, 'one before the first');
  window.note(1_000_000);
  assert.is(window.missing, 1_000_000 - 999 + 1 - 6);
});

/** The same with a set of all that came. */
class Plain {
  readonly #came = new Set<number>();
  take(number: number): boolean {
    const latest = Math.max(0, ...this.#came);
    if (this.#came.has(number) || number <= latest - WINDOW) return false;
    this.#came.add(number);
    return true;
  }
}

test('any numbers: as a list of all that came would answer', () => {
  const steps = fc.oneof(
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: -2 * WINDOW, max: 2 * WINDOW }),
    fc.integer({ min: 0, max: 1e9 }),
  );
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), (jumps) => {
      const [window, plain] = [new ReplayWindow(), new Plain()];
      let number = 1;
      for (const jump of jumps) {
        number = Math.max(1, number + jump);
        assert.is(take(window, number), plain.take(number), `${number}`);
      }
    }),
    { numRuns: repetitions(500) },
  );
});

test.run();
