// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the language under test has ${NAME} of its own

import * as assert from 'uvu/assert';
import { expand } from '../../../src/core/config/expand.ts';
import { Findings } from '../../../src/core/config/findings.ts';
import { expandBraces } from '../../../src/core/config/include.ts';
import { locate } from '../../../src/core/config/source.ts';
import { suite } from '../../suite.ts';
import { memoryReader } from './memory.ts';

const environment = {
  configId: 'me',
  variable: (name: string) => (name === 'HOST' ? 'lb1' : undefined),
  seed: 7,
};
type Files = Readonly<Record<string, string>>;

function run(text: string, files: Files = {}, allIncludes = false) {
  const findings = new Findings();
  const options = { reader: memoryReader(files), environment, allIncludes };
  const { lines } = expand([{ name: '/etc/main.conf', text }], options, findings);
  return {
    lines,
    found: findings.all().map((d) => `${d.severity} ${d.at.line}:${d.at.column} ${d.message}`),
  };
}
/** The text that is left, and that there is nothing to complain about. */
function texts(text: string, files: Files = {}): string[] {
  const { lines, found } = run(text, files);
  assert.equal(found, []);
  return lines.map((line) => line.text.trim());
}

const test = suite('expand');

test('blank lines, comments and carriage returns are gone', () => {
  assert.equal(texts('a 1\r\n\n  # x\n! y\nb 2 # z'), ['a 1', 'b 2']);
});

test('$NAME is replaced before a blank, comma, bracket or the end; ${NAME} anywhere, also in quotes', () => {
  assert.equal(texts('$IF=eth0\ninterface $IF\na $IF,$IF) x${IF}y "z ${IF}"'), [
    'interface eth0',
    'a eth0,eth0) xeth0y "z eth0"',
  ]);
});

test('values are expanded when used, and the last definition before the use counts', () => {
  assert.equal(texts('$A=$B\n$B=1\nx $A\n$B=2\nx $A\n$A=\nx ${A}y'), ['x 1', 'x 2', 'x y']);
});

test('a value of several lines, last on its line', () => {
  assert.equal(texts('$AUTH=authentication {\\\n  auth_type PASS\\\n  }\n$AUTH\nb $AUTH'), [
    'authentication {',
    'auth_type PASS',
    '}',
    'b authentication {',
    'auth_type PASS',
    '}',
  ]);
  assert.match(run('$A=b\\\nc\n$A d').found.join(), /several lines: it must stand last/);
});

test('predefined variables', () => {
  assert.equal(texts('a ${_INSTANCE} ${_PWD} ${_ENV HOST} x${_ENV NONE}'), ['a me /etc lb1 x']);
  assert.equal(texts('a x${_HASH}y${_BANG}'), ['a x']);
  assert.equal(texts('a "x${_HASH}y"'), ['a "x#y"']);
  assert.equal(texts('a ${_RANDOM 5 5} ${_RANDOM 9 3}'), ['a 5 9']);
  const drawn = Number(texts('${_RANDOM}')[0]);
  assert.ok(drawn >= 0 && drawn <= 32_767);
});

test('random_seed: the same is drawn below it, also in another load', () => {
  const draw = (seed: number) => texts(`random_seed ${seed}\na ${'${_RANDOM} '.repeat(9)}`)[1];
  assert.is(draw(7), draw(7));
  assert.is.not(draw(7), draw(8));
  const [, first, , again] = texts('random_seed 7\na ${_RANDOM}\nrandom_seed 7\na ${_RANDOM}');
  assert.is(first, again);
});

test('an undefined name: ${X} is an error, $X a warning, and both are a shell matter in quotes', () => {
  assert.equal(run('a ${X} b').found, ['error 1:3 $X is not defined']);
  assert.equal(run('a $X').found, ['warning 1:3 $X is not defined: it stays as text']);
  assert.equal(texts('notify "sh -c ${X}"'), ['notify "sh -c ${X}"']);
  assert.match(run('$N=1\na 10.0.0.$N/24').found.join(), /2:10 \$N is not replaced within a word/);
});

test('a variable that refers to itself, or doubles itself, is an error and ends', () => {
  assert.match(run('$A=$A\nx $A').found.join(), /refers to itself/);
  assert.match(
    run(`$A=${'x'.repeat(999)}\na ${'${A}'.repeat(70)}`).found.join(),
    /more than 65536 characters/,
  );
  const doubling = Array.from({ length: 30 }, (_, i) => `$V${i + 1}=\${V${i}}\${V${i}}`).join('\n');
  assert.match(run(`$V0=xx\n${doubling}\na \${V30}`).found.join(), /refers to itself, or nests too deeply/);
});

test('what a variable gave is located at its reference', () => {
  const { lines } = run('$IF=interface0\n  dev $IF here');
  const [line] = lines;
  assert.ok(line);
  const value = locate({
    line,
    start: line.text.indexOf('interface0'),
    end: line.text.indexOf('interface0') + 10,
  });
  assert.equal([value.at.line, value.at.column, value.length], [2, 7, 3]);
  const here = locate({ line, start: line.text.indexOf('here'), end: line.text.length });
  assert.equal([here.at.column, here.length], [11, 4]);
});

test('@id keeps a line for one director, @^id for the others', () => {
  assert.equal(texts('@me a\n@you b\n@^me c\n@^you d\n@me $X=1\n@you $X=2\nx $X'), ['a', 'd', 'x 1']);
  assert.match(run('@me').found.join(), /nothing follows the condition/);
});

test('~SEQ counts up, down, by steps, in hexadecimal, and nests', () => {
  assert.equal(texts('~SEQ(n, 3) a $n'), ['a 1', 'a 2', 'a 3']);
  assert.equal(texts('~SEQ(n, 2, -2, -2) a ${n}'), ['a 2', 'a 0', 'a -2']);
  assert.equal(texts('~SEQ(n, -2) a $n'), ['a -1', 'a -2']);
  assert.equal(texts('~SEQx(n, 9, 0xb) a$n x${n}'), ['a9 x9', 'aa xa', 'ab xb']);
  assert.equal(texts('$TOP=2\n~SEQ(a, $TOP) ~SEQ(b, $a) ${a}.${b}'), ['1.1', '2.1', '2.2']);
});

test('~LST walks lists and tuples', () => {
  assert.equal(texts('~LST(v, x, y) a $v'), ['a x', 'a y']);
  assert.equal(texts('~LST({a,b}, {1,2}, {3}) ${a}-${b}'), ['1-2', '3-']);
});

test('a generator that makes no sense is an error', () => {
  for (const line of [
    '~SEQ(n, 1, 0, 5) a',
    '~SEQ(n) a',
    '~SEQ(1, 2) a',
    '~SEQ(n, 1, 9999999) a',
    '~SEQ n',
    '~FOO(a) b',
    '~LST({a}, {1,2}) c',
  ]) {
    const { found, lines } = run(line);
    assert.is(found.length, 1, line);
    assert.is(lines.length, 0);
  }
});

test('include: relative to the including file, nested, with globs and braces, in order', () => {
  const files = {
    '/etc/d/b.conf': 'b',
    '/etc/d/a.conf': 'a\ninclude sub/c.conf',
    '/etc/d/sub/c.conf': 'c',
    '/etc/x1': 'x1',
    '/etc/x2': 'x2',
  };
  assert.equal(texts('include d/*.conf\ninclude x{2,1}\nend', files), ['a', 'c', 'b', 'x2', 'x1', 'end']);
});

test('an included line keeps its own file and number, and says what included it', () => {
  const { lines } = run('\ninclude a', { '/etc/a': '\n\ninclude b', '/etc/b': 'x' });
  const [line] = lines;
  assert.is(line?.file.name, '/etc/b');
  assert.is(line?.number, 1);
  assert.equal([line?.file.includedFrom?.file.name, line?.file.includedFrom?.line], ['/etc/a', 3]);
  assert.equal(line?.file.includedFrom?.file.includedFrom?.line, 2);
});

test('an include that gives nothing: a warning, with checks an error', () => {
  const severity = (line: string, all = false): string =>
    run(line, {}, all)
      .found.map((f) => f.split(' ')[0])
      .join();
  assert.is(severity('include gone'), 'warning');
  assert.is(severity('includer gone'), 'error');
  assert.is(severity('include gone', true), 'error');
  assert.is(severity('include gone/*'), 'warning');
  assert.is(severity('includem gone/*'), 'warning');
  assert.is(severity('includew gone/*'), 'error');
  assert.is(severity('includeb {a,b}'), 'error,error');
  assert.is(severity('include "gone"'), 'warning');
});

test('files that include each other, nest or fan out without end: an error', () => {
  const cycle = run('include a', { '/etc/a': 'include b', '/etc/b': 'x\ninclude a' });
  assert.equal(cycle.found, ['error 2:9 /etc/a includes itself']);
  const chain = (times: number, text: string) =>
    Object.fromEntries(
      Array.from({ length: times }, (_, i) => [`/etc/f${i}`, text.replaceAll('N', `f${i + 1}`)]),
    );
  assert.match(run('include f0', chain(40, 'include N')).found.join(), /nest more than 32 deep/);
  assert.match(
    run('include f0', chain(20, 'include N\ninclude N')).found.at(-1) ?? '',
    /more than 10000 files/,
  );
});

test('what a variable gave is read as a line again, and a generator leaves its variable', () => {
  assert.equal(texts('$NODE=@you\n$NODE a\n$NODE=@me\n$NODE b'), ['b']);
  assert.equal(texts('~LST(v, 1, 2) a $v\nb $v'), ['a 1', 'a 2', 'b 2']);
});

test('\\# is a comment, a comment before a \\ a doubt, and a lost \\ is said', () => {
  assert.equal(run('a b\\#c').found, ["warning 1:4 \\# begins a comment, as in keepalived's processes"]);
  assert.equal(run('$A=x \\\n# y \\\nz\n$A').found, ['warning 2:5 a comment stands before this \\']);
  assert.equal(run('a 1 \\\nb').found, ['warning 1:5 this \\ continues nothing: it has no effect']);
});

test('a byte order mark is a warning, and an unfilled template one error', () => {
  const { lines, found } = run('\ufeffa b');
  assert.equal([lines[0]?.text.trim(), found.length], ['a b', 1]);
  assert.match(found.join(), /warning 1:1 a byte order mark/);
  const template = run('a {{ x.y }} {{ z }}\n{% if b %}\nc {{ d }} {\n{% endif %}\n}');
  assert.equal(template.found, ['error 1:3 this looks like an unfilled template']);
  assert.equal(texts('a "docker inspect -f \'{{.State}}\'"'), ['a "docker inspect -f \'{{.State}}\'"']);
});

test('${_PWD} is absolute, also of a file in the working folder', () => {
  const found = new Findings();
  const options = {
    reader: memoryReader({ '/home/sub/x': 'x ${_PWD}' }),
    environment: { ...environment, folder: '/home' },
    allIncludes: false,
  };
  const read = (name: string, text: string): string[] =>
    expand([{ name, text }], options, found).lines.map((line) => line.text);
  assert.equal(read('sub/k.conf', 'include ${_PWD}/x'), ['x /home/sub']);
  assert.equal(read('k.conf', 'a ${_PWD}'), ['a /home']);
  assert.equal(found.all(), []);
});

test('the files of a pattern are one text', () => {
  const options = { reader: memoryReader({}), environment, allIncludes: false };
  const files = [
    { name: 'a', text: '$X=1' },
    { name: 'b', text: 'a $X' },
  ];
  assert.equal(
    expand(files, options, new Findings()).lines.map((line) => line.text),
    ['a 1'],
  );
});

test('csh braces', () => {
  assert.equal(expandBraces('a{b,c{d,e}}f{g,h}'), ['abfg', 'abfh', 'acdfg', 'acdfh', 'acefg', 'acefh']);
  assert.equal(expandBraces('a{b'), ['a{b']);
  assert.is(expandBraces('{a,b}'.repeat(40)).length <= 1000, true);
});

test('a NUL byte is an error, an overlong line a warning', () => {
  assert.match(run('a\0b').found.join(), /error 1:1 .*NUL/);
  assert.match(run(`a ${'x'.repeat(2000)}`).found.join(), /warning 1:1024/);
});

test.run();
