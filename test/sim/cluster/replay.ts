import { CLUSTERS } from '../regression.ts';
import { BROKEN } from './broken.ts';
import { drawDay } from './day.ts';
import { explain, simulate } from './simulate.ts';

/**
 * `node dist/test/sim/cluster/replay.js SEED [BROKEN]`: one seed of the swarm of clusters with a trace of everything;
 * `replay.js NAME [BROKEN]`: the day of a regression.
 */
const [which = '', broken] = process.argv.slice(2);
const flaw = broken === undefined ? {} : BROKEN[broken];
const day = /^\d+$/.test(which) ? drawDay(Number(which)) : CLUSTERS.read(which)?.day;
if (day === undefined || flaw === undefined) {
  console.error(
    `usage: node dist/test/sim/cluster/replay.js SEED | NAME [${Object.keys(BROKEN).join(' | ')}]`,
  );
  process.exitCode = 2;
} else {
  const outcome = simulate(day, flaw, console.log);
  console.log(outcome.failure === undefined ? `${which}: no complaint` : explain(outcome, flaw));
  process.exitCode = outcome.failure === undefined ? 0 : 1;
}
