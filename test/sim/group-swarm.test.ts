import * as assert from 'uvu/assert';
import { seeds } from '../repetitions.ts';
import { suite } from '../suite.ts';
import { GROUP_BROKEN } from './broken.ts';
import { drawDay } from './scenario.ts';
import { explain, kindOf, simulate } from './simulate.ts';

/**
 * Directors with a sync group over several segments on a bad day. Each segment is watched as in the swarm of
 * single routers; besides, no director may ever be master on some of them only.
 */
const { from: FROM, to: TO } = seeds(300);

const swarm = suite('vrrp group swarm');

swarm(`seeds ${FROM} to ${TO}: no group is split, and each segment is well`, () => {
  const failures: string[] = [];
  let transitions = 0;
  for (let seed = FROM; seed <= TO && failures.length < 5; seed++) {
    const outcome = simulate(drawDay(seed, true));
    transitions += outcome.transitions;
    if (outcome.failure !== undefined) failures.push(explain(outcome));
  }
  assert.is(failures.length, 0, `\n${failures.join('\n')}`);
  assert.ok(transitions > TO - FROM, 'something happened in each seed');
});

for (const [name, flaw] of Object.entries(GROUP_BROKEN)) {
  swarm(`a ${name} is found: ${flaw.foundBy}`, () => {
    const { foundBy } = flaw;
    const found = new Set<string>();
    for (let seed = 1; seed <= 100 && !found.has(foundBy); seed++) {
      found.add(kindOf(simulate(drawDay(seed, true), flaw).failure) ?? 'none');
    }
    assert.ok(found.has(foundBy), [...found].join(', '));
  });
}

swarm.run();
