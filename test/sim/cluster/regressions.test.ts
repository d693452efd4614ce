import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { CLUSTERS } from '../regression.ts';
import { BROKEN } from './broken.ts';
import { kindOf, simulate } from './simulate.ts';

/** Days of few operations that once failed, or on which a broken machine fails. `keep.js` writes them. */
const regressions = suite('regressions of clusters');

for (const name of CLUSTERS.names()) {
  const regression = CLUSTERS.read(name);
  if (regression === undefined) throw new Error(`${name}: no regression`);
  const { broken, check, day } = regression;
  regressions(`${name}: well today`, () => {
    const { failure } = simulate(day);
    assert.is(failure, undefined, failure?.message);
  });
  if (broken === undefined) continue;
  regressions(`${name}: ${broken} is found by its ${day.operations.length} operations`, () => {
    assert.is(kindOf(simulate(day, BROKEN[broken]).failure), check);
  });
}

regressions('there are some', () => assert.ok(CLUSTERS.names().length >= 3));

regressions.run();
