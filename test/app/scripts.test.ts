import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Scripts } from '../../src/app/track/scripts.ts';
import { type Duration, seconds } from '../../src/core/time.ts';
import type { ScriptSettings } from '../../src/core/track/settings.ts';
import { Driver } from '../../src/io/drive.ts';
import { suite } from '../suite.ts';
import { eventually, isAlive } from './stage.ts';

/** Real scripts in real processes. */
const test = suite('scripts that are tracked');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-scripts-'));
const benches: Bench[] = [];
test.after(() => {
  for (const bench of benches) bench.scripts.close();
  rmSync(folder, { recursive: true });
});

/** Far longer than any script here runs. */
const HOUR = seconds(3600);

/** A script of this text, and the settings that run it once. */
function script(name: string, text: string, changes: Partial<ScriptSettings> = {}): ScriptSettings {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return { name, command: [path], interval: HOUR, timeout: HOUR, rise: 1, fall: 1, ...changes };
}

/** Runs scripts and collects what they say. */
class Bench {
  readonly told: string[] = [];
  readonly scripts = new Scripts(
    new Driver(),
    (events) => {
      for (const event of events) {
        if (event.kind !== 'file') this.told.push(`${event.name} ${event.good}: ${event.why}`);
      }
    },
    () => undefined,
  );

  constructor() {
    benches.push(this);
  }

  async says(what: string): Promise<void> {
    await eventually(() => this.told.includes(what), `${what}, only: ${this.told.join('; ')}`);
  }
}

const linesOf = (name: string): string[] =>
  readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);

test('what they exit with, a signal, and a program that is not there', async () => {
  const bench = new Bench();
  bench.scripts.configure([
    script('fine', 'exit 0'),
    script('broken', 'exit 3'),
    script('shot', 'kill -9 $$'),
    { ...script('absent', ''), command: ['/nonexistent/check'] },
  ]);
  await bench.says('fine true: it succeeded');
  await bench.says('broken false: it exited with status 3');
  await bench.says('shot false: it was ended by SIGKILL');
  await bench.says('absent false: there is no such program, or the one that its #! line names (ENOENT)');
});

test('what is known is told again', async () => {
  const bench = new Bench();
  bench.scripts.configure([script('again', 'exit 0')]);
  await bench.says('again true: it succeeded');
  bench.told.length = 0;
  bench.scripts.tellAll();
  assert.equal(bench.told, ['again true: it succeeded']);
});

test('one that hangs has failed and is ended with all that it started, also when it does not want to', async () => {
  const bench = new Bench();
  const pids = join(folder, 'pids');
  const text = `trap '' TERM; sleep 1000 & echo $$ $! >>${pids}; wait; sleep 1000`;
  bench.scripts.configure([script('stubborn', text, { timeout: seconds(0.5) as Duration })]);
  await bench.says('stubborn false: it took longer than 0.5 s');
  const started = linesOf('pids').flatMap((line) => line.split(' ').map(Number));
  assert.is(started.length, 2);
  await eventually(() => !started.some(isAlive), 'both are gone');
});

test('a reload leaves alone what did not change, and ends what did', async () => {
  const bench = new Bench();
  const runs = (name: string): string => `echo $$ >>${join(folder, `${name}.runs`)}; sleep 1000`;
  const kept = script('kept', runs('kept'));
  const gone = script('gone', runs('gone'));
  bench.scripts.configure([kept, gone]);
  await eventually(() => {
    try {
      return linesOf('kept.runs').length + linesOf('gone.runs').length === 2;
    } catch {
      return false;
    }
  }, 'both run');
  const [keptPid = 0, gonePid = 0] = [...linesOf('kept.runs'), ...linesOf('gone.runs')].map(Number);
  bench.scripts.configure([{ ...kept, fall: 3 }]);
  await eventually(() => !isAlive(gonePid), 'the other is ended');
  assert.ok(isAlive(keptPid));
  bench.scripts.close();
  await eventually(() => !isAlive(keptPid), 'it is ended');
  assert.equal(bench.told, []);
});

test('a script runs as the user that it is given', async () => {
  const out = join(folder, 'who');
  writeFileSync(out, '', { mode: 0o666 });
  execFileSync('chmod', ['0666', out]);
  execFileSync('chmod', ['0755', folder]);
  const bench = new Bench();
  bench.scripts.configure([script('who-am-i', `id -u >${out}`, { user: { uid: 65534, gid: 65534 } })]);
  await bench.says('who-am-i true: it succeeded');
  assert.equal(linesOf('who'), ['65534']);
});

test.run();
