import { drawDay } from './scenario.ts';
import { simulate } from './simulate.ts';

/**
 * `node dist/test/sim/find.js SEEDS GROUP_SEEDS`: the first seed of the swarm with something to complain about. Ends
 * with 1 when there is one, and says which.
 */
const [single = 0, grouped = 0] = process.argv.slice(2).map(Number);

function* days(): Generator<readonly [seed: number, grouped: boolean]> {
  for (let seed = 1; seed <= Math.max(single, grouped); seed++) {
    if (seed <= single) yield [seed, false];
    if (seed <= grouped) yield [seed, true];
  }
}

for (const [seed, isGrouped] of days()) {
  const { failure } = simulate(drawDay(seed, isGrouped));
  if (failure === undefined) continue;
  console.log(`seed ${seed}${isGrouped ? ' group' : ''}: ${failure.message.split('\n')[0]}`);
  process.exitCode = 1;
  break;
}
