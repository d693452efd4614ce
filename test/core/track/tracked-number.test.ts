import * as assert from 'uvu/assert';
import { trackedNumber } from '../../../src/core/track/tracked-number.ts';
import { suite } from '../../suite.ts';

/** The text of tracked files. */
const number = suite('tracked number');

for (const [text, value] of [
  ['5\n', 5],
  ['  -17 apples', -17],
  ['+3', 3],
  ['0x1F', 31],
  ['-0xa', -10],
  ['010', 8],
  ['089', 0],
  ['0', 0],
  ['', 0],
  ['none', 0],
  ['2147483647', 2147483647],
  ['-2147483648', -2147483648],
  ['2147483648', undefined],
  ['-99999999999999999999', undefined],
] as const) {
  number(`${JSON.stringify(text)} is ${value}`, () => {
    assert.is(trackedNumber(text), value);
  });
}

number.run();
