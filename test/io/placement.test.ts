import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { Placement } from '../../src/core/supervision/placement.ts';
import { millis } from '../../src/core/time.ts';
import { Place, sched } from '../../src/io/placement.ts';
import { Patience } from '../patience.ts';
import { suite } from '../suite.ts';

/** The test process itself is placed. */
const test = suite('placement');
const PLAIN: Placement = { name: 'vipkeeper-test', realTime: 0, realTimeLimit: millis(50) };
/** At the longest: on a busy machine the limit, which is of processor time, is reached later. */
const SPIN_MILLISECONDS = 60_000;

const said: string[] = [];
const place = new Place((problem) => said.push(problem));
test.before.each(() => {
  said.length = 0;
});
test.after(() => place.take(PLAIN));

const status = (field: string): string =>
  new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
const scheduling = (): string =>
  execFileSync('chrt', ['-p', String(process.pid)], { encoding: 'utf8' }).replace(/\n/g, ' ');
const nices = (): Set<string> =>
  new Set(
    execFileSync('ps', ['-L', '-o', 'ni=', '-p', String(process.pid)], { encoding: 'utf8' }).match(/-?\d+/g),
  );

test('all threads are nice and stay on their CPUs, and a reload takes both back', () => {
  const before = status('Cpus_allowed_list');
  const nice = [...nices()];
  const last = availableParallelism() - 1;
  place.take({ ...PLAIN, nice: 7, cpus: [last] });
  assert.equal(said, []);
  assert.is(status('Name'), 'vipkeeper-test');
  assert.equal([...nices()], ['7']);
  const each = execFileSync('taskset', ['-acp', String(process.pid)], { encoding: 'utf8' });
  for (const line of each.trim().split('\n')) assert.match(line, new RegExp(`affinity list: ${last}$`));
  place.take(PLAIN);
  assert.equal([...nices()], nice);
  assert.is(status('Cpus_allowed_list'), before);
});

test('what the system refuses is said, and the rest is done', () => {
  place.take({ ...PLAIN, name: 'refused', cpus: [1023] });
  assert.is(said.length, 1, said.join());
  assert.match(said[0] ?? '', /CPUs 1023: sched_setaffinity: EINVAL/);
  assert.is(status('Name'), 'refused');
});

test('real time that does not pause ends at its limit, and comes back', async () => {
  place.take({ ...PLAIN, realTime: 5 });
  assert.match(scheduling(), /SCHED_RR\|SCHED_RESET_ON_FORK.*priority: 5/);
  assert.match(readFileSync('/proc/self/limits', 'utf8'), /^Max realtime timeout +50000 /m);
  // Nothing else of our JavaScript can run meanwhile.
  const seen: string[] = [];
  for (const end = Date.now() + SPIN_MILLISECONDS; seen.at(-1) !== '0' && Date.now() < end; )
    seen.push(/^policy\s*:\s*(\d+)$/m.exec(readFileSync('/proc/self/sched', 'utf8'))?.[1] ?? '');
  assert.is(seen[0], '2', 'in real time at first');
  assert.is(seen.at(-1), '0', 'in ordinary scheduling at the end');
  const patience = new Patience(60);
  while (!patience.isOver && !/SCHED_RR/.test(scheduling())) await pause(50);
  assert.match(scheduling(), /SCHED_RR/);
  assert.match(said.join(), /worked for more than 50 ms without a pause/);
  assert.match(readFileSync('/proc/self/limits', 'utf8'), /^Max realtime timeout +50000 /m);
});

test('real-time scheduling is not inherited, and its refusal has a name', () => {
  assert.throws(() => sched('RR', 100), /RR with priority 100: sched_setscheduler: EINVAL/);
  sched('RR', 5);
  const own = scheduling();
  const child = spawnSync('chrt', ['-p', '0'], { encoding: 'utf8' }).stdout;
  sched('OTHER', 0);
  assert.match(own, /SCHED_RR\|SCHED_RESET_ON_FORK.*priority: 5/);
  assert.match(child, /SCHED_OTHER/);
});

test.run();
