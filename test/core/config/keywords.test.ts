import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { root } from '../../../src/core/config/grammar/root.ts';
import { type KeywordEntry, keywordsOf } from '../../../src/core/config/keywords.ts';
import { suite } from '../../suite.ts';

const VECTOR = join(import.meta.dirname, '../../../../test/vectors/keepalived-keywords.txt');

/** keepalived's keywords as `BLOCK KEYWORD`, without the block for those outside all. */
function theirs(): string[] {
  let block = '';
  return readFileSync(VECTOR, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      if (line.startsWith('  '))
        return line
          .trim()
          .split(' ')
          .map((name) => `${block} ${name}`.trim());
      block = line.replace(/:$/, '').replace('outside blocks', '');
      return [];
    });
}

const pathOf = ({ within, name }: KeywordEntry): string => [...within, name].join(' ');
const entries = keywordsOf(root);
const test = suite('the keyword tables');

test('every keyword of keepalived 2.4.3 is there, in its block', () => {
  const wanted = theirs();
  const known = new Set(entries.map(pathOf));
  assert.ok(wanted.length > 500);
  assert.equal(
    wanted.filter((path) => !known.has(path)),
    [],
  );
});

test('what keepalived does not know is marked as ours', () => {
  const known = new Set(theirs());
  const ours = entries.filter(({ spec }) => spec.ours === true).map(pathOf);
  const unknown = entries.map(pathOf).filter((path) => !known.has(path));
  assert.equal(unknown, ours);
});

test('an alias names a keyword of its own block', () => {
  const known = new Set(entries.map(pathOf));
  const lost = entries.filter(({ within, spec }) => {
    return spec.alias !== undefined && !known.has([...within, spec.alias].join(' '));
  });
  assert.equal(lost.map(pathOf), []);
});

test('what is not acted on says why, and the count is known', () => {
  const counted = new Map<string, number>();
  for (const { status, why } of entries) {
    counted.set(status, (counted.get(status) ?? 0) + 1);
    assert.is(why === undefined, status === 'works');
  }
  const text = Array.from(counted, ([status, n]) => `${n} ${status}`).join(', ');
  console.log(`\n  ${entries.length} keywords: ${text}; vipkeeper keywords lists them`);
  assert.ok((counted.get('works') ?? 0) > 0);
});

test.run();
