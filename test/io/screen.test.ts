import { styleText } from 'node:util';
import * as assert from 'uvu/assert';
import { aligned, cut, lasting, paint } from '../../src/io/screen.ts';
import { suite } from '../suite.ts';

const test = suite('the screen');

test('columns are as wide as their widest cell; the last is not padded', () => {
  const rows = [
    ['NAME', 'STATE', 'WHY'],
    ['a', 'BACKUP', 'it is so'],
    ['longer', 'UP', ''],
  ];
  assert.equal(aligned(rows, '  '), ['  NAME    STATE   WHY', '  a       BACKUP  it is so', '  longer  UP']);
  assert.equal(aligned([]), []);
});

test('colours take no room', () => {
  const red = styleText('red', 'x', { validateStream: false });
  assert.ok(red.length > 1);
  assert.equal(
    aligned([
      [red, '1'],
      ['abc', '2'],
    ]),
    [`${red}    1`, 'abc  2'],
  );
});

test('rows may be of different lengths', () => {
  assert.equal(aligned([['one'], ['a', 'b']]), ['one', 'a    b']);
});

test('a line is cut to the width of the terminal, and its styles end all the same', () => {
  const red = styleText('red', 'abcdef', { validateStream: false });
  assert.is(cut(`${red}gh`, 4), styleText('red', 'abcd', { validateStream: false }));
  assert.is(cut(`x${red}`, 40), `x${red}`);
});

test('a pipe gets no colours', () => {
  assert.is(process.stdout.isTTY === true, false);
  assert.is(paint('red', 'x'), 'x');
});

test('lasting is the two largest units', () => {
  const said = [-1, 0.9, 59, 60, 312, 3600, 7384, 86400, 273600].map(lasting);
  assert.equal(said, [
    '0 s',
    '0 s',
    '59 s',
    '1 min 0 s',
    '5 min 12 s',
    '1 h 0 min',
    '2 h 3 min',
    '1 d 0 h',
    '3 d 4 h',
  ]);
});

test.run();
