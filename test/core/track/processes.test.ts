import * as assert from 'uvu/assert';
import { decodeProcessNews, listenToProcesses } from '../../../src/core/netlink/connector.ts';
import { type Duration, type Instant, instant, seconds } from '../../../src/core/time.ts';
import { Processes, type ProcessesEvent, type ProcessInfo } from '../../../src/core/track/processes.ts';
import type { TrackProcessSettings } from '../../../src/core/track/settings.ts';
import { suite } from '../../suite.ts';

const test = suite('tracked processes');

const NONE = 0 as Duration;
const SETTINGS: TrackProcessSettings = {
  name: 'web',
  command: 'nginx',
  match: 'exact',
  quorum: 1,
  terminateDelay: NONE,
  forkDelay: NONE,
  fullCommand: false,
};
const at = (s: number): Instant => instant(s * 1e6);
const info = (pid: number, name: string, ...words: string[]): ProcessInfo => ({ pid, name, words });

class Bench {
  readonly machine = new Processes();

  constructor(changes: Partial<TrackProcessSettings>, ...found: readonly ProcessInfo[]) {
    this.machine.handle({ type: 'configure', blocks: [{ ...SETTINGS, ...changes }] }, at(0));
    this.machine.handle({ type: 'all', processes: found }, at(0));
  }

  event(event: ProcessesEvent, s: number): string[] {
    this.machine.handle(event, at(s));
    return this.told();
  }

  told(): string[] {
    return this.machine.take().map(({ good, why }) => `${good}: ${why}`);
  }

  until(s: number): string[] {
    this.machine.timeout(at(s));
    return this.told();
  }
}

test('quorum and quorum_max', () => {
  const bench = new Bench({ quorum: 2, quorumMax: 3 }, info(1, 'nginx'));
  assert.equal(bench.told(), ['false: 1 running, at least 2 and at most 3 wanted']);
  assert.equal(bench.event({ type: 'one', process: info(2, 'nginx') }, 1), [
    'true: 2 running, at least 2 and at most 3 wanted',
  ]);
  assert.equal(bench.event({ type: 'one', process: info(3, 'nginx') }, 2), []);
  assert.equal(bench.event({ type: 'one', process: info(4, 'nginx') }, 3), [
    'false: 4 running, at least 2 and at most 3 wanted',
  ]);
  assert.equal(bench.event({ type: 'gone', pid: 4 }, 4).length, 1);
  assert.equal(bench.event({ type: 'gone', pid: 4 }, 4), []);
});

test('a process that becomes another program is no more of the first', () => {
  const bench = new Bench({}, info(1, 'nginx'));
  assert.equal(bench.told().length, 1);
  assert.match(bench.event({ type: 'one', process: info(1, 'sh') }, 1).join(), /^false: 0 running/);
});

test('a change counts when it has lasted', () => {
  const bench = new Bench({ terminateDelay: seconds(2), forkDelay: seconds(5) }, info(1, 'nginx'));
  assert.equal(bench.told().length, 1);
  assert.equal(bench.event({ type: 'gone', pid: 1 }, 1), []);
  assert.equal(bench.event({ type: 'one', process: info(2, 'nginx') }, 2.9), []);
  assert.equal(bench.until(10), []);
  bench.event({ type: 'gone', pid: 2 }, 10);
  assert.match(bench.until(12).join(), /^false/);
  bench.event({ type: 'one', process: info(3, 'nginx') }, 13);
  assert.equal(bench.until(17.9), []);
  assert.match(bench.until(18).join(), /^true/);
});

test('a look at all mends what was missed', () => {
  const bench = new Bench({}, info(1, 'nginx'));
  bench.told();
  assert.match(bench.event({ type: 'all', processes: [info(1, 'sh')] }, 1).join(), /^false/);
  assert.match(bench.event({ type: 'all', processes: [info(7, 'nginx')] }, 2).join(), /^true/);
});

test('the command, by its name or its whole path, and its parameters', () => {
  const counts = (changes: Partial<TrackProcessSettings>, found: ProcessInfo): boolean =>
    new Bench(changes, found).told().join().startsWith('true');
  assert.ok(counts({}, info(1, 'nginx', '/usr/sbin/nginx', '-g')));
  assert.not(counts({}, info(1, 'nginx2')));
  const path = { command: '/usr/sbin/nginx', fullCommand: true };
  assert.ok(counts(path, info(1, 'worker', '/usr/sbin/nginx')));
  assert.not(counts(path, info(1, 'nginx', 'nginx')));
  const exact = { parameters: ['-c', 'a.conf'] };
  assert.ok(counts(exact, info(1, 'nginx', 'nginx', '-c', 'a.conf')));
  assert.not(counts(exact, info(1, 'nginx', 'nginx', '-c', 'a.conf', '-q')));
  assert.ok(counts({ ...exact, match: 'initial' }, info(1, 'nginx', 'nginx', '-c', 'a.conf', '-q')));
  assert.not(counts({ ...exact, match: 'initial' }, info(1, 'nginx', 'nginx', '-c', 'a.conf.d')));
  assert.ok(counts({ ...exact, match: 'partial' }, info(1, 'nginx', 'nginx', '-c', 'a.conf.d')));
  assert.ok(counts({ parameters: [] }, info(1, 'nginx', 'nginx')));
  assert.not(counts({ parameters: [] }, info(1, 'nginx', 'nginx', '-q')));
});

test('messages of the connector: what they say, and any other bytes', () => {
  const message = (what: number, ...numbers: number[]): Uint8Array => {
    const words = [76, 3, 0, 0, 1, 1, 0, 0, 40, what, 0, 0, 0, ...numbers];
    return new Uint8Array(Uint32Array.from(words).buffer);
  };
  assert.equal(decodeProcessNews(message(0, 0)), { type: 'answer', errno: 0 });
  assert.equal(decodeProcessNews(message(1, 5, 5, 9, 9)), { type: 'changed', pid: 9 });
  assert.equal(decodeProcessNews(message(1, 5, 5, 9, 5)), undefined);
  assert.equal(decodeProcessNews(message(2, 9, 9)), { type: 'changed', pid: 9 });
  assert.equal(decodeProcessNews(message(0x8000_0000, 9, 9, 0, 17)), { type: 'ended', pid: 9 });
  assert.equal(decodeProcessNews(message(0x8000_0000, 10, 9, 0, 17)), undefined);
  assert.equal(decodeProcessNews(message(4, 9, 9)), undefined);
  const whole = message(1, 5, 5, 9, 9);
  for (let length = 0; length < whole.length; length++) {
    assert.is(decodeProcessNews(whole.subarray(0, length)), undefined);
  }
  assert.is(listenToProcesses().length, 40);
});

test.run();
