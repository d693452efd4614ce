import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { pidOf, pidText, readPid, runs } from '../../src/io/pidfile.ts';
import { suite } from '../suite.ts';

const PROGRAM = 'vipkeeper-sleeps';
const test = suite('the pid file');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
const file = join(folder, 'daemon.pid');
let daemon: ChildProcess;
let pid: number;

test.before(() => {
  daemon = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)', `/usr/sbin/${PROGRAM}`]);
  pid = daemon.pid ?? 0;
});
test.after(() => {
  daemon.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

test('it names the living daemon; nobody, another program with that id, garbage and ourselves are none', () => {
  assert.is(pidOf(file, PROGRAM), undefined);
  writeFileSync(file, pidText(pid));
  assert.is(readFileSync(file, 'utf8'), `${pid}\n`);
  assert.is(readPid(file), pid);
  assert.is(pidOf(file, PROGRAM), pid);
  for (const left of [
    '4194304\n',
    `${process.ppid}\n`,
    `${process.pid}\n`,
    '',
    'garbage',
    '-1',
    '0',
    '99999999999999999999',
  ]) {
    writeFileSync(file, left);
    assert.is(pidOf(file, PROGRAM), undefined, JSON.stringify(left));
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

test.run();
