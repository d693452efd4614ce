import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { childrenOf, spawnedRole, spawnRole } from '../../src/io/children.ts';
import { suite } from '../suite.ts';

/** The child: says its role, and goes on until it is killed. */
const role = spawnedRole(process.argv.slice(2));
if (role !== undefined) {
  process.send?.(role);
  setInterval(() => undefined, 1e6);
}

const test = suite('child processes');
/** Made by the test only: the child is this file too. */
const runDir = role === undefined ? mkdtempSync(join(tmpdir(), 'vipkeeper-')) : '';
let child: ChildProcess;
const pid = (): number => child.pid ?? 0;

test.before(async () => {
  child = spawnRole({ program: import.meta.filename, role: 'vrrp', runDir });
  assert.equal(await once(child, 'message'), ['vrrp', undefined]);
});
test.after(() => {
  child.kill('SIGKILL');
  rmSync(runDir, { recursive: true });
});

test('a child knows its role; a program that a user started has none', () => {
  assert.is(spawnedRole([]), undefined);
  assert.is(spawnedRole(['vrrp']), undefined);
});

test('it leads a process group of its own: Ctrl-C is for the supervisor', () => {
  const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(pid())], { encoding: 'utf8' });
  assert.is(Number(group), pid());
});

test('a later life of the daemon recognises it, in its role and by its folder only, while it lives', async () => {
  assert.equal(childrenOf('vrrp', runDir), [pid()]);
  assert.equal(childrenOf('check', runDir), []);
  assert.equal(childrenOf('vrrp', tmpdir()), []);
  rmSync(runDir, { recursive: true });
  mkdirSync(runDir);
  assert.equal(childrenOf('vrrp', runDir), [pid()], 'made anew, it is the same');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(childrenOf('vrrp', runDir), []);
});

test('the daemon of another container keeps its own', async () => {
  const elsewhere = `mount -t tmpfs none ${runDir} && exec "$@"`;
  const words = [process.execPath, import.meta.filename, 'vipkeeper-child', 'vrrp', runDir];
  const far = spawn('unshare', ['--mount', 'sh', '-c', elsewhere, 'sh', ...words], { stdio: 'ignore' });
  const isThere = (): boolean => readFileSync(`/proc/${far.pid}/cmdline`, 'utf8').includes('\0vrrp\0');
  for (let tries = 0; tries < 500 && !isThere(); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isThere());
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(childrenOf('vrrp', runDir), []);
  far.kill('SIGKILL');
});

if (role === undefined) test.run();
