import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { type Ended, eventually, isAlive, ROUTER, Stage, until, VIP } from './stage.ts';

await enclose();

/** What an operator, a monitoring system and a member of the group `vipkeeper` see. */
const test = suite('the status as others see it');
const GROUP = 4711;
const NOBODY = 65_534;
const FREEZES = 20;

// The group is there before the daemon starts, in this enclosure only.
const stage = new Stage();
const groups = join(stage.folder, 'group');
writeFileSync(groups, `${readFileSync('/etc/group', 'utf8')}vipkeeper:x:${GROUP}:\n`);
execFileSync('mount', ['--bind', groups, '/etc/group']);

test.before.each(() => stage.start(ROUTER));
test.after.each(() => {
  if (stage.runs) stage.stop();
});
test.after(() => {
  execFileSync('umount', ['/etc/group']);
  stage.close();
});

/** The operator's program as a user who is in these groups. */
const asUser = (group: number, ...words: string[]): Ended =>
  stage.run([
    ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, `--groups=${group}`],
    ...[process.execPath, join(ROOT, 'bin/vipkeeper'), ...words, '--run-dir', stage.runDir],
  ]);

test('a router is found by its VIP and by its name', () => {
  for (const word of [VIP, `${VIP}/24`, 'web']) {
    assert.match(stage.operator('status', word).stdout, /web +MASTER/, word);
    assert.match(
      stage.operator('explain', word).stdout,
      /^web: MASTER for \d+ s: lan is up.*\n +virtual router 7 on lan/,
    );
  }
  const { vrrp } = JSON.parse(stage.operator('status', VIP, '--json').stdout);
  assert.is(vrrp.instances.length, 1);
  const { status, stdout, stderr } = stage.operator('status', '10.9.0.101');
  assert.equal([status, stdout], [1, '']);
  assert.match(stderr, 'nothing here is called 10.9.0.101: did you mean 10.9.0.100?');
  assert.match(stderr, 'no check process runs here');
});

test('for monitoring: one line, and the exit statuses of its plugins', () => {
  const ok = stage.operator('status', '--check');
  assert.equal(ok, { status: 0, stdout: 'VIPKEEPER OK - web MASTER | routers=1 masters=1\n', stderr: '' });
  stage.operator('maintenance', 'on');
  until(() => stage.operator('status', '--check').status === 1, 'maintenance is a warning');
  stage.operator('maintenance', 'off');
  execFileSync('ip', ['link', 'set', 'lan', 'down']);
  until(() => stage.operator('status', '--check').status === 2, 'a fault is critical');
  assert.match(
    stage.operator('status', '--check').stdout,
    /^VIPKEEPER CRITICAL - web is in FAULT: lan is down/,
  );
  execFileSync('ip', ['link', 'set', 'lan', 'up']);
  assert.is(stage.operator('status', '--check', 'nothing').status, 3);
  const denied = asUser(NOBODY, 'status', '--check');
  assert.equal([denied.status, denied.stdout.slice(0, 19)], [3, 'VIPKEEPER UNKNOWN -']);
  stage.stop();
  const gone = stage.operator('status', '--check');
  assert.is(gone.status, 2);
  assert.match(gone.stdout, /^VIPKEEPER CRITICAL - vipkeeperd does not run \(.*\)\n$/);
});

test('the group may look, and change nothing; others may not even look', () => {
  for (const path of [stage.folder, stage.runDir]) chmodSync(path, 0o755);
  const seen = asUser(GROUP, 'status', '--json');
  assert.equal([seen.status, seen.stderr], [0, '']);
  assert.is(JSON.parse(seen.stdout).vrrp.instances[0].state, 'MASTER');
  const order = asUser(GROUP, 'maintenance', 'on');
  assert.is(order.status, 1);
  assert.match(order.stderr, 'only root may do that; the group vipkeeper may look');
  assert.is(stage.status().maintenance, false);
  const other = asUser(NOBODY, 'status');
  assert.is(other.status, 1);
  assert.match(other.stderr, 'only root may ask vipkeeperd, and the group vipkeeper may look');
});

test('a secret is never shown, to the group least of all', () => {
  const secret = 'authentication {\n auth_type PASS\n auth_pass s3cret\n }';
  stage.reload(ROUTER.replace('advert_int 1', `advert_int 1\n ${secret}`));
  assert.not.match(stage.operator('status', '--json').stdout, 's3cret');
});

test('a process that is frozen is said to be silent, and the kernel is asked what it still has', () => {
  for (let freezes = 0; freezes < FREEZES; freezes++) {
    const frozen = stage.pid('vrrp');
    process.kill(frozen, 'SIGSTOP');
    // On a busy machine it may have been killed, as it is after ten seconds, before anybody looked.
    let found = false;
    until(() => {
      const { processes } = stage.status();
      found = processes[0]?.silent !== null && processes[0]?.pid === frozen;
      return found || !isAlive(frozen);
    }, 'its silence is seen');
    const text = stage.operator('status').stdout;
    if (!found || !isAlive(frozen)) continue;
    assert.match(text, /Virtual routers {2}as the vrrp process said \d+ s ago: it is silent since/);
    assert.match(text, /vrrp +\d+ +stopped, silent for \d+ s/);
    until(() => !stage.holdsVip(), 'the lease ends');
    if (!isAlive(frozen)) continue;
    const after = stage.operator('status').stdout;
    if (!isAlive(frozen)) continue;
    assert.match(after, `the kernel does not have ${VIP}/24`);
    return;
  }
  assert.unreachable('the frozen process was always killed before anybody looked');
});

test('a supervisor that is frozen: what its processes hold is seen all the same', () => {
  const supervisor = stage.pid('vipkeeperd');
  process.kill(supervisor, 'SIGSTOP');
  try {
    const { status, stdout } = stage.operator('status');
    assert.is(status, 1);
    assert.match(stdout, new RegExp(`process ${supervisor} does not answer; its processes below go on`));
    assert.match(stdout, `this host has ${VIP}/24`);
    assert.is(stage.operator('status', '--check').status, 2);
  } finally {
    process.kill(supervisor, 'SIGCONT');
  }
});

test('--watch shows it again and again', async () => {
  const words = ['status', '--watch', '0.1', '--json', '--run-dir', stage.runDir];
  const watching = spawn(process.execPath, [join(ROOT, 'bin/vipkeeper'), ...words]);
  let text = '';
  watching.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  try {
    await eventually(() => text.split('\n').length > 3, 'three reports');
  } finally {
    watching.kill();
  }
  const [first, , third] = text.split('\n').map((line) => (line === '' ? undefined : JSON.parse(line)));
  assert.ok(first.time < third.time);
  assert.is(first.vrrp.instances[0].since, third.vrrp.instances[0].since, 'a moment stays the same time');
});

test.run();
