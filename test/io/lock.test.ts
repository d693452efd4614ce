import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { lockFolder } from '../../src/io/lock.ts';
import { suite } from '../suite.ts';

/** Real processes that want the same folder at the same moment. */
const test = suite('the lock of a folder');
const ROUNDS = 200;
const CLAIMANTS = 4;
/** Its first word: the claimant, a process of its own. */
const isClaimant = process.argv[2] === 'claimant';
const folder = isClaimant ? '' : mkdtempSync(join(tmpdir(), 'vipkeeper-lock-'));
test.after(() => rmSync(folder, { recursive: true }));

test('one of many has it in each round, and nothing is left of it', async () => {
  const claimants = Array.from({ length: CLAIMANTS }, () => fork(import.meta.filename, ['claimant']));
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const place = join(folder, `round-${round}`);
      const answers = claimants.map(async (claimant) => {
        const [got] = await once(claimant, 'message');
        return got;
      });
      for (const claimant of claimants) claimant.send(place);
      const got = await Promise.all(answers);
      assert.is(got.filter((each) => each === true).length, 1, `round ${round}: ${got}`);
      assert.equal(readdirSync(place), []);
    }
  } finally {
    for (const claimant of claimants) claimant.kill('SIGKILL');
  }
});

test('it ends with the process, however that ends, or when it is released', async () => {
  const claimant: ChildProcess = fork(import.meta.filename, ['claimant']);
  const got = once(claimant, 'message');
  claimant.send(folder);
  assert.equal((await got)[0], true);
  assert.is(lockFolder(folder), undefined);
  claimant.kill('SIGKILL');
  await once(claimant, 'exit');
  const lock = lockFolder(folder);
  assert.ok(lock !== undefined);
  assert.is(lockFolder(folder), undefined);
  lock.release();
  const again = lockFolder(folder);
  assert.ok(again !== undefined);
  // A program that is started meanwhile does not have it.
  execFileSync('true');
  again.release();
});

test('what is no folder is an error', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  assert.throws(() => lockFolder(join(file, 'below')), /ENOTDIR/);
});

if (isClaimant) {
  process.on('message', (place: string) => process.send?.(lockFolder(place) !== undefined));
} else test.run();
