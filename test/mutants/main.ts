import { availableParallelism } from 'node:os';
import { MUTANTS } from './all.ts';
import { MutantGround, type Verdict } from './ground.ts';
import type { Mutant } from './mutant.ts';

/**
 * `npm run mutants [-- WORD ...]`: breaks the director in one place after the other (those with a word in their name or
 * file), in a copy of what was built, and says which tests notice. Ends with 1 when none notices one of them.
 */
const words = process.argv.slice(2);
const wanted = MUTANTS.filter(
  ({ name, file }) => words.length === 0 || words.some((word) => name.includes(word) || file.includes(word)),
);

/** Whether all who have to find it do. */
const isFound = ({ simulator }: Mutant, { unit, simulator: seen, trouble }: Verdict): boolean =>
  trouble === undefined && (simulator?.must ? seen !== undefined : (unit ?? seen) !== undefined);

const short = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text;

function tell(mutant: Mutant, verdict: Verdict): void {
  const { unit, simulator, trouble } = verdict;
  const mark = isFound(mutant, verdict) ? 'found   ' : 'SURVIVED';
  console.log(`${mark}  ${mutant.name}  (${mutant.file})`);
  if (trouble !== undefined) console.log(`            ${trouble}`);
  console.log(`            unit test: ${short(unit ?? '-', 110)}`);
  if (mutant.simulator !== undefined) console.log(`            simulator: ${short(simulator ?? '-', 110)}`);
}

const queue = [...wanted];
let survivors = 0;

async function work(): Promise<void> {
  const ground = new MutantGround();
  const end = (): never => {
    ground.end();
    process.exit(130);
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await ground.try(mutant);
      if (!isFound(mutant, verdict)) survivors += 1;
      tell(mutant, verdict);
    }
  } finally {
    ground.end();
  }
}

const began = performance.now();
await Promise.all(Array.from({ length: Math.min(availableParallelism(), queue.length) }, work));
const took = ((performance.now() - began) / 1000).toFixed(0);
console.log(`${wanted.length} mutants, ${survivors} survived; ${took} s`);
process.exitCode = survivors > 0 || wanted.length === 0 ? 1 : 0;
