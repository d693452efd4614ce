import * as assert from 'uvu/assert';
import { seconds } from '../../../src/core/time.ts';
import { Script, type ScriptEvent } from '../../../src/core/track/script.ts';
import type { ScriptSettings } from '../../../src/core/track/settings.ts';
import { suite } from '../../suite.ts';
import { at } from '../vrrp/router.ts';

/** vrrp_script: schedule, timeout, rise and fall. */
const script = suite('vrrp script');

const SETTINGS: ScriptSettings = {
  name: 'check',
  command: ['/bin/check'],
  interval: seconds(5),
  timeout: seconds(3),
  rise: 1,
  fall: 1,
};

/** A script that runs since 0 s, and what it does in short words. */
class Bench {
  readonly script: Script;

  constructor(changes: Partial<ScriptSettings> = {}) {
    this.script = new Script({ ...SETTINGS, ...changes });
    assert.equal(this.do({ type: 'start' }, 0), ['run']);
  }

  do(event: ScriptEvent, s: number): string[] {
    this.script.handle(event, at(s));
    return this.#told();
  }

  exits(status: number, s: number): string[] {
    return this.do({ type: 'exited', status, signal: null }, s);
  }

  timeout(s: number): string[] {
    this.script.timeout(at(s));
    return this.#told();
  }

  /** Runs that end at once, one an interval, beginning with the one under way. */
  results(...statuses: readonly number[]): string[] {
    return statuses.flatMap((status, i) => {
      const told = this.exits(status, i * 5 + 0.1);
      this.timeout((i + 1) * 5);
      return told;
    });
  }

  #told(): string[] {
    return this.script.take().map((effect) => {
      if (effect.type === 'kill') return effect.signal;
      return effect.type === 'run' ? 'run' : `${effect.good ? 'good' : 'bad'}: ${effect.why}`;
    });
  }
}

script('it runs at once and then at its interval', () => {
  const bench = new Bench();
  assert.equal(bench.exits(0, 0.2), ['good: it succeeded']);
  assert.is(bench.script.deadline(), at(5));
  assert.equal(bench.timeout(4.9), []);
  assert.equal(bench.timeout(5), ['run']);
  assert.is(bench.script.deadline(), at(8), 'the timeout');
});

script('the first result decides, whatever rise and fall say', () => {
  assert.equal(new Bench({ rise: 3 }).exits(0, 1), ['good: it succeeded']);
  assert.equal(new Bench({ fall: 3 }).exits(1, 1), ['bad: it exited with status 1']);
});

script('fall failures in a row, and rise successes', () => {
  const bench = new Bench({ rise: 2, fall: 3 });
  assert.equal(bench.results(0, 1, 1, 0, 1, 1), ['good: it succeeded']);
  const other = new Bench({ rise: 2, fall: 3 });
  assert.equal(other.results(0, 1, 1, 7, 0, 1, 0, 0), [
    'good: it succeeded',
    'bad: it exited with status 7',
    'good: it succeeded',
  ]);
});

script('the same verdict is told once', () => {
  assert.equal(new Bench().results(0, 0, 0, 1, 1), ['good: it succeeded', 'bad: it exited with status 1']);
});

script('a signal, and a program that cannot run, are failures', () => {
  assert.equal(new Bench().do({ type: 'exited', status: null, signal: 'SIGSEGV' }, 1), [
    'bad: it was ended by SIGSEGV',
  ]);
  assert.equal(new Bench().do({ type: 'failed', why: 'ENOENT: no such file' }, 1), [
    'bad: ENOENT: no such file',
  ]);
});

script('too long: it has failed, is ended, and killed two seconds later', () => {
  const bench = new Bench();
  assert.equal(bench.timeout(3), ['bad: it took longer than 3 s', 'SIGTERM']);
  assert.equal(bench.timeout(4.9), []);
  assert.equal(bench.timeout(5), ['SIGKILL']);
  assert.equal(bench.do({ type: 'exited', status: null, signal: 'SIGKILL' }, 5.1), []);
  assert.equal(bench.timeout(10), ['run']);
});

script('a timeout that comes late is no evidence: the run gets its time again, once', () => {
  const bench = new Bench();
  assert.equal(bench.timeout(7), []);
  assert.equal(bench.exits(0, 9), ['good: it succeeded']);
  const hangs = new Bench();
  assert.equal(hangs.timeout(7), []);
  assert.equal(hangs.timeout(10), ['bad: it took longer than 3 s', 'SIGTERM']);
  const slow = new Bench();
  assert.equal(slow.timeout(7), []);
  assert.equal(slow.timeout(15), ['bad: it took longer than 3 s', 'SIGTERM']);
});

script('what the director lacks for a run says nothing', () => {
  const bench = new Bench();
  assert.equal(bench.do({ type: 'failed', why: 'EMFILE', shortage: true }, 0.1), []);
  bench.timeout(5);
  assert.equal(bench.exits(0, 5.1), ['good: it succeeded']);
  bench.timeout(10);
  assert.equal(bench.do({ type: 'failed', why: 'EMFILE', shortage: true }, 10.1), []);
  bench.timeout(15);
  assert.equal(bench.exits(1, 15.1), ['bad: it exited with status 1']);
});

script('... a success that comes after all is ignored', () => {
  const bench = new Bench();
  bench.timeout(3);
  assert.equal(bench.exits(0, 3.5), []);
});

script('a run is not overtaken by the next', () => {
  const bench = new Bench({ timeout: seconds(12) });
  assert.equal(bench.timeout(5), []);
  assert.equal(bench.timeout(10), []);
  assert.equal(bench.exits(0, 11), ['good: it succeeded']);
  assert.equal(bench.timeout(15), ['run']);
});

script('what was missed in a stall is not made up for', () => {
  const bench = new Bench();
  bench.exits(0, 1);
  assert.equal(bench.timeout(57), ['run']);
  bench.exits(0, 58);
  assert.is(bench.script.deadline(), at(62));
});

script('stopped, a run is ended and its result ignored; nothing runs any more', () => {
  const bench = new Bench();
  assert.equal(bench.do({ type: 'stop' }, 1), ['SIGTERM']);
  assert.equal(bench.timeout(3), ['SIGKILL']);
  assert.equal(bench.exits(1, 3.1), []);
  assert.is(bench.script.deadline(), undefined);
});

script('other settings keep the verdict and the count', () => {
  const bench = new Bench({ fall: 3 });
  bench.results(0, 1);
  bench.do({ type: 'configure', settings: { ...SETTINGS, fall: 2, interval: seconds(60) } }, 11);
  assert.equal(bench.exits(1, 12), ['bad: it exited with status 1']);
  assert.is(bench.script.deadline(), at(71));
});

script.run();
