import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { isAlive, stageOf, until, VIP } from './stage.ts';

await enclose();

const test = suite('the life of the daemon');
const stage = stageOf(test);

test('in the background: it works when the command returns; kill by the pid file, and all is gone', () => {
  assert.ok(stage.holdsVip());
  const pids = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  assert.equal(pids.map(isAlive), [true, true]);
  assert.is(readFileSync(`/proc/${pids[0]}/comm`, 'utf8').trim(), 'vipkeeperd');
  stage.stop();
  assert.equal(pids.map(isAlive), [false, false]);
  assert.not.ok(stage.holdsVip());
  assert.equal(readdirSync(stage.runDir), []);
});

test('relative paths are those of the folder where it was started', () => {
  stage.stop();
  const words = `cd ${stage.folder} && ${join(ROOT, 'bin/vipkeeperd')} -P -G -f vipkeeper.conf --run-dir run -g log`;
  const { status: ended, stderr } = stage.run(['sh', '-c', `${words} --state-dir state -p other.pid`]);
  assert.equal([ended, stderr], [0, '']);
  assert.is(readFileSync(join(stage.folder, 'other.pid'), 'utf8'), `${stage.pid('vipkeeperd')}\n`);
  const line = /notice vipkeeper-vrrp\[\d+\]: web: INIT -> MASTER/;
  until(() => line.test(readFileSync(join(stage.folder, 'log'), 'utf8')), 'it is master, by its log');
  assert.match(stage.operator('reload').stdout, /^reloaded: /);
  stage.stop();
  assert.not.ok(existsSync(join(stage.folder, 'other.pid')));
});

test('a decision that cannot be read is put aside and said', () => {
  stage.stop();
  mkdirSync(stage.stateDir, { recursive: true });
  writeFileSync(join(stage.stateDir, 'operator.json'), '{');
  const log = join(stage.folder, 'broken.log');
  assert.is(stage.daemon('-P', '-g', log).status, 0);
  assert.is(stage.status().maintenance, false);
  assert.match(readFileSync(log, 'utf8'), /warning .*operator\.json: .* put aside as operator\.json\.broken/);
});

test('SIGRTMAX is answered, and ends nothing', () => {
  stage.stop();
  const log = join(stage.folder, 'tdump.log');
  assert.is(stage.daemon('-P', '-D', '-g', log).status, 0);
  const [daemon, vrrp] = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  assert.is(stage.run(['kill', '-64', `${daemon}`]).status, 0);
  const answer = `the processes: supervisor ${daemon}, vrrp ${vrrp}`;
  until(() => readFileSync(log, 'utf8').includes(answer) || !isAlive(daemon), 'it answers, or ends');
  assert.match(readFileSync(log, 'utf8'), answer);
  assert.ok(isAlive(daemon));
});

test('-D: adverts, requests to the kernel and messages are in the log; without it none is', () => {
  const details = [
    /debug vipkeeper-vrrp\[\d+\]: lan IPv4 VRID 7: advert to 224\.0\.0\.18: version 2, .*, 1 address: sent/,
    /debug vipkeeper-vrrp\[\d+\]: add address 10\.9\.0\.100\/24 on interface \d+: done/,
    /debug vipkeeperd\[\d+\]: message to vrrp: configure/,
    /debug vipkeeperd\[\d+\]: message from vrrp: state/,
  ];
  stage.stop();
  for (const option of ['-D', undefined]) {
    const log = join(stage.folder, `details${option ?? ''}.log`);
    assert.is(stage.daemon('-P', ...(option ? [option] : []), '-g', log).status, 0);
    const text = (): string => readFileSync(log, 'utf8');
    if (option === undefined) {
      until(() => stage.holdsVip(), 'it is master');
      assert.not.match(text(), / debug /);
    } else {
      until(() => details.every((detail) => detail.test(text())), `all of it is in the log:\n${text()}`);
    }
    stage.stop();
  }
});

test('a killed child is started again alone, and status counts it', () => {
  const before = stage.pid('vrrp');
  process.kill(before, 'SIGKILL');
  until(
    () => stage.status().processes[0]?.restarts === 1 && stage.pid('vrrp') !== before,
    'it is started again',
  );
  until(() => stage.holdsVip(), `it holds ${VIP}`);
  assert.match(stage.operator('status').stdout, /vrrp +\d+ +restarted once/);
});

test('a frozen child loses the VIP by itself, is killed, and is started again', () => {
  const before = stage.pid('vrrp');
  process.kill(before, 'SIGSTOP');
  until(() => !stage.holdsVip(), 'the lease ends');
  assert.ok(isAlive(before));
  until(() => stage.pid('vrrp') !== before, 'it is started again');
  assert.not.ok(isAlive(before));
  until(() => stage.holdsVip(), 'it holds the VIP again');
});

test('with -R a child that dies ends the daemon, which says so', () => {
  stage.stop();
  const log = join(stage.folder, 'no-respawn.log');
  assert.is(stage.daemon('-P', '-R', '-g', log).status, 0);
  const daemon = stage.pid('vipkeeperd');
  process.kill(stage.pid('vrrp'), 'SIGKILL');
  until(() => !isAlive(daemon), 'the daemon ends');
  assert.match(
    readFileSync(log, 'utf8'),
    /crit vipkeeperd\[\d+\]: the vrrp process died \(killed\).*: the daemon stops/,
  );
  assert.equal(readdirSync(stage.runDir), []);
});

test('without the supervisor VRRP goes on, and status says so; the next daemon goes on with it', () => {
  const [supervisor, vrrp] = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  process.kill(supervisor, 'SIGKILL');
  until(() => !isAlive(supervisor), 'the supervisor is dead');
  const without = stage.operator('status');
  assert.is(without.status, 1);
  assert.match(without.stdout, /vipkeeperd .* does not run, but its processes below go on/);
  assert.match(without.stdout, /web +unknown .*\n +this host has 10\.9\.0\.100\/24\n/);
  assert.ok(isAlive(vrrp) && stage.holdsVip());
  assert.equal(stage.daemon('-P'), { status: 0, stdout: '', stderr: '' });
  assert.ok(isAlive(vrrp) && stage.holdsVip());
  until(() => stage.status().processes[0]?.pid === vrrp, 'it is its own now');
});

test.run();
