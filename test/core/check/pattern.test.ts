import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { compilePattern, PatternError } from '../../../src/core/check/pattern.ts';
import { suite } from '../../suite.ts';

const test = suite('patterns');

const finds = (pattern: string, text: string, ...options: string[]): string | undefined =>
  compilePattern({ pattern, options }).exec(text)?.[0];

test("PCRE2's words in JavaScript's", () => {
  assert.is(finds('\\Aab\\z', 'ab'), 'ab');
  assert.is(finds('b\\Z', 'ab\n'), 'b');
  assert.is(finds('b$', 'ab\n'), 'b');
  assert.is(finds('b$', 'ab\n', 'dollar_endonly'), undefined);
  assert.is(finds('^b$', 'a\nb\nc', 'multiline'), 'b');
  assert.is(finds('[[:digit:]]+[[:space:]]', 'x12 '), '12 ');
  assert.is(finds('\\Qa.b\\E+', 'a.bb'), 'a.bb');
  assert.is(finds('(?i)AB', 'xab'), 'ab');
  assert.is(finds('(?P<n>a)(?P=n)', 'aa'), 'aa');
  assert.is(finds('a(?#remark)b', 'ab'), 'ab');
  assert.is(finds('a\\hb', 'a\tb'), 'a\tb');
  assert.is(finds('[]a]+', 'x]a'), ']a');
  assert.is(finds('a{2}', 'aaa'), 'aa');
  assert.is(finds('x{y', 'x{y'), 'x{y');
});

test('options', () => {
  assert.is(finds('AB', 'ab', 'caseless'), 'ab');
  assert.is(finds('a.b', 'a\nb'), undefined);
  assert.is(finds('a.b', 'a\nb', 'dotall'), 'a\nb');
  assert.is(finds('a  b # remark\n c', 'abc', 'extended'), 'abc');
  assert.is(finds('a+', 'aaa', 'ungreedy'), 'a');
  assert.is(finds('a+?', 'aaa', 'ungreedy'), 'aaa');
  assert.is(finds('b', 'a\nb', 'firstline'), undefined);
  assert.is(finds('a', 'a\nb', 'firstline'), 'a');
});

test('what has no counterpart is refused, with a reason', () => {
  for (const pattern of ['(?>a)', 'a++', '(?R)', '(?|a|b)', '(*UTF)', 'a\\Kb', '(', '[', 'a)', '*a']) {
    assert.throws(
      () => compilePattern({ pattern, options: [] }),
      (error: unknown) => error instanceof PatternError && error.message !== '',
      pattern,
    );
  }
});

test('any text compiles or is refused; nothing else happens', () => {
  const piece = fc.constantFrom(
    'a',
    '[',
    ']',
    '(',
    ')',
    '\\',
    '\\Q',
    '{2}',
    '{',
    '+',
    '?',
    '*',
    '$',
    '^',
    '(?',
    '[:alpha:]',
    '|',
    '.',
  );
  const options = fc.subarray(['caseless', 'extended', 'ungreedy', 'multiline', 'firstline', 'utf']);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 }),
      options,
      (pieces, set) => {
        try {
          compilePattern({ pattern: pieces.join(''), options: set });
        } catch (error) {
          assert.ok(error instanceof PatternError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test.run();
