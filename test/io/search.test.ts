import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as assert from 'uvu/assert';
import type { Found } from '../../src/core/check/dialogue.ts';
import type { CheckResult } from '../../src/core/check/verdict.ts';
import { search } from '../../src/io/search.ts';
import { suite } from '../suite.ts';

const test = suite('search for patterns');

const judge = (): CheckResult => {
  throw new Error('only a check judges');
};
/** No text of this has it, and each letter doubles the work. */
const pattern = /(a+)+b/;
const text = (letters: number): string => 'a'.repeat(letters);
const find = (letters: number): Promise<Found> =>
  new Promise((resolve) => search({ pattern, text: text(letters), from: 0, judge }, resolve));

/** Of processor time. A pattern is not compiled to machine code before its second use: as in a search, it is new. */
const workMs = (letters: number): number => {
  const { user, system } = process.cpuUsage();
  new RegExp(pattern.source).exec(text(letters));
  const after = process.cpuUsage({ user, system });
  return (after.user + after.system) / 1e3;
};

test('while it is not at work, its time does not run', async () => {
  let letters = 16;
  while (workMs(letters) < 80) letters += 1;
  // The process stands still in the middle of it, longer than any search may take.
  const stop = `sleep 0.15; kill -STOP ${process.pid}; sleep 2; kill -CONT ${process.pid}`;
  const ended = once(spawn('sh', ['-c', stop], { stdio: 'ignore' }), 'exit');
  assert.is(await find(letters), undefined);
  await ended;
});

test('what never ends is given up', async () => {
  assert.is(await find(60), 'too long');
  assert.is(await find(60), 'too long');
});

test.run();
