import * as assert from 'uvu/assert';
import { RehearsalTime } from '../../../src/core/rehearsal/due.ts';
import { type Instant, instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { instance, Shell } from '../director/shell.ts';
import { at as atSecond } from '../vrrp/router.ts';

const at = (ms: number): Instant => instant(1e9 + ms * 1e3);

const test = suite('when a takeover is rehearsed');

/** Milliseconds of each effect when adverts come each 100 ms and end at `last`; the takeover is 350 ms later. */
function effects(last: number, end: number): string[] {
  let takeover: Instant | undefined = at(350);
  const machine = new RehearsalTime(() => takeover);
  const seen: string[] = [];
  machine.handle({ type: 'looked' }, at(0));
  for (let ms = 1; ms <= end; ms++) {
    if (ms % 100 === 0 && ms <= last) takeover = at(ms + 350);
    if (ms === last + 350) {
      takeover = undefined;
      machine.handle({ type: 'looked' }, at(ms));
    }
    machine.timeout(at(ms));
    for (const { type } of machine.take()) seen.push(`${ms} ${type}`);
  }
  return seen;
}

test('while adverts come nothing is rehearsed', () => {
  assert.equal(effects(10_000, 10_000), []);
});

test('a takeover is rehearsed right before it, and the next one is made ready a second later', () => {
  assert.equal(effects(1000, 3000), ['1345 rehearse', '2345 prepare']);
});

test('backups that take over one after the other: once in a second', () => {
  const machine = new RehearsalTime(() => takeover);
  let takeover = at(100);
  const seen: number[] = [];
  machine.handle({ type: 'looked' }, at(0));
  for (let ms = 0; ms < 2500; ms++) {
    if (at(ms) > takeover) {
      takeover = at(ms + 20);
      machine.handle({ type: 'looked' }, at(ms));
    }
    machine.timeout(at(ms));
    seen.push(...machine.take().flatMap(({ type }) => (type === 'rehearse' ? [ms] : [])));
  }
  assert.is(seen.length, 3);
  assert.is(seen[0], 95);
});

test('a director knows when from the last advert on, also while adverts are missed', () => {
  const shell = Shell.of([instance()]).until(1).advert(150);
  const due = atSecond(1 + 3 + 156 / 256);
  for (const s of [1, 2.6, 3.7, 4.5]) assert.is(shell.until(s).director.takeover, due, `${s} s`);
  shell.until(5);
  assert.equal([shell.status().state, shell.director.takeover], ['MASTER', undefined]);
});

test.run();
