import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import type { Route } from '../../../src/core/netlink/route.ts';
import type { HeldRouting, RoutingEvent } from '../../../src/core/reconcile/routing-events.ts';
import { isShown, keyOfRule, resolve } from '../../../src/core/reconcile/routing-item.ts';
import type { RouteSettings } from '../../../src/core/reconcile/settings.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { Bench, LINKS, link, route, rule } from './routing-bench.ts';

const test = suite('routes and rules that are held');

test('routes before rules; what is released goes the other way round', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16')], [rule(7)]);
  assert.equal(bench.taken(), [
    'add route 10.1.0.0/16 via 10.0.0.1 table 254',
    'add rule priority 7 lookup 100',
  ]);
  bench.event({ type: 'release', owner: 'a' });
  assert.equal(bench.taken(), [
    'remove rule priority 7 lookup 100',
    'remove route 10.1.0.0/16 via 10.0.0.1 table 254',
  ]);
  assert.equal([bench.kernel.routes, bench.kernel.rules], [[], []]);
});

test('a thousand leave in batches', () => {
  const many = Array.from({ length: 1000 }, (_, i) => route(`10.${i >> 8}.${i & 255}.0/24`));
  const bench = new Bench().hold('a', many);
  assert.is(bench.kernel.routes.length, 1000);
});

test('what somebody removes is put back, once a second at most, and told', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16')], [rule(7)]);
  bench.kernel.steal(0);
  bench.kernel.stealRule(0);
  bench.hear();
  assert.is(bench.kernel.routes.length, 1);
  assert.is(bench.kernel.rules.length, 1);
  assert.equal(
    bench.told.map((effect) => effect.type === 'restored' && effect.what),
    [['route 10.1.0.0/16 via 10.0.0.1 table 254'], ['rule priority 7 lookup 100']],
  );
  bench.kernel.steal(0);
  bench.hear();
  assert.is(bench.kernel.routes.length, 0, 'not twice in a second');
  bench.pass();
  assert.is(bench.kernel.routes.length, 1);
});

test('what is not tracked stays away, until it is held anew', () => {
  const bench = new Bench().hold(
    'a',
    [route('10.1.0.0/16', { tracked: false })],
    [rule(7, { tracked: false })],
  );
  bench.kernel.steal(0);
  bench.kernel.stealRule(0);
  bench.pass();
  assert.equal([bench.kernel.routes, bench.kernel.rules], [[], []]);
});

test('a change of a held route is an exchange, other routes are not touched', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16'), route('10.2.0.0/16')]);
  bench.taken();
  bench.hold('a', [route('10.1.0.0/16', { via: ip('10.0.0.2') }), route('10.2.0.0/16')]);
  assert.equal(bench.taken(), ['replace route 10.1.0.0/16 via 10.0.0.2 table 254']);
  bench.pass();
  assert.equal(bench.destinations, ['10.1.0.0/16', '10.2.0.0/16']);
  assert.ok(bench.kernel.routes.some(({ via }) => via === '10.0.0.2'));
});

test('an exchange that the kernel refuses takes the old one away, and is tried again', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16')]);
  bench.kernel.failures = [22];
  bench.hold('a', [route('10.1.0.0/16', { via: ip('10.0.0.2') })]);
  assert.equal(bench.destinations, []);
  bench.pass();
  assert.equal(
    bench.kernel.routes.map(({ via }) => String(via)),
    ['10.0.0.2'],
  );
});

test('two lines for one destination stay beside each other', () => {
  const both = [route('10.1.0.0/16'), route('10.1.0.0/16', { via: ip('10.0.0.2') })];
  const bench = new Bench().hold('a', both);
  assert.is(bench.kernel.routes.length, 2);
  bench.hold('a', both.slice(0, 1));
  assert.equal(
    bench.kernel.routes.map(({ via }) => String(via)),
    ['10.0.0.1'],
  );
});

test('a move from one owner to another touches nothing', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16')], [rule(7)]).hold('b', []);
  bench.taken();
  bench
    .event({ type: 'pause' })
    .hold('a', [])
    .hold('b', [route('10.1.0.0/16')], [rule(7)]);
  bench.event({ type: 'resume' });
  bench.pass();
  assert.equal(bench.taken(), []);
  bench.event({ type: 'release', owner: 'b' });
  assert.equal([bench.kernel.routes, bench.kernel.rules], [[], []]);
});

test('a restart adopts what is right, and removes what an earlier life left otherwise', () => {
  const first = new Bench().hold('a', [route('10.1.0.0/16'), route('10.2.0.0/16')], [rule(7)]);
  const bench = new Bench();
  bench.kernel.routes = first.kernel.routes;
  bench.kernel.rules = first.kernel.rules;
  const foreign: Route = { ...(first.kernel.routes[0] as Route), protocol: 4, via: ip('10.0.0.9') };
  bench.kernel.routes.push(foreign);
  bench.show();
  bench.hold('a', [route('10.1.0.0/16'), route('10.2.0.0/16', { via: ip('10.0.0.2') })], [rule(7)]);
  bench.pass();
  assert.equal(bench.kernel.routes.map(({ destination, via }) => `${destination.ip} ${via}`).sort(), [
    '10.1.0.0 10.0.0.1',
    '10.1.0.0 10.0.0.9',
    '10.2.0.0 10.0.0.2',
  ]);
  const adopted = bench.told.flatMap((effect) => (effect.type === 'adopted' ? effect.what : []));
  assert.equal(adopted, ['route 10.1.0.0/16 via 10.0.0.1 table 254', 'rule priority 7 lookup 100']);
});

test('what the kernel shows in its own words is the same', () => {
  const tunnel = { kind: 'ip', id: '0000000000000007', destination: ip('10.0.0.9'), ttl: 3 } as const;
  const six = { dev: 'lan', via: ip('fe80::1'), encapsulation: tunnel };
  const wanted = resolve(route('fd00::/64', six), new Map(LINKS.map((one) => [one.name, one])));
  assert.ok(typeof wanted !== 'string');
  const shown: Route = {
    ...wanted,
    metric: 1024,
    preference: 0,
    scope: 200,
    encapsulation: { ...tunnel, source: ip('0.0.0.0'), tos: 0, flags: 0 },
  };
  assert.ok(isShown(wanted, shown));
  assert.not.ok(isShown(wanted, { ...shown, encapsulation: { ...tunnel, ttl: 4 } }));
  assert.not.ok(isShown(wanted, { ...shown, metric: 7 }));
  assert.not.ok(isShown(wanted, { ...shown, metrics: { mtu: 1400 } }));
});

test('leftovers of an earlier life go with a release', () => {
  const bench = new Bench();
  const held: HeldRouting = { routes: [route('10.1.0.0/16')], rules: [rule(7)] };
  const left = resolve(held.routes[0] as RouteSettings, new Map(LINKS.map((l) => [l.name, l]))) as Route;
  bench.kernel.apply({ op: 'add', route: left, insertion: 'exclusive' });
  bench.kernel.apply({ op: 'add', rule: { family: 4, priority: 7, table: 100, protocol: 18 } });
  bench.show();
  bench.event({ type: 'release', owner: 'a', leftovers: held });
  assert.equal([bench.kernel.routes, bench.kernel.rules], [[], []]);
});

test('an interface that is not there is waited for; its group lacks the route', () => {
  const bench = new Bench().hold('static', [route('10.1.0.0/16', { dev: 'later', group: 'g' })]);
  assert.equal(bench.told.at(-1), {
    type: 'lacking',
    group: 'g',
    why: 'route 10.1.0.0/16 via 10.0.0.1 table 254 is not there',
  });
  assert.match(JSON.stringify(bench.told), /waiting for interface later/);
  bench.kernel.links.add(9);
  bench.event({ type: 'links', links: [...LINKS, link(9, 'later')] });
  assert.is(bench.kernel.routes.length, 1);
  const last = bench.told.findLast(({ type }) => type === 'lacking');
  assert.equal(last, { type: 'lacking', group: 'g', why: undefined });
});

test('what is exchanged at one stroke is there before the other goes', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16')], [rule(7)]);
  bench.taken();
  bench.hold('a', [route('10.2.0.0/16')], [rule(8)]);
  assert.equal(bench.taken(), [
    'add route 10.2.0.0/16 via 10.0.0.1 table 254',
    'add rule priority 8 lookup 100',
    'remove rule priority 7 lookup 100',
    'remove route 10.1.0.0/16 via 10.0.0.1 table 254',
  ]);
});

test('what is put back at once never lacked', () => {
  const bench = new Bench().hold('static', [route('10.1.0.0/16', { group: 'g' })]);
  bench.kernel.steal(0);
  bench.hear();
  assert.equal(
    bench.told.map(({ type }) => type),
    ['restored'],
  );
});

const doubtful = (ifindexes: readonly number[], sources: readonly string[] = []): RoutingEvent => ({
  type: 'routes-doubtful',
  ifindexes: new Set(ifindexes),
  sources: new Set(sources.map(ip)),
});

test('routes that went silently with their link are put back', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16'), route('10.2.0.0/16', { dev: 'wan' })]);
  bench.kernel.unplug(1);
  bench.event(doubtful([1]));
  assert.equal(bench.destinations, ['10.2.0.0/16']);
  bench.kernel.links.add(1);
  bench.pass();
  assert.equal(bench.destinations, ['10.1.0.0/16', '10.2.0.0/16']);
});

test('news of a link or an address that no route leads through asks for nothing', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16', { source: ip('10.0.0.9') })]);
  bench.hear();
  bench.taken();
  bench.event(doubtful([2, 77], ['10.0.0.8']));
  bench.event({ type: 'links', links: [...LINKS, link(9, 'later')] });
  assert.equal(bench.taken(), []);
  bench.event(doubtful([], ['10.0.0.9']));
  assert.is(bench.taken().length, 1, 'its source may have taken it along');
});

test('a route of which it is not known where it leads is in doubt each time', () => {
  const bench = new Bench().hold('a', [route('10.1.0.0/16')]);
  bench.kernel.heard = [];
  bench.taken();
  bench.event(doubtful([77]));
  assert.is(bench.taken().length, 1);
});

test('a refusal is told once, and tried again', () => {
  const bench = new Bench();
  bench.kernel.failures = [101, 101, 101];
  bench.hold('a', [route('10.1.0.0/16')]);
  bench.pass();
  assert.is(bench.told.filter(({ type }) => type === 'problem').length, 1);
  assert.is(bench.kernel.routes.length, 1);
});

const destinations = ['10.1.0.0/16', '10.2.0.0/16'];
const anyRoute = fc
  .record({
    to: fc.constantFrom(...destinations),
    via: fc.integer({ min: 1, max: 3 }),
    dev: fc.constantFrom('lan', 'wan'),
  })
  .map(({ to, via, dev }) => route(to, { via: ip(`10.0.0.${via}`), dev }));
const holdings = fc.record({
  type: fc.constant('hold' as const),
  owner: fc.constantFrom('a', 'b'),
  routes: fc.uniqueArray(anyRoute, { maxLength: 3, selector: (one) => JSON.stringify(one) }),
  rules: fc.subarray([rule(1), rule(2), rule(3)]),
});
const happening = fc.oneof(
  { weight: 4, arbitrary: holdings },
  fc.record({ type: fc.constant('steal' as const), at: fc.nat(9), rule: fc.boolean() }),
  fc.record({ type: fc.constant('unplug' as const), ifindex: fc.constantFrom(1, 2) }),
  fc.record({ type: fc.constant('fail' as const), errno: fc.constantFrom(22, 101, 105) }),
  fc.constant({ type: 'restart' as const }),
  fc.constant({ type: 'pass' as const }),
);

test('whatever happens, in the end the kernel has what is held and nothing else', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), (happenings) => {
      let bench = new Bench();
      const held = new Map<string, HeldRouting>();
      for (const what of happenings) {
        if (what.type === 'hold') {
          held.set(what.owner, what);
          bench.event(what);
        } else if (what.type === 'steal') {
          if (what.rule) bench.kernel.stealRule(what.at);
          else bench.kernel.steal(what.at);
        } else if (what.type === 'unplug') {
          bench.kernel.unplug(what.ifindex);
          bench.event(doubtful([what.ifindex]));
          bench.kernel.links.add(what.ifindex);
        } else if (what.type === 'fail') bench.kernel.failures.push(what.errno);
        else if (what.type === 'pass') bench.pass();
        else {
          // What it was still removing, a restart would know nothing of.
          bench.pass();
          const next = new Bench();
          Object.assign(next.kernel, { routes: bench.kernel.routes, rules: bench.kernel.rules });
          next.show();
          for (const [owner, { routes, rules }] of held) next.hold(owner, routes, rules);
          bench = next;
        }
      }
      bench.pass();
      const links = new Map(LINKS.map((one) => [one.name, one]));
      const wanted = [...held.values()].flatMap(({ routes }) =>
        routes.map((one) => resolve(one, links) as Route),
      );
      const { routes, rules } = bench.kernel;
      for (const one of wanted)
        assert.ok(
          routes.some((shown) => isShown(one, shown)),
          'each held one is there',
        );
      for (const shown of routes)
        assert.ok(
          wanted.some((one) => isShown(one, shown)),
          'and nothing else',
        );
      const priorities = [...held.values()].flatMap((one) => one.rules.map(({ rule: r }) => keyOfRule(r)));
      assert.equal(rules.map(keyOfRule).sort(), [...new Set(priorities)].sort());
    }),
    { numRuns: repetitions(500) },
  );
});

test.run();
