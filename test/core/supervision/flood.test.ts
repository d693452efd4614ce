import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BURST, Flood, type Line, MOST_KINDS, PERIOD } from '../../../src/core/supervision/flood.ts';
import { after, type Instant, instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('a flood of lines');

const START = instant(1e9);
const line = (message: string, more: Partial<Line> = {}): Line => ({
  process: 'vipkeeper-vrrp',
  level: 'warning',
  message,
  at: 0,
  ...more,
});

/** Ten times a second for a while; what passes, with when. */
function flooded(flood: Flood<Line>, length: number, message: (i: number) => string): [number, string][] {
  const passed: [number, string][] = [];
  for (let i = 0; i < 10 * length; i++) {
    const now: Instant = after(START, seconds(i / 10));
    if ((flood.deadline() ?? now) < now) flood.timeout(now);
    flood.handle({ type: 'line', line: line(message(i)) }, now);
    for (const { message: text } of flood.take()) passed.push([i / 10, text]);
  }
  return passed;
}

test('ten pass, then one a minute that says for how many it stands', () => {
  const flood = new Flood<Line>();
  const passed = flooded(flood, 180, (i) => `worked for more than ${i} ms without a pause`);
  assert.is(passed.length, BURST + 2);
  assert.match(
    passed.at(-1)?.[1] ?? '',
    /^worked for more than \d+ ms without a pause \(the last of 600 such lines\)$/,
  );
});

test('the last of them is said when the minute is over, though nothing follows', () => {
  const flood = new Flood<Line>();
  flooded(flood, 4, (i) => `web: ${i % 2 === 0 ? 'MASTER' : 'BACKUP'}`);
  assert.is(flood.deadline(), after(START, PERIOD));
  flood.timeout(after(START, seconds(61)));
  assert.equal(
    flood.take().map(({ message }) => message),
    ['web: MASTER (the last of 10 such lines)', 'web: BACKUP (the last of 10 such lines)'],
  );
  const other = new Flood<Line>();
  flooded(other, 2, () => 'web: flaps');
  other.timeout(after(START, PERIOD));
  assert.equal(
    other.take().map(({ message }) => message),
    ['web: flaps (the last of 10 such lines)'],
  );
});

test('lines about others are others, also about other processes and of another level', () => {
  const flood = new Flood<Line>();
  for (let i = 0; i < 250; i++)
    flood.handle({ type: 'line', line: line(`VI_${i}: MASTER -> BACKUP`) }, START);
  assert.is(flood.take().length, 250);
  for (const more of [{ process: 'vipkeeper-check' }, { level: 'error' }])
    flood.handle({ type: 'line', line: line('VI_1: MASTER -> BACKUP', more) }, START);
  assert.is(flood.take().length, 2);
});

test('who sends from many addresses and ports makes one kind', () => {
  const flood = new Flood<Line>();
  for (let i = 0; i < 1000; i++) {
    const from = i % 2 === 0 ? `10.0.${i % 256}.7:${1000 + i}` : `2001:db8::${i.toString(16)}`;
    flood.handle({ type: 'line', line: line(`BFD peer: Up -> Down: told so by ${from}`) }, START);
  }
  assert.is(flood.take().length, BURST);
});

test('what was withheld is said at the end', () => {
  const flood = new Flood<Line>();
  for (let i = 0; i < 20; i++) flood.handle({ type: 'line', line: line('again') }, START);
  flood.take();
  flood.handle({ type: 'end' }, START);
  assert.equal(
    flood.take().map(({ message }) => message),
    ['again (the last of 10 such lines)'],
  );
});

test('no line is lost from the count, and the memory is bounded, whatever comes', () => {
  const words = fc.stringMatching(/^[a-z]{1,3}(: [a-z0-9]{0,4})?$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(words, fc.integer({ min: 0, max: 30_000_000 })), { maxLength: 300 }),
      (steps) => {
        const flood = new Flood<Line>();
        let now = START;
        let counted = 0;
        const count = (): void => {
          for (const { message } of flood.take()) {
            counted += Number(/\(the last of (\d+) such/.exec(message)?.[1] ?? 1);
          }
        };
        for (const [message, pause] of steps) {
          now = (now + pause) as Instant;
          flood.timeout(now);
          flood.handle({ type: 'line', line: line(message) }, now);
          count();
        }
        flood.handle({ type: 'end' }, now);
        count();
        assert.is(counted, steps.length);
      },
    ),
  );
  const flood = new Flood<Line>();
  for (let i = 0; i < 3 * MOST_KINDS; i++) flood.handle({ type: 'line', line: line(`x${i}: y`) }, START);
  assert.is(flood.take().length, 3 * MOST_KINDS);
});

test.run();
