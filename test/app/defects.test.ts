import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spawnRole } from '../../src/io/children.ts';
import { showOnFailure, tailOf } from '../failure.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { eventually, isAlive, ROUTER, Stage } from './stage.ts';

await enclose();

/**
 * Exceptions that nobody catches, in each process: the kernel refuses what it never refuses (strace(1) answers in its
 * place), here to set a timer.
 */
const test = suite('defects');
const stage = new Stage();
let daemon: ChildProcess;
let said: string;
showOnFailure(() => tailOf('the daemon', said));
test.before.each(async () => {
  said = '';
  stage.configure(ROUTER);
  const [program = '', ...words] = stage.command('-P', '-n', '-l', '-D');
  daemon = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  daemon.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await eventually(() => stage.runs && stage.holdsVip() && /vrrp process works/.test(said), 'it works');
});
test.after.each(async () => {
  if (isAlive(daemon.pid ?? 0)) {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
});
test.after(() => stage.close());

const tracer = (pid: number): number =>
  Number(/^TracerPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

/** The next timer of the process cannot be set. */
async function breakTimer(pid: number): Promise<void> {
  const inject = ['-e', 'trace=timerfd_settime', '-e', 'inject=timerfd_settime:error=EINVAL:when=1'];
  const strace = spawn('strace', ['-qq', '-o', '/dev/null', ...inject, '-p', `${pid}`], { stdio: 'ignore' });
  await eventually(
    () => !isAlive(pid) || tracer(pid) === strace.pid || strace.exitCode !== null,
    'strace looks',
  );
  await eventually(() => !isAlive(pid), 'it ends');
  if (strace.exitCode === null) await once(strace, 'exit');
}

test('the vrrp process resigns, says what is known in the log, and is started again', async () => {
  const vrrp = stage.pid('vrrp');
  await breakTimer(vrrp);
  const again = /status 70; starting it again[\s\S]*the vrrp process works/;
  await eventually(() => again.test(said) && stage.holdsVip(), 'another one works');
  assert.is.not(stage.pid('vrrp'), vrrp);
  assert.match(
    said,
    /crit .*the vrrp process has a defect: SystemError: .*timerfd_settime: EINVAL[\s\S]* at /,
  );
  assert.match(said, /web: MASTER -> INIT/);
});

test('junk on the control socket is refused, counted and said; nothing else happens', async () => {
  const pids = [daemon.pid, stage.pid('vrrp')];
  const ask = (line: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(join(stage.runDir, 'control.sock'), () => socket.end(`${line}\n`));
      let answer = '';
      socket.setEncoding('utf8').on('data', (text) => {
        answer += text;
      });
      socket.on('close', () => resolve(answer)).on('error', reject);
    });
  const junk = ['{}', 'null', '5', '[]', '{"verb":"drain"}', '{"verb":"maintenance","on":1}', '{"verb":{}}'];
  for (const line of junk)
    assert.match(await ask(line), /^\{"error":"no such request: request.*wanted"\}\n$/, line);
  assert.match(await ask('no JSON'), /^\{"error":/);
  const { refusedRequests, processes } = stage.status();
  assert.is(refusedRequests, junk.length);
  assert.equal(
    processes.map(({ refused, dropped }) => [refused, dropped]),
    [[0, 0]],
  );
  assert.match(said, /warning .*a request was refused: request\.server: a text is wanted/);
  assert.match(stage.operator('status').stdout, /7 requests of operators were refused/);
  assert.equal([daemon.pid, stage.pid('vrrp')], pids);
  assert.ok(stage.holdsVip());
});

for (const role of ['check', 'vrrp'] as const) {
  test(`an exception that nobody catches in the ${role} process reaches the supervisor, and ends it`, async () => {
    const program = join(ROOT, 'build', role);
    const child = spawnRole({ program, role, runDir: stage.runDir });
    const messages: { readonly type: string; readonly level?: string; readonly message?: string }[] = [];
    child.on('message', (message) => messages.push(message as (typeof messages)[number]));
    const ended = once(child, 'exit');
    // It has the shape of a configuration, and no settings are in it.
    const empty = { instances: [], groups: [], bfd: [], quietIgmp: false, placement: {} };
    const configuration = { ...empty, virtualServers: [], global: {}, release: false, ledger: '' };
    child.send({ type: 'configure', detail: false, configuration });
    assert.equal(await ended, [70, null]);
    const said = messages.find(({ level }) => level === 'crit')?.message ?? '';
    assert.match(said, new RegExp(`^the ${role} process has a defect: TypeError: [^]*\\n +at `));
    assert.ok(
      messages.some(({ type }) => type === 'recording'),
      'with what led to it',
    );
  });
}

test('the supervisor says what is known and ends; the vrrp process goes on, and stops when it is asked', async () => {
  const vrrp = stage.pid('vrrp');
  const ended = once(daemon, 'exit');
  // Its timers are those of scripts and children: one that dies gives it a pause to wait for.
  const broken = breakTimer(daemon.pid ?? 0);
  process.kill(daemon.pid ?? 0, 'SIGHUP');
  process.kill(daemon.pid ?? 0, 'SIGHUP');
  await broken;
  assert.equal(await ended, [70, null]);
  assert.match(said, /crit .*the supervisor has a defect: SystemError: .*timerfd_settime: EINVAL/);
  assert.ok(isAlive(vrrp) && stage.holdsVip());
  process.kill(vrrp, 'SIGTERM');
  await eventually(() => !isAlive(vrrp), 'it stops');
  assert.not.ok(stage.holdsVip());
  await eventually(() => /vipkeeper vrrp: .*\n$/.test(said), 'it says so');
  assert.match(said, /vipkeeper vrrp: web: MASTER -> INIT: stopped\n$/);
});

test.run();
