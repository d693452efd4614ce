import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import * as assert from 'uvu/assert';
import { isOurChild, spawnedRole, spawnRole } from '../../src/io/children.ts';
import { suite } from '../suite.ts';

/** The child: says its role, and goes on until it is killed. */
const role = spawnedRole(process.argv.slice(2));
if (role !== undefined) {
  process.send?.(role);
  setInterval(() => undefined, 1e6);
}

const test = suite('child processes');
let child: ChildProcess;
const pid = (): number => child.pid ?? 0;

test.before(async () => {
  child = spawnRole(import.meta.filename, 'vrrp');
  assert.equal(await once(child, 'message'), ['vrrp', undefined]);
});
test.after(() => void child.kill('SIGKILL'));

test('a child knows its role; a program that a user started has none', () => {
  assert.is(spawnedRole([]), undefined);
  assert.is(spawnedRole(['vrrp']), undefined);
});

test('it leads a process group of its own: Ctrl-C is for the supervisor', () => {
  const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(pid())], { encoding: 'utf8' });
  assert.is(Number(group), pid());
});

test('a later life of the daemon recognises it, in its role only, while it lives', async () => {
  assert.ok(isOurChild(pid(), 'vrrp'));
  assert.not.ok(isOurChild(pid(), 'check'));
  assert.not.ok(isOurChild(process.pid, 'vrrp'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.not.ok(isOurChild(pid(), 'vrrp'));
});

if (role === undefined) test.run();
