import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { InvariantError } from '../../../src/core/assert.ts';
import { endpointName } from '../../../src/core/balance/model.ts';
import type { PoolEffect, PoolSettings } from '../../../src/core/balance/pool.ts';
import { Pool } from '../../../src/core/balance/pool.ts';
import { instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { SERVICE, server } from './samples.ts';

const test = suite('pool');

const name = (last: number): string => `10.0.1.${last}:80`;

const settings = (weights: number[], more: Partial<PoolSettings> = {}, inhibit = false): PoolSettings => ({
  services: [SERVICE],
  realServers: weights.map((weight, i) => ({ destination: server(i + 1, weight), inhibit })),
  quorum: 1,
  hysteresis: 0,
  ...more,
});

const pool = (s: PoolSettings): Pool => {
  const made = new Pool(s, new Map());
  made.take();
  return made;
};

/** The table entry as `ADDRESS:PORT=WEIGHT` words. */
const serving = (p: Pool): string =>
  p
    .entry(SERVICE)
    .destinations.map((d) => `${endpointName(d.address, d.port)}=${d.weight}`)
    .join(' ');

const set = (p: Pool, last: number, up: boolean): PoolEffect[] => {
  p.handle(
    { type: 'health', server: name(last), up, cause: up ? 'answers' : 'connection refused' },
    instant(0),
  );
  return p.take();
};

test('a server that is down is absent, and back when it is up', () => {
  const p = pool(settings([3, 2]));
  assert.is(serving(p), '10.0.1.1:80=3 10.0.1.2:80=2');
  set(p, 1, false);
  assert.is(serving(p), '10.0.1.2:80=2');
  set(p, 1, true);
  assert.is(serving(p), '10.0.1.1:80=3 10.0.1.2:80=2');
});

test('with inhibit_on_failure it stays with weight 0, from the start on', () => {
  const p = new Pool(settings([3, 2], {}, true), new Map([[name(1), { up: false, cause: 'alpha' }]]));
  assert.is(serving(p), '10.0.1.1:80=0 10.0.1.2:80=2');
  set(p, 1, true);
  assert.is(serving(p), '10.0.1.1:80=3 10.0.1.2:80=2');
});

test('a change says which server and why; what is known changes nothing', () => {
  const p = pool(settings([1, 1]));
  assert.equal(set(p, 1, false), [{ type: 'entries', cause: '10.0.1.1:80: connection refused' }]);
  assert.equal(set(p, 1, false), []);
});

test('the sorry server serves alone while the quorum is lost, also without servers that are up', () => {
  const p = pool(settings([1, 1, 1], { quorum: 2, sorry: server(9) }));
  set(p, 1, false);
  assert.is(serving(p), '10.0.1.2:80=1 10.0.1.3:80=1');
  const lost = set(p, 2, false).find((effect) => effect.type === 'quorum');
  assert.equal(lost, {
    type: 'quorum',
    service: 'tcp 10.0.0.1:80',
    held: false,
    weight: 1,
    threshold: 2,
    cause: '10.0.1.2:80: connection refused',
  });
  assert.is(serving(p), '10.0.1.9:80=1');
  set(p, 2, true);
  assert.is(serving(p), '10.0.1.2:80=1 10.0.1.3:80=1');
});

test('inhibited servers stay with weight 0 beside the sorry server, and the reverse', () => {
  const p = pool(settings([1, 1], { quorum: 2, sorry: server(9), sorryInhibit: true }, true));
  assert.is(serving(p), '10.0.1.1:80=1 10.0.1.2:80=1 10.0.1.9:80=0');
  set(p, 1, false);
  assert.is(serving(p), '10.0.1.9:80=1 10.0.1.1:80=0 10.0.1.2:80=0');
});

test('without a sorry server what is up goes on serving below the quorum', () => {
  const p = pool(settings([1, 1], { quorum: 2 }));
  set(p, 1, false);
  assert.is(p.held, false);
  assert.is(serving(p), '10.0.1.2:80=1');
});

test('hysteresis: lost below quorum - hysteresis, regained at quorum + hysteresis', () => {
  const p = pool(settings([1, 1, 1, 1, 1], { quorum: 3, hysteresis: 1, sorry: server(9) }));
  const held: boolean[] = [];
  for (const last of [1, 2, 3, 4]) {
    set(p, last, false);
    held.push(p.held);
  }
  assert.equal(held, [true, true, true, false]);
  held.length = 0;
  for (const last of [1, 2, 3, 4]) {
    set(p, last, true);
    held.push(p.held);
  }
  assert.equal(held, [false, false, true, true]);
});

test('a quorum that the weights cannot reach is lowered to them', () => {
  const p = pool(settings([1, 1], { quorum: 9, hysteresis: 9, sorry: server(9) }));
  assert.is(p.held, true);
  set(p, 1, false);
  assert.is(p.held, true, 'hysteresis 1 below quorum 2');
  set(p, 2, false);
  assert.is(p.held, false);
  set(p, 1, true);
  set(p, 2, true);
  assert.is(p.held, true);
});

test('servers of weight 0 alone make no quorum', () => {
  assert.is(serving(pool(settings([0], { sorry: server(9) }))), '10.0.1.9:80=1');
});

test('a sorry server that is also a real server is one destination', () => {
  const p = pool(settings([4, 1], { quorum: 3, sorry: server(1, 7), sorryInhibit: true }, true));
  assert.is(serving(p), '10.0.1.1:80=4 10.0.1.2:80=1');
  set(p, 1, false);
  assert.is(serving(p), '10.0.1.1:80=7 10.0.1.2:80=0');
});

test('a changed weight is in the entry and counts for the quorum', () => {
  const p = pool(settings([1, 1], { quorum: 2, sorry: server(9) }));
  p.handle({ type: 'weight', server: name(1), weight: 0, cause: 'drained' }, instant(0));
  assert.is(serving(p), '10.0.1.9:80=1');
});

test('an unknown server is a defect of ours', () => {
  assert.throws(
    () => set(pool(settings([1])), 7, false),
    (error: unknown) => error instanceof InvariantError,
  );
});

const history = fc.array(
  fc.record({
    last: fc.integer({ min: 1, max: 4 }),
    up: fc.boolean(),
    weight: fc.option(fc.integer({ min: 0, max: 5 })),
  }),
  { maxLength: 40 },
);
const anySettings = fc
  .record({
    weights: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 }),
    inhibit: fc.boolean(),
    quorum: fc.integer({ min: 1, max: 12 }),
    hysteresis: fc.integer({ min: 0, max: 6 }),
    sorry: fc.option(fc.boolean()),
  })
  .map(({ weights, inhibit, quorum, hysteresis, sorry }) =>
    settings(
      weights,
      { quorum, hysteresis, ...(sorry === null ? {} : { sorry: server(9, 8), sorryInhibit: sorry }) },
      inhibit,
    ),
  );

test('no order of results leaves a weight that no rule gives, and the last entry is the one in force', () => {
  fc.assert(
    fc.property(anySettings, history, (s, events) => {
      const p = new Pool(s, new Map());
      let last = p.take().some(({ type }) => type === 'entries') ? p.entry(SERVICE) : undefined;
      for (const { last: n, up, weight } of events) {
        const cause = 'drawn';
        if (weight === null) p.handle({ type: 'health', server: name(n), up, cause }, instant(0));
        else p.handle({ type: 'weight', server: name(n), weight, cause }, instant(0));
        if (p.take().some(({ type }) => type === 'entries')) last = p.entry(SERVICE);
        assert.equal(p.entry(SERVICE), last);
        const standing = new Map(p.servers().map((server) => [server.name, server]));
        for (const d of p.entry(SERVICE).destinations) {
          const of = standing.get(endpointName(d.address, d.port));
          if (of === undefined) assert.is(d.weight, p.sorry ? 8 : 0, 'the sorry server');
          else assert.is(d.weight, of.up && !p.sorry ? of.weight : 0, of.name);
        }
        if (!p.sorry) for (const of of p.servers()) assert.is(of.up, of.up && serving(p).includes(of.name));
      }
    }),
    { numRuns: 500 },
  );
});

test('the quorum follows the alive weight alone, between its two thresholds as it was', () => {
  fc.assert(
    fc.property(anySettings, history, (s, events) => {
      const p = pool(s);
      let held = p.held;
      const total = s.realServers.reduce((sum, { destination }) => sum + destination.weight, 0);
      const quorum = Math.max(1, Math.min(s.quorum, total));
      const margin = Math.min(s.hysteresis, quorum - 1);
      for (const { last, up } of events) {
        set(p, last, up);
        const weight = p.aliveWeight();
        if (weight >= Math.max(quorum, Math.min(quorum + margin, total)) && weight > 0) held = true;
        else if (weight < quorum - margin) held = false;
        assert.is(p.held, held);
      }
    }),
    { numRuns: 500 },
  );
});

test.run();
