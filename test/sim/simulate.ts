import { Prng } from '../../src/core/prng.ts';
import { Complaint, Watch } from './checks.ts';
import { RECOVERY, strike, WORST_DELAY, WORST_LATENCY } from './faults.ts';
import { Host, type MakeMachine } from './host.ts';
import { Network } from './network.ts';
import { drawScenario, type Scenario } from './scenario.ts';
import { World } from './world.ts';

/** In advert intervals: how long faults begin, the longest fault, and how long all must take to settle. */
const FAULT_PHASE = 120;
const LONGEST_FAULT = 15;
const SETTLE = 25;
const QUIET = 15;

export interface Outcome {
  readonly seed: number;
  readonly events: number;
  /** Simulated seconds. */
  readonly seconds: number;
  readonly transitions: number;
  /** What a check complained about, or the error a machine threw. */
  readonly failure: Error | undefined;
}

/** Runs the scenario of `seed` to its end or to the first complaint. The same seed gives the same run. */
export function simulate(seed: number, make?: MakeMachine, trace?: (line: string) => void): Outcome {
  const prng = new Prng(seed);
  const scenario = drawScenario(prng);
  const world = new World();
  const unit = scenario.unit;
  const watch = new Watch(world, 2 * (WORST_DELAY + WORST_LATENCY) * unit, trace);
  let failure: Error | undefined;
  try {
    play(scenario, { world, watch, prng }, make);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const { happened: events, now } = world;
  return { seed, events, seconds: now / 1e6, transitions: watch.transitions, failure };
}

function play(
  scenario: Scenario,
  parts: { readonly world: World; readonly watch: Watch; readonly prng: Prng },
  make: MakeMachine | undefined,
): void {
  const { world, watch, prng } = parts;
  const { unit, faults } = scenario;
  const conditions = { loss: 0, duplicate: 0, corrupt: 0, delayLeast: 100, delayMost: scenario.delayMost };
  const network = new Network(world, prng, watch, conditions);
  scenario.routers.forEach((router, index) => {
    network.hosts.push(Host.alone({ ...parts, network }, { index, ...router }, make));
  });
  for (const host of network.hosts) world.at(prng.unit() * 5 * unit, () => host.process.start());
  for (let i = 0; i < scenario.faultCount && faults.length > 0; i++) {
    const kind = prng.pick(faults);
    const duration = prng.unit() ** 2 * LONGEST_FAULT * unit;
    const stage = { world, network, watch, prng, unit, delayMost: scenario.delayMost };
    world.at(prng.unit() * FAULT_PHASE * unit, () => strike(kind, duration, stage));
  }
  const over = (FAULT_PHASE + LONGEST_FAULT) * unit;
  // What was refused is tried again by the second, whatever the advert interval.
  const settled = over + SETTLE * unit + RECOVERY;
  world.run(over);
  watch.note('all faults are over');
  world.run(settled + QUIET * unit);
  watch.outcome(network.hosts, settled);
}

/** The failure with what it takes to see it again. */
export function explain(outcome: Outcome): string {
  const { failure, seed } = outcome;
  const what = failure instanceof Complaint ? failure.message : (failure?.stack ?? 'no failure');
  return `seed ${seed}: ${what}\n  see it: node dist/test/sim/replay.js ${seed}`;
}
