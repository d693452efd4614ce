import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { withMarker } from '../../src/app/supervisor/plannedreload.ts';
import { writeRegular } from '../../src/io/regular.ts';
import { initialise } from '../../src/io/watched.ts';
import { suite } from '../suite.ts';

const test = suite('files that are written where anybody may have been');
let folder: string;
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
  writeFileSync(join(folder, 'others'), 'as it was');
  symlinkSync('others', join(folder, 'link'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
});
test.after.each(() => rmSync(folder, { recursive: true }));

const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

test('append, replace, make', () => {
  const path = join(folder, 'file');
  writeRegular(path, 'one', 'make', 0o600);
  writeRegular(path, 'two', 'append', 0o600);
  assert.is(textOf('file'), 'onetwo');
  writeRegular(path, '3', 'replace', 0o600);
  assert.is(textOf('file'), '3');
  assert.throws(() => writeRegular(path, '', 'make', 0o600), /EEXIST/);
});

test('a tracked file that is to be initialised: no link is followed, no pipe waited for', () => {
  assert.match(initialise(join(folder, 'link'), '0', true) ?? '', /symbolic link/);
  assert.match(initialise(join(folder, 'pipe'), '0', true) ?? '', /not a regular file/);
  assert.is(initialise(join(folder, 'link'), '0', false), undefined, 'there is one');
  assert.is(textOf('others'), 'as it was');
});

test('the mark of a reload: the same, and the reload goes on', () => {
  for (const name of ['link', 'pipe']) {
    const said: string[] = [];
    const done = withMarker(
      join(folder, name),
      (_level, message) => said.push(message),
      () => 'reloaded',
    );
    assert.is(done, 'reloaded');
    assert.match(said.join(), /reload_file: .*(symbolic link|regular file)/);
  }
  assert.is(textOf('others'), 'as it was');
});

test.run();
