import { BROKEN, GROUP_BROKEN } from './broken.ts';
import { ROUTERS } from './regression.ts';
import { drawDay } from './scenario.ts';
import { kindOf, shrinkDay, simulate } from './simulate.ts';

/**
 * `node dist/test/sim/keep.js SEED [group] NAME [BROKEN]`: shrinks a failing day, and keeps it as the regression NAME,
 * which `regressions.test.ts` plays.
 */
const ALL = { ...BROKEN, ...GROUP_BROKEN };
const words = process.argv.slice(2).filter((word) => word !== 'group');
const grouped = words.length < process.argv.length - 2;
const [seed = '', name = '', broken] = words;
const flaw = broken === undefined ? {} : ALL[broken];

if (!/^\d+$/.test(seed) || !/^[\w-]+$/.test(name) || flaw === undefined) {
  console.error(`usage: node dist/test/sim/keep.js SEED [group] NAME [${Object.keys(ALL).join(' | ')}]`);
  process.exitCode = 2;
} else {
  const drawn = drawDay(Number(seed), grouped);
  const before = simulate(drawn, flaw).failure;
  if (before === undefined) {
    console.error(`seed ${seed}: nothing to complain about`);
    process.exitCode = 1;
  } else {
    const day = shrinkDay(drawn, flaw);
    const what = simulate(day, flaw).failure?.message ?? before.message;
    const check = kindOf(before) ?? '';
    const path = ROUTERS.write(name, { what, check, ...(broken && { broken }), day });
    console.log(`${drawn.operations.length} operations became ${day.operations.length}: ${path}`);
  }
}
