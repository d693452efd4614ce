import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import type { Section } from './result.ts';
import { COLOURED, heading, PLAIN, table } from './table.ts';

const SECTION: Section = {
  title: 'Crash of the master',
  note: 'n = 3',
  load: { pressure: 0.05, steal: 0, idle: 0.9 },
  rows: [
    {
      label: 'lateness of the VIP',
      unit: 'ms',
      samples: { vipkeeper: [1.5, 0.9, 1.1], keepalived: [0.5, 0.44, 0.6] },
      target: { text: 'keepalived + 1 ms', met: (ours, theirs) => ours < theirs + 1 },
    },
    { label: 'adverts', unit: '', samples: { vipkeeper: [50], keepalived: [] } },
  ],
  failures: ['keepalived, run 2: it did not start'],
};

const tables = suite('tables of the bench');

tables('figures, ratios, targets, failures and the load, aligned', () => {
  const lines = table(PLAIN, SECTION).split('\n');
  assert.equal(lines, [
    '',
    'Crash of the master',
    '  lateness of the VIP, ms                       1.10 [0.90..1.50]      0.50 [0.44..0.60]   2.20' +
      '  keepalived + 1 ms: yes',
    '  adverts                                                      50                      -',
    '  failed: keepalived, run 2: it did not start',
    '  n = 3; CPUs 90 % idle, 0 % stolen, pressure 5 %',
  ]);
  const names = heading(PLAIN, { vipkeeper: 'vipkeeper 1.2.3', keepalived: 'keepalived 2.2.7' });
  assert.is(names.indexOf('keepalived 2.2.7') + 16, lines[2]?.indexOf('   2.20'));
});

tables('a terminal gets the same text in colours', () => {
  const coloured = table(COLOURED, SECTION);
  assert.match(coloured, '\u001b[32m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  assert.is(coloured.replace(/\u001b\[\d+m/g, ''), table(PLAIN, SECTION));
});

tables.run();
