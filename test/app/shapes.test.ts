import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ROLES } from '../../src/app/messages.ts';
import { fromChild, request, toChild } from '../../src/app/shapes.ts';
import type { Shape } from '../../src/core/shape.ts';
import { repetitions } from '../repetitions.ts';
import { suite } from '../suite.ts';

const shapes = suite('messages where they come in');

const SHAPES: readonly (readonly [string, Shape])[] = [
  ['a request of an operator', request],
  ...ROLES.flatMap((role) => [
    [`from ${role}`, fromChild(role)] as const,
    [`to ${role}`, toChild[role]] as const,
  ]),
];

/** Almost right: a known kind, with fields of any sort. */
const WORDS = [
  'log',
  'ready',
  'notify',
  'fence',
  'etcd',
  'state',
  'recording',
  'configure',
  'track',
  'role',
  'drain',
];
const almost = fc.dictionary(
  fc.constantFrom(
    'state',
    'happening',
    'director',
    'word',
    'lines',
    'events',
    'configuration',
    'server',
    'at',
  ),
  fc.anything(),
);
const junk = fc.oneof(
  fc.anything(),
  fc.jsonValue(),
  fc.tuple(fc.constantFrom(...WORDS), almost).map(([word, rest]) => ({ ...rest, type: word, verb: word })),
);

for (const [name, shape] of SHAPES)
  shapes(`${name}: junk is refused in words, and nothing is thrown`, () => {
    fc.assert(
      fc.property(junk, (value) => {
        const wrong = shape(value);
        assert.ok(wrong === undefined || /wanted$/.test(wrong), wrong);
      }),
      { numRuns: repetitions(500, 20_000) },
    );
    for (const value of [undefined, null, 5, 'log', [], {}, { type: 'nothing', verb: 'nothing' }])
      assert.ok(shape(value) !== undefined, JSON.stringify(value));
  });

shapes('what a process says of itself, cast until now', () => {
  const check = fromChild('check');
  const state = { type: 'state', dropped: 0, refused: 0 };
  assert.is(check({ ...state, state: { detailed: false, services: [] } }), undefined);
  assert.is(check({ ...state, state: {} }), '.state.detailed: true or false is wanted');
  assert.is(
    fromChild('vrrp')({ ...state, state: { names: ['a'], instances: [{ name: 'a' }] } }),
    '.state.instances[0].state: a text is wanted',
  );
  assert.is(check({ type: 'notify', happening: { of: 'host' } })?.startsWith('.happening.of: '), true);
});

shapes('requests of an operator', () => {
  for (const good of [
    { verb: 'status' },
    { verb: 'drain', server: '10.0.0.1', service: undefined, force: undefined, timeout: 5 },
    { verb: 'weight', server: '10.0.0.1:80', weight: null },
    { verb: 'fence-confirm', director: 'lb1' },
  ])
    assert.is(request(good), undefined, JSON.stringify(good));
  assert.is(request({ verb: 'maintenance', on: 'yes' }), '.on: true or false is wanted');
  assert.is(request({ verb: 'drain' }), '.server: a text is wanted');
  assert.is(request({ verb: 'drain', server: 5 }), '.server: a text is wanted');
  assert.is(request({ verb: 'weight', server: 'a', weight: {} }), '.weight: a number is wanted');
});

shapes.run();
