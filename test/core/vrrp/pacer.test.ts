import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { type Instant, instant, micros, millis, seconds } from '../../../src/core/time.ts';
import { Pacer } from '../../../src/core/vrrp/pacer.ts';
import type { PacingSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';

const NONE = { garp: seconds(0), gna: seconds(0) };
const [A, B, C6] = [ip('10.0.0.1'), ip('10.0.0.2'), ip('fd00::1')];

/** What leaves, with the second in which it does. */
class Bench {
  readonly pacer: Pacer;
  readonly sent: string[] = [];
  now: Instant = instant(1e6);

  constructor(pacing: PacingSettings) {
    this.pacer = new Pacer(pacing);
  }

  announce(dev: string, addresses: readonly string[], repeat: number, lane = dev): this {
    const all = addresses.map((address) => ip(address));
    this.pacer.handle({ type: 'announce', dev, lane, addresses: all, repeat }, this.now);
    this.take();
    return this;
  }

  take(): void {
    for (const { dev, addresses, repeat } of this.pacer.take()) {
      this.sent.push(`${((this.now - 1e6) / 1e6).toFixed(1)} ${dev} ${addresses.join()} x${repeat}`);
    }
  }

  run(): string[] {
    for (let due = this.pacer.deadline(); due !== undefined; due = this.pacer.deadline()) {
      this.now = due;
      this.pacer.timeout(due);
      this.take();
    }
    return this.sent.splice(0);
  }
}

const test = suite('gaps between announcements');

test('without a gap all leave at once', () => {
  const bench = new Bench({ ...NONE, groups: [] }).announce('lan', [A, B, C6], 5);
  assert.equal(bench.run(), ['0.0 lan 10.0.0.1,10.0.0.2 x5', '0.0 lan fd00::1 x5']);
});

test('round after round, a gap apart; IPv6 has a gap of its own', () => {
  const bench = new Bench({ garp: millis(100), gna: seconds(0), groups: [] }).announce('lan', [A, B, C6], 2);
  assert.equal(bench.run(), [
    '0.0 lan 10.0.0.1 x1',
    '0.0 lan fd00::1 x2',
    '0.1 lan 10.0.0.2 x1',
    '0.2 lan 10.0.0.1 x1',
    '0.3 lan 10.0.0.2 x1',
  ]);
});

test('interfaces of a group share the gap, others do not; a VMAC counts as what it is upon', () => {
  const groups = [{ interfaces: ['lan', 'wan'], garp: seconds(1), gna: seconds(0) }];
  const bench = new Bench({ garp: millis(100), gna: seconds(0), groups });
  bench.announce('lan', [A], 1).announce('vrrp.7', [B], 1, 'wan').announce('dmz', [A], 2);
  assert.equal(bench.run(), [
    '0.0 lan 10.0.0.1 x1',
    '0.0 dmz 10.0.0.1 x1',
    '0.1 dmz 10.0.0.1 x1',
    '1.0 vrrp.7 10.0.0.2 x1',
  ]);
});

test('what is announced again while it waits does not add up', () => {
  const bench = new Bench({ garp: seconds(1), gna: seconds(0), groups: [] });
  bench.announce('lan', [A], 3).announce('lan', [A], 3);
  assert.is(bench.run().length, 4);
});

test('what is given up is not announced', () => {
  const bench = new Bench({ garp: seconds(1), gna: seconds(0), groups: [] }).announce('lan', [A, B], 3);
  bench.pacer.handle({ type: 'forget', dev: 'lan', addresses: [A] }, bench.now);
  assert.equal(bench.run(), [
    '0.0 lan 10.0.0.1 x1',
    '1.0 lan 10.0.0.2 x1',
    '2.0 lan 10.0.0.2 x1',
    '3.0 lan 10.0.0.2 x1',
  ]);
});

test('gaps shorter than a turn of the loop are kept on the average', () => {
  const bench = new Bench({ garp: micros(100), gna: seconds(0), groups: [] });
  const many = Array.from({ length: 100 }, (_, i) => `10.0.1.${i}`);
  bench.announce('lan', many, 1);
  // A turn of 1 ms each: at most 20 gaps' worth is made up for.
  let turns = 0;
  while (bench.pacer.deadline() !== undefined) {
    bench.now = (bench.now + 1000) as Instant;
    bench.pacer.timeout(bench.now);
    bench.take();
    turns++;
  }
  assert.is(bench.sent.length, 100);
  assert.ok(turns >= 8 && turns <= 10, `${turns} turns`);
});

test('another gap by a reload lets go of what waited', () => {
  const bench = new Bench({ garp: seconds(1), gna: seconds(0), groups: [] }).announce('lan', [A], 3);
  bench.pacer.handle({ type: 'configure', pacing: { ...NONE, groups: [] } }, bench.now);
  bench.take();
  assert.equal(bench.run(), ['0.0 lan 10.0.0.1 x1', '0.0 lan 10.0.0.1 x2']);
});

test.run();
