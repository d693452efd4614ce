import * as assert from 'uvu/assert';
import { Watchdog, type WatchdogEvent } from '../../../src/core/fence/watchdog.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('the watchdog of a host');
const at = (s: number) => instant(s * 1e6);
const STUCK = ['10.0.0.100/24 on eth0'];

class Bench {
  readonly watchdog = new Watchdog({ device: '/dev/watchdog', timeout: seconds(10) }, at(0));
  illegal: readonly string[] = [];
  fed = 0;
  opens = 0;
  readonly said: string[] = [];

  handle(event: WatchdogEvent, s: number): void {
    this.watchdog.handle(event, at(s));
    this.#take(s);
  }
  pass(s: number): void {
    this.watchdog.timeout(at(s));
    this.#take(s);
  }
  #take(s: number): void {
    for (const effect of this.watchdog.take()) {
      if (effect.type === 'open') this.opens += 1;
      else if (effect.type === 'feed') this.fed += 1;
      else if (effect.type === 'look') this.handle({ type: 'found', illegal: this.illegal }, s);
      else this.said.push(`${effect.level}: ${effect.message}`);
    }
  }
}

test('it is opened at once, and fed five times in the time in which it bites', () => {
  const bench = new Bench();
  bench.pass(0);
  assert.equal([bench.opens, bench.fed], [1, 0]);
  bench.handle({ type: 'opened', timeout: seconds(20) }, 0);
  for (let s = 0; s < 20; s++) bench.pass(s);
  assert.is(bench.fed, 5, 'every four seconds: what the driver made of the ten');
});

test('one that cannot be opened is tried again, and said once', () => {
  const bench = new Bench();
  for (const s of [0, 5, 10]) {
    bench.pass(s);
    bench.handle({ type: 'failed', why: 'EBUSY' }, s);
  }
  assert.is(bench.opens, 3);
  assert.equal(bench.said, ['error: no watchdog: EBUSY; tried again and again']);
  assert.is(bench.watchdog.status().state, 'closed');
});

test('while an address that must go is there it gets nothing, and bites unless that ends', () => {
  const bench = new Bench();
  bench.pass(0);
  bench.handle({ type: 'opened', timeout: seconds(10) }, 0);
  bench.pass(0);
  bench.illegal = STUCK;
  bench.pass(2);
  assert.is(bench.said.length, 1, 'it may be on its way out');
  bench.pass(4);
  assert.is(bench.fed, 1);
  assert.is(bench.watchdog.status().state, 'starving');
  assert.match(bench.said[1] ?? '', /^crit: 10\.0\.0\.100\/24 on eth0 must not be held, .* within 10 s$/);
  bench.illegal = [];
  bench.pass(6);
  assert.is(bench.fed, 2);
  assert.is(bench.watchdog.status().state, 'fed');
});

test.run();
