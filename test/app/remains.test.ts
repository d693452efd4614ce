import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { isAlive, ROUTER, Stage, until, VIP } from './stage.ts';

/** A VRRP process that dies with addresses that have no lease: nobody waits for its successor to remove them. */
await enclose();

const test = suite('what a VRRP process leaves that dies');
const stage = new Stage();
const logFile = join(stage.folder, 'log');
const log = (): string => readFileSync(logFile, 'utf8');
test.after.each(() => {
  if (stage.runs) stage.stop();
  execFileSync('ip', ['address', 'flush', 'dev', 'lan', 'to', '10.9.0.0/24', 'scope', 'global', 'dynamic']);
});
test.after(() => stage.close());

const ip = (...words: readonly string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
const quick = ROUTER.replace('advert_int 1', 'version 3\n  advert_int 0.1');

test('its addresses go at once; its successor finds nothing', () => {
  stage.start(quick, '-g', logFile, '-D');
  until(() => stage.holdsVip(), 'it is master');
  assert.match(ip('-o', 'address', 'show', 'to', VIP), /valid_lft forever/, 'there is no lease');
  process.kill(stage.pid('vrrp'), 'SIGKILL');
  until(() => log().includes(`removed the addresses that the vrrp process left: ${VIP}/24`), 'it is said');
  const since = (): string => log().slice(log().indexOf('removed the addresses'));
  until(() => since().includes('the vrrp process works'), 'the next one works after that');
  until(() => stage.holdsVip(), 'the next one is master');
  assert.not(since().includes('was there already'), since());
  assert.not(since().includes('left by an earlier life'), since());
});

test('of a daemon that was killed, addresses and leases go by the step that systemd runs', () => {
  const tables = (): string => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' });
  stage.start(quick, '-g', logFile);
  until(() => stage.holdsVip() && tables().includes('vipkeeper_lease'), 'it is master');
  const clear = () => stage.run([...stage.command('--clear-remains')]);
  assert.is(clear().status, 1, 'somebody uses them');
  assert.ok(stage.holdsVip());
  const pids = ['vipkeeperd', 'vrrp'].map((name) => stage.pid(name));
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  until(() => pids.every((pid) => !isAlive(pid)), 'they are gone');
  assert.ok(stage.holdsVip());
  assert.match(tables(), /table arp vipkeeper_lease/);
  assert.is(stage.run([...stage.command('--clear-remains', '-V')]).status, 0);
  assert.ok(stage.holdsVip(), '-V leaves them');
  const { status, stderr } = clear();
  assert.is(status, 0, stderr);
  assert.match(stderr, `removed the addresses that the vrrp process left: ${VIP}/24`);
  assert.not.ok(stage.holdsVip());
  assert.is(tables(), '');
  execFileSync('rm', ['-rf', stage.runDir]);
});

test("the host's own address stays", () => {
  ip('address', 'add', `${VIP}/24`, 'dev', 'lan');
  stage.start(quick, '-g', logFile, '-D');
  until(() => stage.router().state === 'MASTER', 'it is master');
  const before = stage.pid('vrrp');
  process.kill(before, 'SIGKILL');
  until(() => stage.pid('vrrp') !== before && stage.router().state === 'MASTER', 'the next one is master');
  assert.ok(stage.holdsVip());
  stage.stop();
  assert.ok(stage.holdsVip());
  ip('address', 'del', `${VIP}/24`, 'dev', 'lan');
});

test.run();
