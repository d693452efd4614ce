import { CLUSTERS } from '../regression.ts';
import { BROKEN } from './broken.ts';
import { drawDay } from './day.ts';
import { kindOf, shrinkDay, simulate } from './simulate.ts';

/**
 * `node dist/test/sim/cluster/keep.js SEED NAME [BROKEN]`: shrinks a failing day, and keeps it as the regression NAME,
 * which `regressions.test.ts` plays.
 */
const [seed = '', name = '', broken] = process.argv.slice(2);
const flaw = broken === undefined ? {} : BROKEN[broken];
if (!/^\d+$/.test(seed) || !/^[\w-]+$/.test(name) || flaw === undefined) {
  console.error(`usage: node dist/test/sim/cluster/keep.js SEED NAME [${Object.keys(BROKEN).join(' | ')}]`);
  process.exitCode = 2;
} else {
  const day = shrinkDay(drawDay(Number(seed)), flaw);
  const { failure } = simulate(day, flaw);
  if (failure === undefined) {
    console.error(`seed ${seed}: nothing to complain about`);
    process.exitCode = 1;
  } else {
    const check = kindOf(failure) ?? '';
    const path = CLUSTERS.write(name, { what: failure.message, check, ...(broken && { broken }), day });
    console.log(`it takes ${day.operations.length} operations: ${path}`);
  }
}
