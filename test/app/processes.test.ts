import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { TrackedProcesses } from '../../src/app/track/processes.ts';
import type { Duration } from '../../src/core/time.ts';
import type { TrackProcessSettings } from '../../src/core/track/settings.ts';
import { Driver } from '../../src/io/drive.ts';
import { eventually } from '../io/namespace.ts';
import { HANGS_MILLISECONDS } from '../patience.ts';
import { suite } from '../suite.ts';

/**
 * Real processes. Run as it is, the kernel tells of them if it tells anybody here; run again in a network namespace,
 * where it never does, they are looked at.
 */
const INSIDE = 'VIPKEEPER_TEST_NO_CONNECTOR';
const inside = process.env[INSIDE] !== undefined;
const test = suite(inside ? 'processes, looked at' : 'processes, as the kernel tells');

/** A command line that nothing else on this machine has. */
const WORD = String(100_000 + process.pid);
const BLOCK: TrackProcessSettings = {
  name: 'sleeper',
  command: 'sleep',
  parameters: [WORD],
  match: 'exact',
  quorum: 1,
  terminateDelay: 0 as Duration,
  forkDelay: 0 as Duration,
  fullCommand: false,
};

test('one begins, one ends, and a block that is taken out is forgotten', async () => {
  const told: boolean[] = [];
  const logged: string[] = [];
  let child: ChildProcess | undefined;
  const tracked = new TrackedProcesses(
    new Driver(),
    (events) => {
      for (const event of events) if (event.kind === 'process') told.push(event.good);
    },
    (_level, message) => logged.push(message),
  );
  try {
    tracked.configure([BLOCK]);
    assert.is(told.at(-1), false);
    await eventually(() => logged.find((line) => line.startsWith('tracked processes:')), 'says how');
    child = spawn('sleep', [WORD]);
    await eventually(() => told.at(-1) || undefined, 'it is seen');
    child.kill();
    await eventually(() => told.at(-1) === false || undefined, 'its end is seen');
    if (inside) assert.match(logged.join(), /looked at each second, the process connector does not work/);
    tracked.configure([]);
    told.length = 0;
    tracked.tellAll();
    assert.equal(told, []);
  } finally {
    child?.kill();
    tracked.configure([]);
  }
});

if (!inside) {
  test('without the connector', () => {
    const args = ['--net', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const env = { ...process.env, [INSIDE]: '1' };
    const { status, stdout, stderr } = spawnSync('unshare', args, {
      env,
      encoding: 'utf8',
      timeout: HANGS_MILLISECONDS,
    });
    assert.is(status, 0, stdout + stderr);
  });
}

test.run();
