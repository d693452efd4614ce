import * as assert from 'uvu/assert';
import type { Survey } from '../../../../src/core/sync/health/events.ts';
import { alarmText, healthTexts, surveyText } from '../../../../src/core/sync/health/lines.ts';
import { millis } from '../../../../src/core/time.ts';
import { suite } from '../../../suite.ts';

const test = suite('words of sync health');

const SURVEY: Survey = {
  from: 'a',
  connections: 1200,
  sampled: 600,
  missing: 9,
  late: 3,
  took: millis(1234),
};

test('a survey', () => {
  assert.is(
    surveyText(SURVEY),
    '98.5 % of 1200 connections of a are here, 9 of 600 compared are missing, 3 came within seconds',
  );
  assert.is(surveyText({ ...SURVEY, missing: 0, late: 0 }), '100 % of 1200 connections of a are here');
  assert.match(
    surveyText({ ...SURVEY, connections: 1, sampled: 9999, missing: 1 }),
    /^99\.9 % of 1 connection of/,
  );
  assert.match(surveyText({ ...SURVEY, connections: 0, sampled: 0, missing: 0 }), /^100 % of 0 connections/);
});

test('an alarm, with its cause', () => {
  assert.is(
    alarmText({ ...SURVEY, missing: 90, late: 0 }, 5, { kind: 'deaf', text: 'none came' }),
    'a failover now would lose more than 5 % of connections: 85 % of 1200 connections of a are here, ' +
      '90 of 600 compared are missing; none came',
  );
});

test('lines of the status: what is bad, and what not', () => {
  const survey = { ...SURVEY, coverage: 98.5, at: 0 };
  const lines = (more: object) =>
    healthTexts({ limit: 5, alarm: false, unanswered: false, told: [], ...more }, () => 'now').map(
      ({ text, isBad }) => `${isBad ? '! ' : ''}${text}`,
    );
  assert.equal(lines({}), []);
  assert.match(lines({ survey }).join(), /^98\.5 % .*\(now, in 1\.2 s\)$/);
  assert.match(lines({ alarm: true, unanswered: true }).join(), /^! alarm: .*,! no master answers/);
  assert.match(lines({ datagrams: { sent: 9, heard: 8, lost: 1 } }).join(), /: 9 sent, 8 came, 1 lost$/);
  assert.equal(lines({ cause: { kind: 'loss', text: 'some are lost' } }), ['! some are lost']);
  const told = [94, 96, null].map((coverage) => ({ director: 'b', coverage, at: 0 }));
  assert.equal(lines({ told }), [
    '! b has 94 % of connections (now)',
    'b has 96 % of connections (now)',
    'b has not compared yet (now)',
  ]);
});

test.run();
