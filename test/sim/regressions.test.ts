import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { BROKEN, GROUP_BROKEN } from './broken.ts';
import { ROUTERS } from './regression.ts';
import { shrink } from './shrink.ts';
import { kindOf, simulate } from './simulate.ts';

/** Days of few operations that once failed, or on which a broken machine fails. `keep.js` writes them. */
const regressions = suite('vrrp regressions');
const ALL = { ...BROKEN, ...GROUP_BROKEN };

for (const name of ROUTERS.names()) {
  const regression = ROUTERS.read(name);
  if (regression === undefined) throw new Error(`${name}: no regression`);
  const { broken, check, day } = regression;
  regressions(`${name}: well today`, () => {
    const { failure } = simulate(day);
    assert.is(failure, undefined, failure?.message);
  });
  if (broken === undefined) continue;
  regressions(`${name}: a ${broken} machine is found by its ${day.operations.length} operations`, () => {
    assert.is(kindOf(simulate(day, ALL[broken]).failure), check);
  });
}

regressions('a failing list shrinks to what it takes, in its order', () => {
  const list = Array.from({ length: 100 }, (_, i) => i);
  const takes = (...needed: number[]) => shrink(list, (less) => needed.every((each) => less.includes(each)));
  assert.equal(takes(7, 8, 93), [7, 8, 93]);
  assert.equal(takes(), []);
  assert.equal(
    shrink(list, () => false),
    list,
  );
});

regressions('there are some', () => assert.ok(ROUTERS.names().length >= 5));

regressions.run();
