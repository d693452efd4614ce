import * as assert from 'uvu/assert';
import type { Got } from '../../../../src/core/sync/bulk/events.ts';
import { gotLine } from '../../../../src/core/sync/bulk/lines.ts';
import { millis } from '../../../../src/core/time.ts';
import { suite } from '../../../suite.ts';

const test = suite('words of bulk copies');

const GOT: Got = {
  from: 'a',
  outcome: 'complete',
  connections: 500,
  records: 500,
  datagrams: 13,
  missing: 0,
  lacks: { marks: 0, sequences: 0, left: 0 },
  took: millis(900),
};
const line = (more: Partial<Got>): string => {
  const { level, message } = gotLine({ ...GOT, ...more });
  return `${level} ${message.replace('bulk copy of the connection table from a: ', '')}`;
};

test('a complete copy', () =>
  assert.is(line({}), 'notice complete: 500 connections, 500 records in 13 datagrams, 0.9 s'));

test('one that broke off says that it is not all, also when we became master by it', () => {
  const rest = '(what had come until then is here, the rest is not): 37 records in 1 datagram, 0.9 s';
  const half = { connections: 0, records: 37, datagrams: 1 };
  assert.is(line({ ...half, outcome: 'silent' }), `warning the other director fell silent ${rest}`);
  assert.is(line({ ...half, outcome: 'stopped' }), `warning given up, as the role has changed ${rest}`);
  const early = line({ ...half, records: 0, datagrams: 0, outcome: 'silent' });
  assert.match(early, /is not\): 0\.9 s$/, 'it has not said what it has sent');
});

test('what is missing, and what no copy carries', () =>
  assert.match(
    line({ outcome: 'missing', missing: 3, lacks: { marks: 1, sequences: 2, left: 4 } }),
    /^warning 3 missing: .*; 4 connections of no service .*; 1 with a firewall mark .*; 2 of FTP/,
  ));

test.run();
