import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { eventually, isAlive, ROUTER, Stage } from './stage.ts';

await enclose();

/** The daemon's folders on small file systems that are full, or read-only. */
const test = suite('full and read-only disks');
const stage = new Stage();
const FOLDERS = [stage.runDir, stage.stateDir];
test.before(() => {
  for (const folder of FOLDERS) {
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'small', folder]);
  }
});
test.after.each(() => {
  if (stage.runs) stage.stop();
  for (const folder of FOLDERS) {
    remount(folder, 'rw');
    rmSync(join(folder, 'ballast'), { force: true });
  }
});
test.after(() => {
  for (const folder of FOLDERS) execFileSync('umount', [folder]);
  stage.close();
});

function fill(folder: string): void {
  try {
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(1 << 20));
  } catch {
    // It is full now.
  }
}
const remount = (folder: string, mode: 'ro' | 'rw'): void => {
  execFileSync('mount', ['-o', `remount,${mode}`, folder]);
};
const said = (what: RegExp): Promise<void> => eventually(() => what.test(stage.log), `the log says ${what}`);
const decisions = (): string => readFileSync(join(stage.stateDir, 'operator.json'), 'utf8');

test('the first start with a full state folder: it runs and warns; decisions are kept when there is room', async () => {
  fill(stage.stateDir);
  stage.start(ROUTER);
  assert.ok(stage.holdsVip());
  await said(/warning .*cannot write .*operator\.json: ENOSPC/);
  assert.is(stage.operator('maintenance', 'on').status, 0);
  await eventually(() => !stage.holdsVip(), 'it gives up the address');
  rmSync(join(stage.stateDir, 'ballast'));
  await said(/operator\.json is as it should be again/);
  assert.match(decisions(), /"maintenance": true/);
  assert.is(stage.operator('maintenance', 'off').status, 0);
  await eventually(() => stage.holdsVip(), 'it has the address again');
});

for (const [kind, begin, end] of [
  ['full', fill, (folder: string) => rmSync(join(folder, 'ballast'))],
  ['read-only', (folder: string) => remount(folder, 'ro'), (folder: string) => remount(folder, 'rw')],
] as const) {
  test(`${kind} while it runs: a child that dies is replaced, maintenance and reloads are carried out`, async () => {
    stage.start(ROUTER);
    for (const folder of FOLDERS) begin(folder);
    const daemon = stage.pid('vipkeeperd');
    const vrrp = stage.status().processes[0]?.pid ?? 0;
    process.kill(vrrp, 'SIGKILL');
    await eventually(() => stage.status().processes[0]?.restarts === 1 && stage.holdsVip(), 'another works');
    assert.is(stage.operator('maintenance', 'on').status, 0);
    await eventually(() => !stage.holdsVip(), 'it gives up the address');
    assert.is(stage.operator('maintenance', 'off').status, 0);
    assert.is(stage.operator('reload').status, 0);
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.kill(daemon, signal);
    await eventually(() => stage.holdsVip(), 'it has the address again');
    assert.ok(isAlive(daemon));
    for (const folder of FOLDERS) end(folder);
    await eventually(
      () => stage.pid('vrrp') === stage.status().processes[0]?.pid,
      'the pid file is right again',
    );
    await said(/operator\.json is as it should be again/);
    stage.stop();
    assert.not.ok(stage.holdsVip());
  });
}

test('killed with full disks, its orphan is found by the next without a pid file', async () => {
  stage.start(ROUTER);
  // Its pid file is written a moment after the start: where there is room.
  const vrrp = stage.pid('vrrp');
  for (const folder of FOLDERS) fill(folder);
  process.kill(vrrp, 'SIGKILL');
  await eventually(() => stage.status().processes[0]?.restarts === 1 && stage.holdsVip(), 'another works');
  const orphan = stage.status().processes[0]?.pid ?? 0;
  const daemon = stage.pid('vipkeeperd');
  process.kill(daemon, 'SIGKILL');
  await eventually(() => !isAlive(daemon), 'it is dead');
  rmSync(join(stage.runDir, 'vrrp.pid'), { force: true });
  stage.start(ROUTER);
  // Where there is room for the socket on which it waits, it is taken over.
  assert.is(isAlive(orphan), stage.log.includes(`taking over the vrrp process ${orphan}`));
  assert.is(!isAlive(orphan), stage.log.includes(`ending the vrrp process ${orphan}`));
  assert.ok(stage.holdsVip());
});

test('operator.json is deleted, then damaged, while it runs: written again, and it goes on', async () => {
  stage.start(ROUTER);
  const daemon = stage.pid('vipkeeperd');
  const file = join(stage.stateDir, 'operator.json');
  rmSync(file);
  await eventually(() => existsSync(file), 'it is there again');
  writeFileSync(file, '{');
  process.kill(daemon, 'SIGUSR1');
  await eventually(() => decisions().includes('"maintenance": false'), 'it is whole again');
  assert.ok(isAlive(daemon));
});

test.run();
