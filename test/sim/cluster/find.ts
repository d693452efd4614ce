import { drawDay } from './day.ts';
import { simulate } from './simulate.ts';

/**
 * `node dist/test/sim/cluster/find.js SEEDS`: the first seed of the swarm of clusters with something to complain about.
 * Ends with 1 when there is one, and says which.
 */
const seeds = Number(process.argv[2] ?? 0);
for (let seed = 1; seed <= seeds; seed++) {
  const { failure } = simulate(drawDay(seed));
  if (failure === undefined) continue;
  console.log(`seed ${seed}: ${failure.message.split('\n')[0]}`);
  process.exitCode = 1;
  break;
}
