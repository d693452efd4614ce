import * as assert from 'uvu/assert';
import { seeds } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { BROKEN } from './broken.ts';
import { type Outcome, play } from './copy.ts';

/**
 * Copies of a connection table on bad days (copy.ts): each ends, what is said to be complete is, and nothing that is
 * replayed starts one. `SEEDS=FROM-TO` runs others.
 */
const { from: FROM, to: TO } = seeds(4000, 20_000);
/** A broken part must be found within so many seeds. */
const BROKEN_SEEDS = 2000;

const swarm = suite('bulk copy');
const explain = ({ seed, failure }: Outcome): string => `seed ${seed}: ${failure}`;

swarm(`seeds ${FROM} to ${TO}: it ends, and the table is right`, () => {
  const failures: string[] = [];
  let [copies, lost] = [0, 0];
  for (let seed = FROM; seed <= TO && failures.length < 5; seed++) {
    const outcome = play(seed);
    copies += outcome.copies;
    lost += outcome.lost;
    if (outcome.failure !== undefined) failures.push(explain(outcome));
  }
  const days = TO - FROM + 1;
  console.log(`${days} days, ${copies} copies, ${lost} datagrams lost`);
  assert.equal(failures, []);
  assert.ok(copies > days && lost > days, 'the faults were felt');
});

swarm('the same seed gives the same run', () => {
  const trace = (): string[] => {
    const lines: string[] = [];
    play(7, undefined, (line) => lines.push(line));
    return lines;
  };
  assert.ok(trace().length > 10);
  assert.equal(trace(), trace());
});

for (const [name, { parts, foundBy }] of Object.entries(BROKEN)) {
  swarm(`${name} is found: ${foundBy}`, () => {
    let seed = 1;
    while (seed <= BROKEN_SEEDS && play(seed, parts).failure !== foundBy) seed++;
    assert.ok(seed <= BROKEN_SEEDS, `not within ${BROKEN_SEEDS} seeds`);
    console.log(`  ${name}: seed ${seed}`);
  });
}

swarm.run();
