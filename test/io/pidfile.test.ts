import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { claimPid, readPid, removePid, runs } from '../../src/io/pidfile.ts';
import { suite } from '../suite.ts';

const PROGRAM = 'vipkeeper-sleeps';
const test = suite('the pid file');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
const file = join(folder, 'run', 'daemon.pid');
let daemon: ChildProcess;
let pid: number;

test.before(() => {
  daemon = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)', `/usr/sbin/${PROGRAM}`]);
  pid = daemon.pid ?? 0;
});
test.before.each(() => removePid(file));
test.after(() => {
  daemon.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

test('is written with its folder, read, and removed', () => {
  assert.is(readPid(file), undefined);
  assert.is(claimPid(file, 4711, PROGRAM), undefined);
  assert.is(readFileSync(file, 'utf8'), '4711\n');
  assert.is(statSync(file).mode & 0o777, 0o644);
  assert.is(readPid(file), 4711);
  removePid(file);
  removePid(file);
  assert.is(readPid(file), undefined);
});

test('a living daemon keeps it', () => {
  claimPid(file, pid, PROGRAM);
  assert.is(claimPid(file, 4711, PROGRAM), pid);
  assert.is(readPid(file), pid);
});

test('claiming it again is no conflict with oneself', () => {
  claimPid(file, process.pid, PROGRAM);
  assert.is(claimPid(file, process.pid, PROGRAM), undefined);
});

test('what a crash or a reboot left is replaced: nobody, another program with that id, garbage', () => {
  for (const left of ['4194304\n', `${process.pid}\n`, '', 'garbage', '-1', '0', '99999999999999999999']) {
    writeFileSync(file, left);
    assert.is(claimPid(file, pid, PROGRAM), undefined, JSON.stringify(left));
    assert.is(readPid(file), pid);
  }
});

test('a program is known by its name, not by a part of it', () => {
  assert.ok(runs(pid, PROGRAM));
  assert.not.ok(runs(pid, 'vipkeeper'));
  assert.not.ok(runs(4194304, PROGRAM));
});

test('a dead daemon runs nothing', async () => {
  const brief = spawn(process.execPath, ['-e', '0', PROGRAM]);
  await once(brief, 'exit');
  assert.not.ok(runs(brief.pid ?? 0, PROGRAM));
});

test('a place that cannot be written is an error', () => {
  writeFileSync(file, '1\n');
  assert.throws(() => claimPid(join(file, 'x.pid'), 1, PROGRAM), /ENOTDIR|EEXIST/);
});

test.run();
