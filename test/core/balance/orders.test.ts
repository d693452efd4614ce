import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Destination, Service } from '../../../src/core/balance/model.ts';
import { endpointName } from '../../../src/core/balance/model.ts';
import { authorityOver, type Order, orderOf, weightUnder } from '../../../src/core/balance/orders.ts';
import { Pool, type PoolEvent, type PoolSettings } from '../../../src/core/balance/pool.ts';
import { ip } from '../../../src/core/ip.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

/** Drains, weights and slow start in a pool, in virtual time. */
const test = suite('orders');

const destination = (last: number, weight = 10): Destination => ({
  address: ip(`10.0.1.${last}`),
  port: 80,
  method: 'nat',
  weight,
  upper: 0,
  lower: 0,
});
const SERVICE: Service = {
  key: { kind: 'address', protocol: 'tcp', address: ip('10.0.0.1'), port: 80 },
  scheduler: 'wlc',
  flags: 0,
  persistence: 0,
  granularity: 32,
};
const name = (last: number): string => `10.0.1.${last}:80`;
const place = (last: number) => ({ service: 'tcp 10.0.0.1:80', server: name(last) });
const settings = (count: number, more: Partial<PoolSettings> = {}, slow = 0): PoolSettings => ({
  services: [SERVICE],
  realServers: Array.from({ length: count }, (_, i) => ({
    destination: destination(i + 1),
    inhibit: false,
    ...(slow > 0 && { slowStart: seconds(slow) }),
  })),
  quorum: 1,
  hysteresis: 0,
  ...more,
});
const serving = (pool: Pool): string =>
  pool
    .entry(SERVICE)
    .destinations.map((d) => `${d.address.split('.')[3]}=${d.weight}`)
    .join(' ');
const made = (s: PoolSettings): Pool => new Pool(s, new Map());
const tell = (pool: Pool, event: PoolEvent, at = 0): void => pool.handle(event, instant(at * 1e6));
const health = (last: number, up: boolean) =>
  ({ type: 'health', server: name(last), up, cause: up ? 'answers' : 'refused' }) as const;
const order = (last: number, wanted?: Partial<Order>) =>
  ({ type: 'order', server: name(last), order: wanted && { ...place(last), ...wanted } }) as const;
const counted = (last: number, connections: number) =>
  ({ type: 'counted', server: name(last), connections }) as const;
const DRAIN = { drain: { by: 'operator' } } as const;
/** Lets the time pass, with every deadline on its way. */
function pass(pool: Pool, until: number): void {
  for (let at = pool.deadline(); at !== undefined && at <= until * 1e6; at = pool.deadline()) {
    pool.timeout(at);
    const next = pool.deadline();
    assert.ok(
      next === undefined || next > at,
      `the deadline at ${at / 1e6} s was reached, and it is still there`,
    );
  }
}

test('a drained server has weight 0 until its connections are over, then it is absent', () => {
  const pool = made(settings(2));
  tell(pool, order(1, DRAIN));
  assert.is(serving(pool), '1=0 2=10');
  tell(pool, counted(1, 3));
  assert.is(serving(pool), '1=0 2=10');
  assert.equal(pool.servers()[0]?.drain, { phase: 'draining', by: 'operator', connections: 3 });
  tell(pool, counted(1, 0));
  assert.is(serving(pool), '2=10');
  assert.equal(pool.draining(), []);
  tell(pool, order(1));
  assert.is(serving(pool), '1=10 2=10');
});

test('its deadline takes it out with the connections that it has, and says how many', () => {
  const pool = made(settings(2));
  tell(pool, order(1, { drain: { by: 'operator', until: instant(30e6) } }));
  tell(pool, counted(1, 3), 1);
  pool.take();
  pass(pool, 29);
  assert.is(serving(pool), '1=0 2=10');
  pass(pool, 30);
  assert.is(serving(pool), '2=10');
  const said = pool.take().find(({ type }) => type === 'drained');
  assert.equal(said, { type: 'drained', server: name(1), connections: 3 });
});

test('a drained server counts for no quorum; beside the sorry server it keeps its connections', () => {
  const pool = made(settings(2, { quorum: 20, sorry: destination(9, 1) }));
  tell(pool, order(1, DRAIN));
  assert.is(serving(pool), '9=1 1=0');
  tell(pool, order(1));
  assert.is(serving(pool), '1=10 2=10');
});

test('min_up counts the servers that nobody drains', () => {
  const pool = made(settings(4, { minUp: 50 }));
  for (const last of [1, 2]) tell(pool, order(last, DRAIN));
  for (const last of [3, 4]) tell(pool, health(last, false));
  assert.is(serving(pool), '1=0 2=0 4=10');
});

test('a server that goes down while it drains leaves; it is back at weight 0', () => {
  const pool = made(settings(2));
  tell(pool, order(1, DRAIN));
  tell(pool, health(1, false));
  assert.is(serving(pool), '2=10');
  tell(pool, health(1, true));
  assert.is(serving(pool), '1=0 2=10');
});

test('a reload keeps a drain, and a ramp; at the start nothing ramps', () => {
  const before = made(settings(2, {}, 10));
  assert.is(serving(before), '1=10 2=10');
  tell(before, order(1, DRAIN));
  tell(before, counted(1, 0));
  tell(before, health(2, false), 1);
  tell(before, health(2, true), 2);
  pass(before, 5);
  const drained = { up: true, cause: 'answers', order: { ...place(1), ...DRAIN } };
  const pool = new Pool(settings(2, { quorum: 2 }, 10), new Map([[name(1), drained]]), before);
  assert.is(serving(pool), '2=3');
  pass(pool, 12);
  assert.is(serving(pool), '2=10');
});

test('a recovered server ramps up and counts with its full weight meanwhile', () => {
  const pool = made(settings(2, { quorum: 20, sorry: destination(9) }, 10));
  tell(pool, health(1, false));
  tell(pool, health(1, true), 100);
  assert.is(serving(pool), '1=1 2=10');
  assert.is(pool.aliveWeight(), 20);
  pass(pool, 105);
  assert.is(serving(pool), '1=5 2=10');
  assert.equal(pool.servers()[0]?.ramp, { full: 10, end: instant(110e6) });
  pass(pool, 110);
  assert.is(serving(pool), '1=10 2=10');
  assert.is(pool.deadline(), undefined);
});

test('with alpha the first success is no return, once it was found down it is', () => {
  const alpha = new Map([[name(1), { up: false, cause: 'alpha' }]]);
  const pool = new Pool(settings(1, {}, 10), alpha);
  tell(pool, health(1, true), 5);
  assert.is(serving(pool), '1=10');
  const other = new Pool(settings(1, {}, 10), alpha);
  tell(other, { type: 'confirmed', server: name(1) });
  tell(other, health(1, true), 5);
  assert.is(serving(other), '1=1');
});

test('a server that min_up kept does not ramp: it served all the time', () => {
  const pool = made(settings(2, { minUp: 100 }, 10));
  tell(pool, health(1, false));
  assert.is(serving(pool), '1=10 2=10');
  tell(pool, health(1, true), 50);
  assert.is(serving(pool), '1=10 2=10');
});

test('the strictest wins: any drain before any weight, the least limit, the deadline of the operator', () => {
  const at = (epoch: number) => instant(epoch * 10);
  assert.is(orderOf(place(1), undefined, [], at), undefined);
  assert.equal(orderOf(place(1), { weight: 3 }, [{ weight: 5 }, { weight: 2 }], at), {
    ...place(1),
    weight: 3,
    limit: 2,
  });
  assert.equal(orderOf(place(1), { drain: { since: 1, until: 7 } }, [{}], at)?.drain, {
    by: 'operator',
    until: instant(70),
  });
  assert.equal(orderOf(place(1), { weight: 9 }, [{ weight: 5 }, {}], at)?.drain, { by: 'schedule' });
  assert.equal(
    [10, 4].map((own) => weightUnder({ ...place(1), limit: 5 }, own)),
    [5, 4],
  );
  assert.equal(
    [10, 4].map((own) => authorityOver({ ...place(1), limit: 5 }, own)),
    ['schedule', undefined],
  );
});

const step = fc.record({
  last: fc.integer({ min: 1, max: 3 }),
  wait: fc.integer({ min: 0, max: 8 }),
  what: fc.oneof(
    fc.boolean().map((up) => ({ up })),
    fc.integer({ min: 0, max: 40 }).map((weight) => ({ weight })),
    fc
      .constantFrom<Partial<Order> | undefined>(undefined, DRAIN, { weight: 6 }, { limit: 3 })
      .map((wanted) => ({ wanted })),
    fc.integer({ min: 0, max: 2 }).map((connections) => ({ connections })),
  ),
});
type Step = (typeof step)['generate'] extends (...args: never[]) => { value: infer V } ? V : never;

function eventOf({ last, what }: Step): PoolEvent {
  if ('up' in what) return health(last, what.up);
  if ('weight' in what) return { type: 'weight', server: name(last), weight: what.weight, cause: 'drawn' };
  return 'wanted' in what ? order(last, what.wanted) : counted(last, what.connections);
}

test('whatever comes: no weight above the full one, the drained absent, and in the end every ramp is over', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 20 }), (steps, slow) => {
      const pool = made(settings(3, {}, slow));
      let now = 0;
      for (const each of steps) {
        now += each.wait;
        pass(pool, now);
        tell(pool, eventOf(each), now);
        const table = new Map(
          pool.entry(SERVICE).destinations.map((d) => [endpointName(d.address, d.port), d.weight]),
        );
        for (const { name: server, up, weight, drain, ramp } of pool.servers()) {
          assert.is(table.get(server), up && drain?.phase !== 'drained' ? weight : undefined);
          if (drain !== undefined) assert.is(weight, 0);
          if (ramp !== undefined) assert.ok(up && weight >= 1 && weight <= ramp.full);
        }
      }
      const before = pool.servers().map(({ weight, ramp }) => ramp?.full ?? weight);
      pass(pool, now + slow);
      assert.equal(
        pool.servers().map(({ weight }) => weight),
        before,
      );
      assert.is(pool.deadline(), undefined);
    }),
    { numRuns: 500 },
  );
});

test.run();
