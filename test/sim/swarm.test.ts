import * as assert from 'uvu/assert';
import { seeds } from '../repetitions.ts';
import { suite } from '../suite.ts';
import { BROKEN } from './broken.ts';
import { drawDay } from './scenario.ts';
import { explain, kindOf, simulate } from './simulate.ts';

/**
 * Seeded routers on a bad day, watched from outside. `SEEDS=FROM-TO` runs others than 1-1000, for example at
 * night.
 */
const { from: FROM, to: TO } = seeds(1000);
/** A broken machine must be found within so many seeds. */
const BROKEN_SEEDS = 1000;

const swarm = suite('vrrp swarm');

swarm(`seeds ${FROM} to ${TO}: nothing to complain about`, () => {
  const began = performance.now();
  let events = 0;
  let transitions = 0;
  let simulated = 0;
  const failures: string[] = [];
  for (let seed = FROM; seed <= TO && failures.length < 5; seed++) {
    const outcome = simulate(drawDay(seed));
    events += outcome.events;
    transitions += outcome.transitions;
    simulated += outcome.seconds;
    if (outcome.failure !== undefined) failures.push(explain(outcome));
  }
  const took = (performance.now() - began) / 1000;
  const rate = (events / took / 1e6).toFixed(2);
  console.log(
    `${(simulated / 3600).toFixed(1)} simulated hours, ${transitions} transitions, ${events} events in ` +
      `${took.toFixed(1)} s: ${rate} M events/s`,
  );
  assert.is(failures.length, 0, `\n${failures.join('\n')}`);
  assert.ok(transitions > TO - FROM, 'something happened in each seed');
});

swarm('the same seed gives the same run', () => {
  const trace = (): string[] => {
    const lines: string[] = [];
    simulate(drawDay(7), {}, (line) => lines.push(line));
    return lines;
  };
  const first = trace();
  assert.ok(first.length > 100);
  assert.equal(trace(), first);
});

for (const [name, flaw] of Object.entries(BROKEN)) {
  swarm(`a ${name} machine is found: ${flaw.foundBy}`, () => {
    const { foundBy } = flaw;
    const complaints = new Map<string, number>();
    for (let seed = 1; seed <= BROKEN_SEEDS && !complaints.has(foundBy); seed++) {
      const check = kindOf(simulate(drawDay(seed), flaw).failure) ?? 'none';
      complaints.set(check, (complaints.get(check) ?? 0) + 1);
    }
    assert.ok(complaints.has(foundBy), `complaints: ${JSON.stringify([...complaints])}`);
  });
}

swarm.run();
