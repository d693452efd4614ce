import * as assert from 'uvu/assert';
import { Findings } from '../../../src/core/config/findings.ts';
import { lexLine, lexQuoted, stripComment, type Token } from '../../../src/core/config/lex.ts';
import type { Line } from '../../../src/core/config/source.ts';
import { suite } from '../../suite.ts';

const lineOf = (text: string): Line => ({ file: { name: 'f' }, number: 1, written: text, text, pieces: [] });

/** The words and braces of a line, as `text` or `kind`, with 0-based columns. */
function words(text: string): string[] {
  const tokens: Token[] = [];
  lexLine(lineOf(stripComment(text).text), tokens, new Findings());
  return tokens.map((token) => token.text);
}

function quoted(text: string): string[] {
  return lexQuoted({ line: lineOf(text), start: 0, end: text.length }, new Findings()).map(
    (token) => token.text,
  );
}

const test = suite('lex');

test('# and ! begin a comment, also within a word', () => {
  assert.equal(words('priority 100 # high'), ['priority', '100']);
  assert.equal(words('auth_pass p!x'), ['auth_pass', 'p']);
  assert.equal(words('! nothing'), []);
});

test('a comment sign is text in double quotes; single quotes do not protect it, and a backslash only in values', () => {
  assert.equal(words('auth_pass p\\!x\\#y'), ['auth_pass', 'p']);
  const fromValue: Token[] = [];
  lexLine(lineOf(stripComment('p\\!x\\#y', 'variable').text), fromValue, new Findings());
  assert.equal(
    fromValue.map(({ text }) => text),
    ['p!x#y'],
  );
  assert.equal(words('auth_pass "p!x#y"'), ['auth_pass', 'p!x#y']);
  assert.equal(words("auth_pass 'p!x'"), ['auth_pass', "'p"]);
});

test('double quotes group a word and know no escapes; what touches them is another word', () => {
  assert.equal(words('a "b c" d'), ['a', 'b c', 'd']);
  assert.equal(words('a"b c"d'), ['a', 'b c', 'd']);
  assert.equal(words('"a\\n" \'b c\''), ['a\\n', "'b", "c'"]);
});

test('braces outside quotes are tokens wherever they stand', () => {
  assert.equal(words('vrrp_instance V{'), ['vrrp_instance', 'V', '{']);
  assert.equal(words('a{b}c "{d}"'), ['a', '{', 'b', '}', 'c', '{d}']);
});

test('a quote that is not closed is an error at the quote, and the rest of the line one word', () => {
  const findings = new Findings();
  const tokens: Token[] = [];
  lexLine(lineOf('router_id "lb1 {'), tokens, findings);
  assert.equal(
    tokens.map((token) => token.text),
    ['router_id', 'lb1 {'],
  );
  assert.equal(findings.all()[0]?.at.column, 11);
});

test('tokens know their columns', () => {
  const tokens: Token[] = [];
  lexLine(lineOf('\tlb_algo  wlc{'), tokens, new Findings());
  assert.equal(
    tokens.map(({ start, end }) => [start, end]),
    [
      [1, 8],
      [10, 13],
      [13, 14],
    ],
  );
});

test('script keywords: both quotes group and may touch text', () => {
  assert.equal(quoted(` "/bin/a b" 'c "d' e"f g"h`), ['/bin/a b', 'c "d', 'ef gh']);
});

test('script keywords: escapes', () => {
  assert.equal(quoted('a\\ b \\x41\\x7A \\101\\0612 \\t\\n\\E \\cC \\q'), [
    'a b',
    'Az',
    'A12',
    '\t\n\x1b',
    '\x03',
    'q',
  ]);
});

test.run();
