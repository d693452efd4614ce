import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { eventually, isAlive, ROUTER, Stage } from './stage.ts';

await enclose();

/** `-l` to a pipe that nobody reads. */
const test = suite('output that nobody reads');
const stage = new Stage();
const pipe = join(stage.folder, 'pipe');
let daemon: ChildProcess;
/** Open, so that a writer waits for us. */
let reader: number;
test.before.each(() => {
  execFileSync('mkfifo', [pipe]);
  reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
});
test.after.each(async () => {
  daemon.kill('SIGKILL');
  if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
  closeSync(reader);
  execFileSync('rm', [pipe]);
});
test.after(() => stage.close());

/** Each reload says each warning again. */
const WARNINGS = Array.from(
  { length: 60 },
  (_, i) => `vrrp_script unused${i} {\n  script "/no/such/program"\n}\n`,
);

/** Everything that is in the pipe. */
function drained(): string {
  const bytes = Buffer.alloc(1 << 20);
  let text = '';
  for (;;) {
    try {
      const count = readSync(reader, bytes);
      if (count === 0) return text;
      text += bytes.toString('utf8', 0, count);
    } catch {
      return text;
    }
  }
}

test('the daemon answers, replaces a process that died, and stops', async () => {
  stage.configure(ROUTER + WARNINGS.join(''));
  const writer = openSync(pipe, constants.O_WRONLY);
  const [program = '', ...words] = stage.command('-P', '-n', '-l', '-D');
  daemon = spawn(program, words, { stdio: ['ignore', 'ignore', writer] });
  closeSync(writer);
  await eventually(() => stage.runs && stage.holdsVip(), 'it works');
  for (let i = 0; i < 10; i++) assert.is(stage.operator('reload').status, 0);
  assert.is(stage.operator('status').status, 0);
  const before = stage.pid('vrrp');
  process.kill(before, 'SIGKILL');
  await eventually(() => stage.pid('vrrp') !== before && stage.holdsVip(), 'another vrrp process works');
  // What was there first is kept; how much is lost is said when there is room again.
  assert.match(drained(), /vipkeeperd \S+ starts with/);
  daemon.kill('SIGTERM');
  const [status] = await once(daemon, 'exit');
  assert.is(status, 0);
  assert.not.ok(stage.holdsVip());
});

test('a vrrp process that is alone, too', async () => {
  stage.configure(ROUTER);
  const writer = openSync(pipe, constants.O_WRONLY);
  const [program = '', ...words] = stage.command('-P', '-n', '-l');
  daemon = spawn(program, words, { stdio: ['ignore', 'ignore', writer] });
  closeSync(writer);
  await eventually(() => stage.runs && stage.holdsVip(), 'it works');
  const vrrp = stage.pid('vrrp');
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  // Others fill the pipe.
  const filler = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeFileSync(filler, 'x'.repeat(4096));
  } catch {
    closeSync(filler);
  }
  for (let i = 0; i < 5; i++) {
    execFileSync('ip', ['link', 'set', 'lan', 'down']);
    execFileSync('ip', ['link', 'set', 'lan', 'up']);
  }
  process.kill(vrrp, 'SIGTERM');
  await eventually(() => !isAlive(vrrp), 'it stops');
  assert.not.ok(stage.holdsVip());
});

test.run();
