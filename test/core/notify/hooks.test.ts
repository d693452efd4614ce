import * as assert from 'uvu/assert';
import { type Hook, Hooks, MOST_RUNNING, MOST_WAITING } from '../../../src/core/notify/hooks.ts';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('hooks: order and bounds');
const at = (s: number): Instant => instant(s * 1e6);
const hook = (title: string): Hook => ({ title, command: [title], environment: {}, timeout: seconds(10) });

class Bench {
  readonly machine = new Hooks();
  readonly ids = new Map<string, number>();

  run(subject: string, titles: readonly string[], s = 0, urgent = false): string[] {
    this.machine.handle({ type: 'run', subject, hooks: titles.map(hook), urgent }, at(s));
    return this.done();
  }

  ended(title: string, s = 0, end: { readonly why?: string; readonly said?: string } = {}): string[] {
    this.machine.handle({ type: 'ended', id: this.ids.get(title) ?? 0, said: '', ...end }, at(s));
    return this.done();
  }

  until(s: number): string[] {
    this.machine.timeout(at(s));
    return this.done();
  }

  done(): string[] {
    return this.machine.take().map((effect) => {
      if (effect.type === 'log') return effect.message;
      if (effect.type === 'kill') return effect.signal;
      this.ids.set(effect.hook.title, effect.id);
      return effect.hook.title;
    });
  }
}

test('those of one event begin together, those of the next when both have ended', () => {
  const bench = new Bench();
  assert.equal(bench.run('web', ['master', 'any']), ['master', 'any']);
  assert.equal(bench.run('web', ['backup'], 1), ['backup waits for master, which has run for 1.0 s']);
  assert.equal(bench.ended('master', 2), []);
  assert.equal(bench.ended('any', 3), ['backup']);
  assert.equal(bench.ended('backup', 4), []);
  assert.ok(bench.machine.idle);
});

test('other instances do not wait', () => {
  const bench = new Bench();
  bench.run('web', ['master']);
  assert.equal(bench.run('mail', ['other']), ['other']);
});

test('one that takes too long is ended, and killed when that does not help', () => {
  const bench = new Bench();
  bench.run('web', ['master']);
  bench.run('web', ['backup'], 1);
  assert.equal(bench.until(9.9), []);
  assert.equal(bench.until(10), ['master took longer than 10 s: ended', 'SIGTERM']);
  assert.equal(bench.until(12), ['SIGKILL']);
  assert.equal(bench.ended('master', 12.1, { why: 'it was ended by SIGKILL' }), ['backup']);
});

test('a failure is said, with the end of what was printed', () => {
  const bench = new Bench();
  bench.run('web', ['master']);
  assert.equal(bench.ended('master', 1, { why: 'it exited with status 3', said: 'no such thing' }), [
    'master: it exited with status 3: no such thing',
  ]);
});

test('at the stop nothing waits, and what waited is not run', () => {
  const bench = new Bench();
  bench.run('web', ['master']);
  bench.run('web', ['backup'], 1);
  assert.equal(bench.run('web', ['stop', 'any'], 2, true), ['stop', 'any']);
  assert.equal(bench.ended('master', 3), []);
  bench.ended('stop', 3);
  bench.ended('any', 3);
  assert.ok(bench.machine.idle);
});

test('events that wait are bounded: the oldest goes, and it is said', () => {
  const bench = new Bench();
  bench.run('web', ['first']);
  for (let i = 0; i < MOST_WAITING; i++) bench.run('web', [`e${i}`]);
  assert.equal(bench.run('web', ['last']), [`e0 not run: ${MOST_WAITING} later events wait already`]);
  assert.equal(bench.ended('first'), ['e1']);
});

test('scripts at the same time are bounded: the others follow, each when one ends', () => {
  const bench = new Bench();
  for (let i = 0; i < MOST_RUNNING; i++) assert.is(bench.run(`s${i}`, [`h${i}`]).length, 1);
  assert.match(bench.run('more', ['more']).join(), /^more waits for 64 other scripts/);
  assert.match(bench.run('last', ['last']).join(), /^last waits for/);
  assert.equal(bench.ended('h0'), ['more']);
  assert.equal(bench.ended('h1'), ['last']);
});

test.run();
