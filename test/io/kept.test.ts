import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { KeptFiles } from '../../src/io/kept.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

/** Files on real file systems, which are full or read-only for a while. */
const test = suite('files whose content is kept in memory');
let folder: string;
let said: string[];
let files: KeptFiles;
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipkeeper-kept-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'kept', folder]);
  said = [];
  files = new KeptFiles((level, message) => said.push(`${level} ${message}`), 10);
});
test.after.each(() => {
  files.close();
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);
const remount = (mode: 'ro' | 'rw'): void => {
  execFileSync('mount', ['-o', `remount,${mode}`, folder]);
};
const holds = (name: string, text: string): Promise<true> =>
  eventually(
    () => (existsSync(at(name)) && readFileSync(at(name), 'utf8') === text ? true : undefined),
    `${name} holds it`,
  );

test('written whole with its folder and mode, changed and removed', () => {
  files.keep(at('run/pid'), '1\n');
  files.keep(at('secret'), 'x', { mode: 0o600, synced: true });
  assert.is(readFileSync(at('run/pid'), 'utf8'), '1\n');
  assert.equal(
    [at('run/pid'), at('secret')].map((path) => statSync(path).mode & 0o777),
    [0o644, 0o600],
  );
  files.keep(at('run/pid'), undefined);
  assert.not.ok(existsSync(at('run/pid')));
  assert.equal(files.troubles, []);
  assert.equal(said, []);
});

test('a full disk: what was there stays whole, and it is written when there is room, each said once', async () => {
  files.keep(at('state'), 'before');
  try {
    writeFileSync(at('ballast'), Buffer.alloc(1 << 20));
  } catch {
    // It is full now.
  }
  files.keep(at('state'), 'after');
  files.keep(at('new'), 'text');
  for (let i = 0; i < 3; i++) files.look();
  assert.is(readFileSync(at('state'), 'utf8'), 'before');
  assert.match(files.troubles.join(), /cannot write .*state: ENOSPC/);
  rmSync(at('ballast'));
  await holds('state', 'after');
  await holds('new', 'text');
  assert.equal(files.troubles, []);
  assert.is(
    said.filter((line) => /warning cannot write .*state: ENOSPC/.test(line)).length,
    1,
    said.join('; '),
  );
  assert.is(said.filter((line) => /notice .*state is as it should be again/.test(line)).length, 1);
});

test('a read-only file system: nothing throws, and it is made good afterwards', async () => {
  files.keep(at('one'), '1');
  files.keep(at('two'), '2');
  remount('ro');
  files.keep(at('one'), 'other');
  files.keep(at('two'), undefined);
  files.keep(at('three'), '3');
  assert.is(files.troubles.length, 3);
  remount('rw');
  await holds('one', 'other');
  await holds('three', '3');
  await eventually(() => !existsSync(at('two')) || undefined, 'the removed one goes');
});

test('what others delete or change is written again, and said', async () => {
  files.keep(at('state'), 'ours');
  rmSync(at('state'));
  await holds('state', 'ours');
  writeFileSync(at('state'), 'theirs');
  await holds('state', 'ours');
  assert.match(said[0] ?? '', /warning .*state is gone, by somebody else: writing it again/);
  assert.match(said[1] ?? '', /warning .*state was changed, by somebody else: writing it again/);
});

test.run();
