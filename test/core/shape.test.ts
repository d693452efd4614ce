import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fields, kinds, listOf, number, oneOf, orNull, record, text, truth } from '../../src/core/shape.ts';
import { suite } from '../suite.ts';

const shape = suite('shape');

shape('says where something is wrong, and what is wanted there', () => {
  const person = fields({ name: text, tall: truth }, { age: orNull(number), state: oneOf('up', 'down') });
  const both = kinds('type', { one: person, all: fields({ all: listOf(person) }) });
  const good = { name: 'a', tall: true };
  assert.is(both({ type: 'one', ...good }), undefined);
  assert.is(both({ type: 'one', ...good, age: null, state: 'up', more: 1 }), undefined);
  assert.is(both({ type: 'all', all: [good, good] }), undefined);
  assert.is(both({ type: 'all', all: [good, { name: 1, tall: true }] }), '.all[1].name: a text is wanted');
  assert.is(both({ type: 'all', all: good }), '.all: a list is wanted');
  assert.is(both({ type: 'one', name: 'a' }), '.tall: true or false is wanted');
  assert.is(both({ type: 'one', ...good, age: '1' }), '.age: a number is wanted');
  assert.is(both({ type: 'one', ...good, state: 'left' }), '.state: up or down is wanted');
  assert.is(both({ type: 'two' }), '.type: one or all is wanted');
  assert.is(both([]), ': an object is wanted');
  assert.is(both(null), ': an object is wanted');
});

shape('what an object inherits is not its own', () => {
  assert.is(kinds('type', {})({ type: 'constructor' }), '.type:  is wanted');
  assert.is(fields({ toString: record })({}), '.toString: an object is wanted');
  assert.is(number(Number.NaN), ': a number is wanted');
});

shape('never throws, and wants for no more than was asked', () => {
  const any = kinds('type', { a: fields({ b: listOf(fields({ c: text })) }, { d: number }) });
  fc.assert(fc.property(fc.anything(), (value) => void any(value)));
  const good = fc.record({ type: fc.constant('a'), b: fc.array(fc.record({ c: fc.string() })) });
  fc.assert(fc.property(good, (value) => any(value) === undefined));
});

shape.run();
