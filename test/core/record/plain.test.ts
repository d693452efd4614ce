import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { plainText, plainValue, saysTheSame } from '../../../src/core/record/plain.ts';
import { suite } from '../../suite.ts';

const test = suite('plain data as text');

const { data } = fc.letrec((tie) => ({
  data: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt(),
      fc.uint8Array({ maxLength: 4 }),
    ),
    fc.array(tie('data'), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), tie('data'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(fc.string(), tie('data')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.uniqueArray(fc.string(), { maxLength: 3 }).map((values) => new Set(values)),
  ),
}));

test('what is written is read again', () => {
  fc.assert(
    fc.property(data, (value) => {
      const again = plainValue(plainText(value));
      // JSON has no negative zero, and no machine asks for one.
      const same = saysTheSame(again, value) || JSON.stringify(again) === JSON.stringify(value);
      assert.ok(same, `${plainText(value)}`);
    }),
  );
});

test('what is one object is one again, also within others', () => {
  const address = { ip: '10.0.0.1' };
  const both = [address];
  const read = plainValue(plainText({ one: address, list: both, again: both })) as {
    one: object;
    list: object[];
    again: object[];
  };
  assert.is(read.list, read.again);
  assert.is(read.list[0], read.one);
  assert.equal(read.one, address);
});

test('a value that is undefined is as good as absent, and different data are different', () => {
  assert.ok(saysTheSame({ a: undefined, b: 1 }, { b: 1 }));
  assert.ok(saysTheSame(plainValue(plainText({ a: undefined, b: 1 })), { b: 1 }));
  for (const [a, b] of [
    [{ a: 1 }, { a: 2 }],
    [[1], [1, 2]],
    [new Map([['a', 1]]), new Map([['a', 2]])],
    [Uint8Array.of(1), Uint8Array.of(2)],
    [new Set(['a']), ['a']],
    [{ a: 1 }, undefined],
  ])
    assert.not.ok(saysTheSame(a, b));
});

test.run();
