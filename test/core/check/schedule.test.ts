import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { InvariantError } from '../../../src/core/assert.ts';
import { DueQueue } from '../../../src/core/check/queue.ts';
import { Schedule } from '../../../src/core/check/schedule.ts';
import type { CheckTiming } from '../../../src/core/check/settings.ts';
import type { Instant } from '../../../src/core/time.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('schedule');

const every = (period: number, warmup = period): CheckTiming => ({
  period: seconds(period),
  warmup: seconds(warmup),
  retries: 1,
  retryDelay: seconds(1),
  alpha: false,
});
const at = (s: number): Instant => instant(s * 1e6);
const checks = (count: number, timing: CheckTiming): Map<string, CheckTiming> =>
  new Map(Array.from({ length: count }, (_, i) => [`c${i}`, timing]));

/** Runs to `end` with checks that take no time; returns `id@seconds` of each start. */
function starts(schedule: Schedule, end: number): string[] {
  const seen: string[] = [];
  for (let now = schedule.deadline(); now !== undefined && now <= at(end); now = schedule.deadline()) {
    schedule.timeout(now);
    for (const effect of schedule.take()) {
      seen.push(`${effect.id}@${now / 1e6}`);
      schedule.handle({ type: 'ended', id: effect.id, again: { type: 'period' } }, now);
    }
  }
  return seen;
}

test('first starts are spread over the warm-up, and each keeps its phase', () => {
  const schedule = new Schedule();
  schedule.handle({ type: 'configure', checks: checks(3, every(6, 3)) }, at(10));
  assert.equal(starts(schedule, 20), ['c0@10', 'c1@11', 'c2@12', 'c0@16', 'c1@17', 'c2@18']);
});

test('nothing starts before its time', () => {
  const schedule = new Schedule();
  schedule.handle({ type: 'configure', checks: checks(2, every(6)) }, at(0));
  schedule.timeout(at(0));
  assert.equal(schedule.take(), [{ type: 'start', id: 'c0' }]);
  schedule.timeout(instant(2_999_999));
  assert.equal(schedule.take(), []);
  assert.is(schedule.deadline(), at(3));
});

test('a retry comes after its delay, the next turn at its old phase', () => {
  const schedule = new Schedule();
  schedule.handle({ type: 'configure', checks: checks(1, every(6)) }, at(0));
  schedule.timeout(at(0));
  schedule.handle({ type: 'ended', id: 'c0', again: { type: 'retry', delay: seconds(1) } }, at(2));
  assert.is(schedule.deadline(), at(3));
  schedule.timeout(at(3));
  schedule.handle({ type: 'ended', id: 'c0', again: { type: 'period' } }, at(3));
  assert.is(schedule.deadline(), at(6));
});

test('a check that takes longer than its period misses turns; it never runs twice at a time', () => {
  const schedule = new Schedule();
  schedule.handle({ type: 'configure', checks: checks(1, every(2)) }, at(0));
  schedule.timeout(at(0));
  assert.is(schedule.deadline(), undefined);
  schedule.handle({ type: 'ended', id: 'c0', again: { type: 'period' } }, at(5));
  assert.is(schedule.deadline(), at(6));
});

test('beyond the limit the longest due waits first, for an end and not for a time', () => {
  const schedule = new Schedule(2);
  schedule.handle({ type: 'configure', checks: checks(4, every(4)) }, at(0));
  schedule.timeout(at(100));
  assert.equal(
    schedule.take().map((effect) => effect.id),
    ['c0', 'c1'],
  );
  assert.is(schedule.deadline(), undefined);
  schedule.handle({ type: 'ended', id: 'c1', again: { type: 'period' } }, at(100));
  assert.ok((schedule.deadline() ?? Number.POSITIVE_INFINITY) <= at(100));
  schedule.timeout(at(100));
  assert.equal(
    schedule.take().map((effect) => effect.id),
    ['c2'],
  );
});

test('a stall does not bunch the checks for ever', () => {
  const schedule = new Schedule();
  schedule.handle({ type: 'configure', checks: checks(3, every(6)) }, at(0));
  starts(schedule, 12);
  schedule.timeout(at(100));
  for (const { id } of schedule.take())
    schedule.handle({ type: 'ended', id, again: { type: 'period' } }, at(100));
  assert.equal(starts(schedule, 108), ['c0@102', 'c1@104', 'c2@106', 'c0@108']);
});

test('a reload keeps what stays, spreads what is new, aborts what runs and is gone', () => {
  const schedule = new Schedule();
  schedule.handle({ type: 'configure', checks: checks(2, every(6)) }, at(0));
  schedule.timeout(at(0));
  schedule.take();
  const timing = every(6);
  const next = new Map([
    ['c1', timing],
    ['new', timing],
  ]);
  schedule.handle({ type: 'configure', checks: next }, at(1));
  assert.equal(schedule.take(), [{ type: 'abort', id: 'c0' }]);
  assert.is(schedule.running, 0);
  assert.equal(starts(schedule, 9), ['new@1', 'c1@3', 'new@7', 'c1@9']);
});

test('an end that nobody started is a defect of ours', () => {
  const schedule = new Schedule();
  assert.throws(
    () => schedule.handle({ type: 'ended', id: 'x', again: { type: 'period' } }, at(0)),
    (error: unknown) => error instanceof InvariantError,
  );
});

test('the queue gives back the earliest of any history of changes', () => {
  const change = fc.record({
    id: fc.integer({ min: 0, max: 20 }).map(String),
    due: fc.option(fc.integer({ min: 0, max: 50 })),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const queue = new DueQueue();
      const model = new Map<string, number>();
      for (const { id, due } of changes) {
        if (due === null) {
          queue.remove(id);
          model.delete(id);
        } else {
          queue.set(id, instant(due));
          model.set(id, due);
        }
        assert.is(queue.size, model.size);
        assert.is(queue.next(), model.size === 0 ? undefined : Math.min(...model.values()));
      }
      const order: number[] = [];
      for (let item = queue.shift(instant(50)); item !== undefined; item = queue.shift(instant(50))) {
        assert.is(item.due, model.get(item.id));
        order.push(item.due);
      }
      assert.equal(
        order,
        Array.from(model.values()).toSorted((a, b) => a - b),
      );
    }),
  );
});

test.run();
