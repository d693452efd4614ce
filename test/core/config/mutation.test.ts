import * as assert from 'uvu/assert';
import { load } from '../../../src/core/config/load.ts';
import type { Diagnostic } from '../../../src/core/config/model.ts';
import { Prng } from '../../../src/core/prng.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { keepalivedSamples } from './keepalived-samples.ts';
import { memoryReader } from './memory.ts';
import { mutate } from './mutate.ts';
import { samples } from './samples.ts';

/**
 * Every sample, ours and keepalived's, broken in one place in seeded ways: a hundred, a thousand with VIPKEEPER_LONG=1.
 * Each break must give an error that names the right line: never an exception, never silence.
 */
const ROUNDS = repetitions(100, 1000);

const problem = ({ at, message }: Diagnostic): string => `${at.line} ${message}`;

/** The errors on either director, with the warnings or without. */
function errorsOf(text: string, isDoubt = true): Diagnostic[] {
  return ['one', 'two', 'high', 'low'].flatMap((configId) => {
    const reader = memoryReader({ 'test.conf': text });
    const { diagnostics } = load({ file: 'test.conf', reader, configId });
    return diagnostics.filter(({ severity }) => isDoubt || severity === 'error');
  });
}

const test = suite('mutation');

for (const { name, text } of [...samples, ...keepalivedSamples]) {
  test(`${name} broken in ${ROUNDS} ways names the line each time`, () => {
    const before = new Set(errorsOf(text).map(problem));
    const missed: string[] = [];
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const mutation = mutate(text, new Prng(seed));
      const errors = errorsOf(mutation.text, mutation.isDoubt === true).filter(
        (error) => !before.has(problem(error)),
      );
      const lines = errors.flatMap(({ at, related }) => [at.line, related?.at.line]);
      if (!lines.includes(mutation.line))
        missed.push(`${mutation.what}: errors name ${lines.join(' ') || 'nothing'}`);
    }
    assert.equal(missed, []);
  });
}

test.run();
