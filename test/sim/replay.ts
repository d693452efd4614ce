import { BROKEN } from './broken.ts';
import { explain, simulate } from './simulate.ts';

/** `node dist/test/sim/replay.js SEED [BROKEN]`: one seed of the swarm with a trace of everything. */
const [seed = '', broken] = process.argv.slice(2);
const make = broken === undefined ? undefined : BROKEN[broken]?.make;
if (!/^\d+$/.test(seed) || (broken !== undefined && make === undefined)) {
  console.error(`usage: node dist/test/sim/replay.js SEED [${Object.keys(BROKEN).join(' | ')}]`);
  process.exitCode = 2;
} else {
  const outcome = simulate(Number(seed), make, console.log);
  console.log(outcome.failure === undefined ? `seed ${seed}: no complaint` : explain(outcome));
  process.exitCode = outcome.failure === undefined ? 0 : 1;
}
