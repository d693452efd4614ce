import * as assert from 'uvu/assert';
import { Prng } from '../../src/core/prng.ts';
import { repetitions } from '../repetitions.ts';
import { suite } from '../suite.ts';
import { Inattentive } from './broken.ts';
import { type CheckName, Complaint, Watch } from './checks.ts';
import { RECOVERY, strike, WORST_DELAY, WORST_LATENCY } from './faults.ts';
import { Host, type MakeMachine } from './host.ts';
import { Network } from './network.ts';
import { Process } from './process.ts';
import { drawScenario } from './scenario.ts';
import { World } from './world.ts';

/**
 * Directors with a sync group over several segments on a bad day. Each segment is watched as in the swarm of
 * single routers; besides, no director may ever be master on some of them only.
 */
const [FROM = 1, TO = 300] = (process.env.SEEDS ?? `1-${repetitions(300)}`).split('-').map(Number);
/** In advert intervals, as in `simulate.ts`; a group settles when its slowest member has. */
const FAULT_PHASE = 120;
const LONGEST_FAULT = 15;
const SETTLE = 40;
const QUIET = 15;

interface Outcome {
  readonly transitions: number;
  readonly failure: Error | undefined;
}

interface Segment {
  readonly network: Network;
  readonly watch: Watch;
}

function simulate(seed: number, make?: MakeMachine): Outcome {
  const prng = new Prng(seed);
  const world = new World();
  const watches: Watch[] = [];
  let failure: Error | undefined;
  try {
    play({ prng, world, watches }, make);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  return { transitions: watches.reduce((sum, { transitions }) => sum + transitions, 0), failure };
}

function play(
  { prng, world, watches }: { prng: Prng; world: World; watches: Watch[] },
  make: MakeMachine | undefined,
): void {
  const { unit, delayMost, routers, faults, faultCount } = drawScenario(prng);
  const segments = Array.from({ length: prng.between(2, 3) }, (): Segment => {
    const watch = new Watch(world, 2 * (WORST_DELAY + WORST_LATENCY) * unit);
    watches.push(watch);
    const conditions = { loss: 0, duplicate: 0, corrupt: 0, delayLeast: 100, delayMost };
    return { watch, network: new Network(world, prng, watch, conditions) };
  });
  // Different priorities, or the addresses of different segments may disagree for ever. A director is the
  // same on all of its segments.
  const spread = new Set(routers.map(({ settings }) => settings.priority)).size === routers.length;
  routers.forEach(({ settings, temper }, index) => {
    const priority = spread ? settings.priority : 100 + index;
    const process = new Process(world, prng, temper, make);
    for (const segment of segments) {
      const host = new Host(process, segment, { index, settings: { ...settings, priority } });
      segment.network.hosts.push(host);
    }
    world.at(prng.unit() * 5 * unit, () => process.start());
  });
  for (let i = 0; i < faultCount && faults.length > 0; i++) {
    const kind = prng.pick(faults);
    const duration = prng.unit() ** 2 * LONGEST_FAULT * unit;
    const stage = { ...prng.pick(segments), world, prng, unit, delayMost };
    world.at(prng.unit() * FAULT_PHASE * unit, () => strike(kind, duration, stage));
  }
  const over = (FAULT_PHASE + LONGEST_FAULT) * unit;
  // What was refused is tried again by the second, whatever the advert interval.
  const settled = over + SETTLE * unit + RECOVERY;
  world.run(settled + QUIET * unit);
  for (const { watch, network } of segments) watch.outcome(network.hosts, settled);
}

const swarm = suite('vrrp group swarm');

swarm(`seeds ${FROM} to ${TO}: no group is split, and each segment is well`, () => {
  const failures: string[] = [];
  let transitions = 0;
  for (let seed = FROM; seed <= TO && failures.length < 5; seed++) {
    const outcome = simulate(seed);
    transitions += outcome.transitions;
    const { failure } = outcome;
    if (failure !== undefined) {
      failures.push(
        `SEEDS=${seed}-${seed}: ${failure instanceof Complaint ? failure.message : failure.stack}`,
      );
    }
  }
  assert.is(failures.length, 0, `\n${failures.join('\n')}`);
  assert.ok(transitions > TO - FROM, 'something happened in each seed');
});

/** Members that do not hear their group in one way each, with the check that must find it. */
const BROKEN: Record<string, { readonly foundBy: CheckName; readonly drops: string }> = {
  'member that is taken down by nobody': { foundBy: 'split group', drops: 'yield' },
  'member that nobody elects': { foundBy: 'outcome', drops: 'elect' },
};

for (const [name, { foundBy, drops }] of Object.entries(BROKEN)) {
  swarm(`a ${name} is found: ${foundBy}`, () => {
    const found = new Set<string>();
    for (let seed = 1; seed <= 100 && !found.has(foundBy); seed++) {
      const { failure } = simulate(seed, (settings) => new Inattentive(settings, drops));
      found.add(failure instanceof Complaint ? failure.check : (failure?.name ?? 'none'));
    }
    assert.ok(found.has(foundBy), [...found].join(', '));
  });
}

swarm.run();
