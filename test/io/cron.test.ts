import * as assert from 'uvu/assert';
import { parseTime, seconds } from '../../src/core/time.ts';
import { Calendar, calendarFault } from '../../src/io/cron.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

// Before the first date: Node asks for the zone then.
process.env.TZ = 'Europe/Berlin';
const test = suite('calendar of crontab');

/** The latest moment in `length` before `at`, in local time. */
function latest(cron: string, at: string, length: string): string | undefined {
  const calendar = new Calendar(cron);
  const found = calendar.latest(new Date(at).getTime(), parseTime(length) ?? seconds(0));
  calendar.close();
  return found === undefined ? undefined : new Date(found).toISOString();
}

test('the latest moment that was, in the time zone of the host', () => {
  assert.is(latest('0 3 * * 0', '2026-11-22T03:30:00', '45m'), '2026-11-22T02:00:00.000Z');
  assert.is(latest('0 3 * * 0', '2026-11-22T03:44:59', '45m'), '2026-11-22T02:00:00.000Z');
  assert.is(latest('0 3 * * 0', '2026-11-22T03:45:00', '45m'), undefined);
  assert.is(latest('0 3 * * 0', '2026-11-22T02:59:59', '45m'), undefined);
  assert.is(latest('0 3 * * 0', '2026-11-23T02:00:00', '1d'), '2026-11-22T02:00:00.000Z');
  assert.is(latest('0 3 * * 0', '2026-11-28T12:00:00', '7d'), '2026-11-22T02:00:00.000Z');
});

test('of several moments the latest; seconds may come first', () => {
  assert.is(latest('0 */6 * * *', '2026-07-01T13:00:00', '12h'), '2026-07-01T10:00:00.000Z');
  assert.is(latest('*/10 * * * * *', '2026-07-01T13:00:29.900', '15s'), '2026-07-01T11:00:20.000Z');
  assert.is(latest('30 0 12 * * *', '2026-07-01T12:00:29', '1m'), undefined);
});

test('days by their number, their name and their place in the month', () => {
  assert.is(latest('0 12 L * *', '2026-03-01T12:00:00', '2d'), '2026-02-28T11:00:00.000Z');
  assert.is(latest('0 12 * * tue#2', '2026-09-09T12:00:00', '3d'), '2026-09-08T10:00:00.000Z');
  assert.is(latest('@daily', '2026-09-09T12:00:00', '3d'), '2026-09-08T22:00:00.000Z');
});

test('the nights when clocks are changed', () => {
  assert.is(latest('0 1 * * *', '2026-03-29T04:00:00', '4h'), '2026-03-29T00:00:00.000Z');
  assert.is(latest('0 1 * * *', '2026-10-25T04:00:00', '5h'), '2026-10-24T23:00:00.000Z');
  assert.is(latest('30 2 * * *', '2026-03-29T04:00:00', '2h'), undefined);
});

test('what is wrong is said of the word that it is', () => {
  assert.is(calendarFault('*/5 3 * jan,feb mon-fri'), undefined);
  assert.equal(calendarFault('0 33 * * 0'), { problem: "'33' is no hour", word: '33' });
  assert.equal(calendarFault('0 3 * * nonday'), { problem: "'nonday' is no day of week", word: 'nonday' });
  assert.match(calendarFault('0 3 30 2 *')?.problem ?? '', 'impossible');
  assert.equal(calendarFault('0 3 *'), { problem: 'expected 5 or 6 fields but got 3' });
  for (const text of ['', ' ', '\u0000', '* * * * * * *', '0 3 * * 0/0', '9'.repeat(1000)])
    assert.ok(calendarFault(text), JSON.stringify(text));
});

test('a moment is told of when it comes', async () => {
  const told: number[] = [];
  const calendar = new Calendar('* * * * * *', (at) => told.push(at));
  const at = await eventually(() => told[0], 'the next second');
  assert.is(at % 1000, 0);
  calendar.close();
});

test.run();
