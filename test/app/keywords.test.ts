import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { keywordsText } from '../../src/app/operator/keywords.ts';
import { EXAMPLES } from '../../src/core/config/manual.ts';
import { findings } from '../core/config/memory.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';

const test = suite('keywords');
const PAGE = join(ROOT, 'man/vipkeeper.conf.5');

test('the committed manual page is what the tables say: npm run manual makes it', () => {
  assert.ok(readFileSync(PAGE, 'utf8') === keywordsText(undefined, { manual: true }));
});

test('the examples are whole: nothing is to be said of them', () => {
  assert.is(EXAMPLES.length, 3);
  for (const { text, what } of EXAMPLES) assert.equal(findings(text), [], what);
});

test('every keyword is in it', () => {
  const page = readFileSync(PAGE, 'utf8').replaceAll('\\-', '-');
  const rows = JSON.parse(keywordsText(undefined, { json: true })) as { readonly name: string }[];
  assert.ok(rows.length > 500);
  const absent = rows.filter(
    ({ name }) => ![`\\fB${name}`, `\n.B ${name}`].some((said) => page.includes(said)),
  );
  assert.equal(absent, []);
});

test('a word finds a keyword, or a block with all that it holds', () => {
  assert.match(
    keywordsText('nopreempt', {}),
    /^vrrp_instance: nopreempt\n {4}do not take over from a lower priority\n {4}works\n$/,
  );
  assert.match(keywordsText('bfd_instance', {}), /bfd_instance: min_rx MS/);
});

test.run();
