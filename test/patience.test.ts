import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { disturbance, Patience, type Wait, type Waits, waitsBelow } from './patience.ts';
import { suite } from './suite.ts';

const test = suite('patience');

const slept = (waited: number): Wait => ({ worked: 0, waited, ready: false });

/** A clock and a machine that the test moves on. */
function imagined(seconds: number): { patience: Patience; pass: (ms: number, waited: number) => boolean } {
  let [now, waits] = [0, 0];
  const look = (): Waits => ({ processes: new Map([[7, slept(waits)]]), machine: 0 });
  const patience = new Patience(seconds, 250, look, () => now);
  const pass = (milliseconds: number, waited: number): boolean => {
    now += milliseconds;
    waits += waited;
    return patience.isOver;
  };
  pass(250, 0);
  return { patience, pass };
}

/** How many steps are taken until it is over. */
function steps(seconds: number, milliseconds: number, waited: number): number {
  const { pass } = imagined(seconds);
  for (let count = 1; count < 100_000; count++) if (pass(milliseconds, waited)) return count;
  return Number.POSITIVE_INFINITY;
}

test('on an idle machine its seconds are those of the clock', () => {
  assert.is(steps(10, 250, 0), 40);
});

test('what a process waits for a CPU does not count', () => {
  assert.is(steps(10, 250, 200), 200);
  assert.is(steps(10, 1000, 900), 100);
});

test('a while that this process slept through counts as two looks', () => {
  assert.is(steps(10, 60_000, 0), 20);
});

test('it ends, however busy the machine is', () => {
  assert.is(steps(10, 250, 250), 1200);
});

test('a wait that is told at its end takes back what was counted before', () => {
  const { pass } = imagined(10);
  for (let i = 0; i < 39; i++) assert.not.ok(pass(250, 0));
  assert.not.ok(pass(250, 39 * 250));
  assert.not.ok(pass(250, 0));
});

const waits = (machine: number, ...each: Wait[]): Waits => ({ processes: new Map(each.entries()), machine });

test('of several that waited, the longest wait counts, and what the machine lost', () => {
  assert.is(disturbance(waits(5, slept(100), slept(100)), waits(12, slept(130), slept(110)), 1000), 37);
  assert.is(disturbance(waits(0), waits(0, slept(20)), 1000), 20);
});

test('who is ready and did nothing since the last look has waited all the time', () => {
  const ready = { worked: 8, waited: 100, ready: true };
  assert.is(disturbance(waits(0, ready), waits(0, ready), 1000), 1000);
  assert.is(disturbance(waits(0, ready), waits(0, { ...ready, worked: 9 }), 1000), 0);
});

test('the kernel tells how a process waits for its CPU', async () => {
  const loop = 'while :; do :; done';
  // Both on one CPU, one of them only for what nobody else wants; its shell has a child that does the work.
  const script = `taskset -c 0 sh -c '${loop}' & busy=$!; taskset -c 0 chrt -i 0 sh -c '${loop}' & wait $busy`;
  const child = spawn('sh', ['-c', script], { stdio: 'ignore', detached: true });
  try {
    const { pid = 0 } = child;
    for (let tries = 0; waitsBelow(pid).processes.size < 3 && tries < 1000; tries++) await pause(20);
    let waited = 0;
    let [before, begin] = [waitsBelow(pid), performance.now()];
    for (let tries = 0; waited < 2000 && tries < 1000; tries++) {
      await pause(100);
      const [after, end] = [waitsBelow(pid), performance.now()];
      waited += disturbance(before, after, end - begin);
      [before, begin] = [after, end];
    }
    assert.ok(waited >= 2000, `${waited} ms`);
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }
});

test.run();
