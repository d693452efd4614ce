import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { abridge, whole } from '../../../src/core/serving/abridged.ts';
import { suite } from '../../suite.ts';

const test = suite('lists of which most was told before');
const OBJECTS = Array.from({ length: 6 }, (_, name) => ({ name }));
const lists = fc.array(fc.constantFrom(...OBJECTS));

test('what was told before goes by its place, in its place now', () => {
  const [a, b, c] = OBJECTS as [{ name: number }, { name: number }, { name: number }];
  const fresh = { ...b };
  assert.equal(abridge([c, fresh, a], [a, b, c]), [2, fresh, 0]);
  assert.equal(abridge([a, b], []), [a, b]);
});

test('whoever was told all lists in turn has the last one, after a way through text', () => {
  fc.assert(
    fc.property(fc.array(lists), (turns) => {
      let told: readonly object[] = [];
      let known: readonly object[] = [];
      for (const list of turns) {
        known = whole(JSON.parse(JSON.stringify(abridge(list, told))), known);
        told = list;
        assert.equal(known, list);
      }
    }),
  );
});

test('a place that is not there is refused', () => {
  assert.throws(() => whole([1], [{ name: 1 }]), /no 1 in what was told before/);
});

test.run();
