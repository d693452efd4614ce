import { BROKEN, GROUP_BROKEN } from './broken.ts';
import { ROUTERS } from './regression.ts';
import { type Day, drawDay } from './scenario.ts';
import { explain, simulate } from './simulate.ts';

/**
 * `node dist/test/sim/replay.js SEED [group] [BROKEN]`: one seed of the swarm with a trace of everything;
 * `replay.js NAME [BROKEN]`: the day of a regression.
 */
const ALL = { ...BROKEN, ...GROUP_BROKEN };
const words = process.argv.slice(2).filter((word) => word !== 'group');
const grouped = words.length < process.argv.length - 2;
const [which = '', broken] = words;
const flaw = broken === undefined ? {} : ALL[broken];
const day: Day | undefined = /^\d+$/.test(which) ? drawDay(Number(which), grouped) : ROUTERS.read(which)?.day;
if (day === undefined || flaw === undefined) {
  console.error(`usage: node dist/test/sim/replay.js SEED [group] | NAME [${Object.keys(ALL).join(' | ')}]`);
  process.exitCode = 2;
} else {
  const outcome = simulate(day, flaw, console.log);
  console.log(outcome.failure === undefined ? `${which}: no complaint` : explain(outcome, flaw));
  process.exitCode = outcome.failure === undefined ? 0 : 1;
}
