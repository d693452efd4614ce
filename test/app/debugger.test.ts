import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { spawnRole } from '../../src/io/children.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';

import { eventually, isAlive, ROUTER, Stage } from './stage.ts';

await enclose();

/**
 * Nobody comes in through Node's debugger, tried as a user of the host would: by SIGUSR1 at every program and process,
 * and by what stands in the environment. An open debugger is a TCP port that somebody listens on, and a line on
 * standard error; none of our programs here listens on any.
 */
const test = suite("Node's debugger");
const stage = new Stage();
const started: ChildProcess[] = [];

test.after.each(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
test.after(() => stage.close());

const PROGRAMS: readonly (readonly [string, ...string[]])[] = [
  ['vipkeeperd', '-t', '-f', stage.file],
  ['vipkeeper', 'keywords', 'priority'],
  ['vipkeeper-witness', '--help'],
  ['lvsadm', '-L'],
  ['lvsadm-save'],
  ['lvsadm-restore'],
];
/** After its start; a program of these takes a tenth of a second, or more on a busy machine. */
const MOMENTS = [0, 3, 6, 10, 15, 20, 30, 40, 50, 65, 80, 100, 150];
const OPEN = /Debugger listening/;

/** The TCP ports of this network namespace, which is the test's own, that somebody listens on. */
function listeners(): number[] {
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n'));
  return lines.flatMap((line) => {
    const [, port, state] = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line) ?? [];
    return state === '0A' ? [Number.parseInt(port ?? '', 16)] : [];
  });
}

interface Running {
  readonly child: ChildProcess;
  /** What it said on standard error. */
  said(): string;
  /** When it has ended and all that it said was read. */
  readonly closed: Promise<unknown>;
}

function start(command: readonly string[], env: Record<string, string> = {}): Running {
  const [program = '', ...words] = command;
  const child = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: stage.folder, ...env },
  });
  started.push(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return { child, said: () => said, closed: once(child, 'close') };
}

const bin = ([program, ...words]: readonly [string, ...string[]]): string[] => [
  join(ROOT, 'bin', program),
  ...words,
];

for (const command of PROGRAMS) {
  test(`${command[0]}: SIGUSR1 at any moment of its start opens nothing`, async () => {
    stage.configure(ROUTER);
    for (const moment of MOMENTS) {
      const { child, said, closed } = start(bin(command));
      await pause(moment);
      child.kill('SIGUSR1');
      await pause(1);
      assert.equal(listeners(), [], `after ${moment} ms`);
      await closed;
      assert.not.match(said(), OPEN, `after ${moment} ms`);
    }
  });

  test(`${command[0]}: NODE_OPTIONS opens nothing, and writes no files`, async () => {
    const { said, closed } = start(bin(command), { NODE_OPTIONS: '--inspect --report-on-signal' });
    await closed;
    assert.not.match(said(), OPEN);
  });
}

/**
 * The first statement of each program takes the signal: there is a moment of its start from which on nothing opens.
 * When that is depends on the machine: parts of the time that the last run took are tried, the later half first.
 */
const PARTS = [0.6, 0.7, 0.8, 0.9, 0.5, 0.95, 0.65, 0.75, 0.85, 0.4];
const TRIES = 300;

async function takesTheSignal(command: readonly [string, ...string[]]): Promise<void> {
  let took = 100;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const begun = performance.now();
    const { child, said, closed } = start([process.execPath, ...bin(command)]);
    await pause(took * (PARTS[attempt % PARTS.length] as number));
    const wasThere = child.exitCode === null && child.kill('SIGUSR1');
    await closed;
    took = performance.now() - begun;
    if (wasThere && !OPEN.test(said())) return;
  }
  assert.unreachable(`${command[0]} never takes the signal`);
}

test('a program that is given to node by hand does not run with its debugger open', async () => {
  for (const command of PROGRAMS) {
    const { child, said, closed } = start([process.execPath, ...bin(command)], { NODE_OPTIONS: '--inspect' });
    await closed;
    assert.is(child.exitCode, 1, said());
    assert.match(said(), /debugger is open/);
    await takesTheSignal(command);
  }
});

/** Whether the process has a handler for SIGUSR1: before that the signal ends any program. */
function catches(pid: number): boolean {
  if (!isAlive(pid)) return false;
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << 9n)) !== 0n;
}

function startRole(role: string): ChildProcess {
  const child = spawnRole({ program: join(ROOT, 'build', role), role, runDir: stage.runDir });
  started.push(child);
  return child;
}

/** One that is seen to catch it: the process of connection sync ends by itself, soon, where the kernel has no IPVS. */
async function takingTheSignal(begin: () => ChildProcess): Promise<ChildProcess> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const child = begin();
    await eventually(() => child.exitCode !== null || catches(child.pid ?? 0), 'it takes the signal');
    if (child.exitCode === null) return child;
  }
  throw new Error('it always ends before it is seen to take the signal');
}

for (const role of ['vrrp', 'check', 'sync']) {
  test(`the ${role} process: SIGUSR1 at any moment opens nothing, and does not end it`, async () => {
    for (const moment of MOMENTS) {
      const child = startRole(role);
      await pause(moment);
      child.kill('SIGUSR1');
      await pause(200);
      assert.equal(listeners(), [], `after ${moment} ms`);
      child.kill('SIGKILL');
    }
    const child = await takingTheSignal(() => startRole(role));
    for (let i = 0; i < 5; i++) child.kill('SIGUSR1');
    await pause(200);
    assert.is(child.signalCode, null);
    assert.equal(listeners(), []);
  });
}

test('a daemon and its children: no debugger by signals or variables, which nobody inherits', async () => {
  stage.configure(ROUTER);
  const variables = { NODE_OPTIONS: '--inspect=0', NODE_EXTRA_CA_CERTS: '/dev/null', NODE_DEBUG: 'net' };
  const { child, said } = start(stage.command('-P', '-n'), variables);
  await eventually(() => said() === '' && stage.runs && stage.holdsVip(), 'the daemon works');
  const pids = [child.pid ?? 0, stage.pid('vrrp')];
  for (let i = 0; i < 20; i++) {
    for (const pid of pids) process.kill(pid, 'SIGUSR1');
    await pause(10);
  }
  assert.equal(listeners(), []);
  assert.ok(pids.every(isAlive));
  const environment = readFileSync(`/proc/${stage.pid('vrrp')}/environ`, 'utf8');
  const inherited = environment.split('\0').filter((each) => /^NODE_(?!CHANNEL_)/.test(each));
  assert.equal(inherited, []);
  assert.not.match(said(), OPEN);
  stage.stop();
});

test("the daemon's processes find Node's compiled code where the daemon does", async () => {
  stage.configure(ROUTER);
  const cache = join(stage.folder, 'compiled');
  start(stage.command('-P', '-n'), { NODE_COMPILE_CACHE: cache });
  await eventually(() => stage.runs && stage.holdsVip(), 'the daemon works');
  const environment = readFileSync(`/proc/${stage.pid('vrrp')}/environ`, 'utf8').split('\0');
  assert.ok(environment.includes(`NODE_COMPILE_CACHE=${cache}`));
  stage.stop();
});

test('a daemon in the background has the same options', () => {
  stage.start(ROUTER);
  const pid = stage.pid('vipkeeperd');
  for (const each of [pid, stage.pid('vrrp')]) {
    const words = readFileSync(`/proc/${each}/cmdline`, 'utf8').split('\0');
    assert.ok(words.includes('--inspect-port=[ff00::]'), words.join(' '));
  }
  stage.stop();
});

test.run();
