import { spawn } from 'node:child_process';
import { cpSync, existsSync, openSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { Monitor } from './monitor.ts';
import { isAlive, ROUTER, Stage, until, VIP } from './stage.ts';

/** The daemon executes what is installed by now, as the same process, and no address moves: an upgrade. */
await enclose();

const test = suite('the daemon executes another build of itself');
const TEXT = ROUTER.replace('priority 255', 'priority 200');
const CHANGED = new Date(0);
let stage: Stage;
let build: string;
let log: string;
let monitor: Monitor | undefined;
test.before(() => {
  stage = new Stage();
  build = join(stage.folder, 'build');
  log = join(stage.folder, 'own.log');
});
test.before.each(() => {
  cpSync(join(ROOT, 'build'), build, { recursive: true });
  writeFileSync(log, '');
  stage.configure(TEXT);
  const [, ...options] = stage.command('-P', '-g', log);
  assert.is(stage.run([join(build, 'vipkeeperd'), ...options]).status, 0);
  until(() => holds() && stage.router('web').state === 'MASTER', 'it is master');
});
test.after.each(() => {
  monitor?.close();
  monitor = undefined;
  if (stage.runs) stage.stop();
});
test.after(() => stage.close());

const holds = (): boolean => stage.run(['ip', '-o', 'address', 'show', 'to', VIP]).stdout !== '';
const said = (): string => readFileSync(log, 'utf8');
const reexec = () => stage.run([join(build, 'vipkeeper'), 'reexec', '--run-dir', stage.runDir]);
/** Processes whose end nobody has taken note of. */
const zombies = (parent: number): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return /^State:\s*Z/m.test(status) && new RegExp(`^PPid:\\s*${parent}$`, 'm').test(status);
    } catch {
      return false;
    }
  });

test('another build: the process is the same one, another VRRP process is master, no address went', async () => {
  const [daemon, vrrp] = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  monitor = new Monitor('wire', 'address');
  utimesSync(join(build, 'vrrp'), CHANGED, CHANGED);
  const { status, stdout, stderr } = reexec();
  assert.equal([status, stdout, stderr], [0, 'the daemon runs as 0.1.0\n', '']);
  assert.is(stage.pid('vipkeeperd'), daemon);
  assert.is.not(stage.pid('vrrp'), vrrp);
  assert.is(stage.router('web').state, 'MASTER');
  assert.not.match(await monitor.heard(), new RegExp(`Deleted .*${VIP}`));
  assert.match(said(), /notice vipkeeperd\[\d+\]: executing .*vipkeeperd, as it is installed now/);
  assert.match(said(), /serves until a new one does/);
  until(() => zombies(daemon).length === 0, 'the ends of all children were taken note of');
  stage.stop();
  assert.not.ok(holds());
});

/** Tells what comes on the socket of a service manager, a line a message. */
const MANAGER = `import socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
while True: print(manager.recv(4096).decode().split("\\n")[0], flush=True)`;

test('the service manager hears of a reload, and that both programs live: its patience begins anew', async () => {
  stage.stop();
  const [socket, told] = [join(stage.folder, 'manager'), join(stage.folder, 'told')];
  const heard = openSync(told, 'w');
  const manager = spawn('python3', ['-c', MANAGER, socket], { stdio: ['ignore', heard, 'inherit'] });
  const lines = (): string[] => readFileSync(told, 'utf8').split('\n').filter(Boolean);
  try {
    until(() => existsSync(socket), 'the manager listens');
    const [, ...options] = stage.command('-P', '-g', log);
    const variables = [`NOTIFY_SOCKET=${socket}`, 'WATCHDOG_USEC=3600000000'];
    assert.is(stage.run(['env', ...variables, join(build, 'vipkeeperd'), ...options]).status, 0);
    until(() => lines().includes('READY=1'), 'it works');
    assert.is(reexec().status, 0);
    until(() => lines().filter((line) => line === 'READY=1').length === 2, 'it works again');
    const [alive, ready] = ['WATCHDOG=1', 'READY=1'];
    assert.equal(lines(), [alive, ready, 'RELOADING=1', alive, alive, ready]);
  } finally {
    manager.kill();
  }
});

test('the same build, twice: the VRRP process goes on, and its end is taken note of', async () => {
  const [daemon, vrrp] = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  for (const _time of [1, 2]) assert.is(reexec().status, 0);
  assert.equal([stage.pid('vipkeeperd'), stage.pid('vrrp')], [daemon, vrrp]);
  process.kill(vrrp, 'SIGKILL');
  until(() => stage.pid('vrrp') !== vrrp && holds(), 'another one is master');
  until(() => zombies(daemon).length === 0, 'its end was taken note of');
});

test('what would not start is not executed: a broken program, a configuration with errors', () => {
  const [daemon, vrrp] = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  stage.configure(TEXT.replace('virtual_router_id', 'virtual_routr_id'));
  assert.match(reexec().stderr, /what is installed would not start, and this goes on: .*virtual_routr_id/s);
  stage.configure(TEXT);
  const program = join(build, 'vipkeeperd');
  const whole = readFileSync(program);
  writeFileSync(program, '#!/bin/sh\necho broken >&2\nexit 1\n');
  assert.match(reexec().stderr, /would not start, and this goes on: broken/);
  writeFileSync(program, whole);
  assert.ok(isAlive(daemon) && isAlive(vrrp) && holds());
  assert.is(reexec().status, 0);
});

test.run();
