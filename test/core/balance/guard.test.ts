import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { Pool, type PoolSettings } from '../../../src/core/balance/pool.ts';
import { instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { SERVICE, server } from './samples.ts';

/** `min_up`: what checks may take out of a pool. */
const name = (last: number): string => `10.0.1.${last}:80`;
const settings = (count: number, minUp: number, more: Partial<PoolSettings> = {}): PoolSettings => ({
  services: [SERVICE],
  realServers: Array.from({ length: count }, (_, i) => ({ destination: server(i + 1), inhibit: false })),
  quorum: 1,
  hysteresis: 0,
  minUp,
  ...more,
});

const turn = (pool: Pool, last: number, up: boolean) => {
  pool.handle(
    { type: 'health', server: name(last), up, cause: up ? 'answers' : 'no route to host' },
    instant(0),
  );
  return pool.take();
};
/** The last numbers of the servers in the table. */
const serving = (pool: Pool): number[] =>
  pool.entry(SERVICE).destinations.map(({ address }) => Number(address.split('.')[3]));

const test = suite('guard');

test('the servers that failed last stay, and one that is up again takes the place of one', () => {
  const pool = new Pool(settings(5, 30), new Map());
  pool.take();
  for (const last of [3, 1, 5, 2]) turn(pool, last, false);
  assert.equal(serving(pool), [2, 4]);
  const said = turn(pool, 4, false).filter(({ type }) => type === 'guard');
  assert.equal(said, [{ type: 'guard', service: 'tcp 10.0.0.1:80', kept: [name(2), name(4)], up: 0 }]);
  assert.is(pool.sound, false);
  turn(pool, 5, true);
  assert.equal(serving(pool), [4, 5]);
  turn(pool, 1, true);
  assert.equal(serving(pool), [1, 5]);
  assert.is(pool.sound, true);
});

test('the kept count for the quorum, so no sorry server takes their place', () => {
  const pool = new Pool(settings(2, 50, { sorry: server(9) }), new Map());
  turn(pool, 1, false);
  turn(pool, 2, false);
  assert.equal(serving(pool), [2]);
  assert.is(pool.held, true);
});

test('a server that never was up is not kept', () => {
  const down = { up: false, cause: 'not checked yet' };
  const pool = new Pool(settings(2, 100), new Map([1, 2].map((last) => [name(last), down])));
  assert.equal(serving(pool), []);
});

test('a reload goes on with what was kept', () => {
  const before = new Pool(settings(3, 34), new Map());
  for (const last of [1, 2, 3]) turn(before, last, false);
  const down = { up: false, cause: 'no route to host' };
  const health = new Map([1, 2, 3, 4].map((last) => [name(last), down]));
  assert.equal(serving(new Pool(settings(4, 34), health, before)), [2, 3]);
});

test('whatever happens, enough serve, all that are up do, and no more than that are kept', () => {
  const course = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(course, fc.integer({ min: 1, max: 100 }), (turns, percent) => {
      const pool = new Pool(settings(6, percent), new Map());
      for (const [last, up] of turns) {
        turn(pool, last, up);
        const alive = pool.servers().filter((server) => server.up).length;
        const least = Math.ceil((6 * percent) / 100);
        assert.is(serving(pool).length, Math.max(alive, least));
        assert.is(pool.servers().filter(({ kept }) => kept).length, Math.max(0, least - alive));
        assert.ok(pool.servers().every((server) => !(server.kept && server.up)));
      }
    }),
  );
});

test.run();
