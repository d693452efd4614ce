import { execFileSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { compiled } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { MUTANTS } from './all.ts';
import { sourceOf } from './ground.ts';
import { countOf } from './mutant.ts';

/** Breakages that the tests must notice. `npm run mutants` tries them; so does this file with VIPKEEPER_LONG=1. */
const test = suite('mutants');

test('each breaks a text that is there once, and has a name of its own', () => {
  assert.ok(MUTANTS.length >= 20);
  assert.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
  const stray = MUTANTS.filter((mutant) => countOf(mutant, sourceOf(mutant)) !== 1);
  assert.equal(
    stray.map(({ name, file }) => `${name} (${file})`),
    [],
  );
});

if (process.env.VIPKEEPER_LONG === '1') {
  test('none survives', () => {
    execFileSync(process.execPath, [compiled('test/mutants/main.ts')], { stdio: 'inherit' });
  });
}

test.run();
