import * as assert from 'uvu/assert';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { BROKEN } from './broken.ts';
import { type Outcome, play } from './cluster.ts';

/**
 * Clusters on a bad day: directors and witnesses that sleep, die, lose power and messages, and shoot. At no instant two
 * kernels hold the addresses, and when the faults are over exactly one does. `SEEDS=FROM-TO` runs others.
 */
const [FROM = 1, TO = 600] = (process.env.SEEDS ?? `1-${repetitions(600, 20_000)}`).split('-').map(Number);
/** A broken part must be found within so many seeds. */
const BROKEN_SEEDS = 1500;
/** So many times the margin do the clocks differ where the safety has to break. */
const BEYOND_MARGIN = 30;

const swarm = suite('authority by promises');
const explain = ({ seed, kind, failure }: Outcome): string => `seed ${seed}, ${kind}: ${failure}`;

swarm(`seeds ${FROM} to ${TO}: never two holders, and one in the end`, () => {
  let changes = 0;
  const failures: string[] = [];
  for (let seed = FROM; seed <= TO && failures.length < 5; seed++) {
    const outcome = play(seed);
    changes += outcome.changes;
    if (outcome.failure !== undefined) failures.push(explain(outcome));
  }
  console.log(`${TO - FROM + 1} days, ${changes} changes of the holder`);
  assert.equal(failures, []);
  assert.ok(changes > 4 * (TO - FROM), 'the faults were felt');
});

swarm('the same seed gives the same run', () => {
  const trace = (): string[] => {
    const lines: string[] = [];
    play(7, undefined, 1, (line) => lines.push(line));
    return lines;
  };
  assert.ok(trace().length > 10);
  assert.equal(trace(), trace());
});

/** The first seed in which this is seen. */
function find(failure: string, parts?: Parameters<typeof play>[1], drift?: number): Outcome | undefined {
  for (let seed = 1; seed <= BROKEN_SEEDS; seed++) {
    const outcome = play(seed, parts, drift);
    if (outcome.failure === failure) return outcome;
  }
  return undefined;
}

swarm('clocks that differ by more than the margin do break it', () => {
  assert.ok(find('two holders', undefined, BEYOND_MARGIN));
});

for (const [name, { parts, foundBy }] of Object.entries(BROKEN)) {
  swarm(`${name} is found: ${foundBy}`, () => {
    const found = find(foundBy, parts);
    assert.ok(found, `not within ${BROKEN_SEEDS} seeds`);
    console.log(`  ${name}: ${explain(found)}`);
  });
}

swarm.run();
