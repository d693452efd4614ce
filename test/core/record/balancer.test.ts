import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { Recorder } from '../../../src/core/record/recorder.ts';
import { replay } from '../../../src/core/record/replay.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { realServer, virtualServer, World } from '../serving/balancer-world.ts';
import { RecordedMachine, recordingOf, SHORT } from './recorded.ts';

const test = suite('the memory of the balancer');

const SERVICE = 'tcp 10.0.0.1:80';
const KEY = { kind: 'address', protocol: 'tcp', address: ip('10.0.0.1'), port: 80 } as const;
const LAST = [1, 2, 3, 4] as const;
const file = { kind: 'file', file: 'load', weight: 2, reverse: false } as const;

/** Servers with everything that remembers something: retries, alpha, slow start, a file, thresholds of quorum. */
const servers = LAST.map((last) =>
  realServer(last, {
    ...(last === 2 && { slowStart: seconds(9) }),
    ...(last === 3 && { checks: [...realServer(3).checks, file] }),
    ...(last === 4 && {
      checks: realServer(4).checks.map((check) => ({ ...check, alpha: true }) as typeof check),
    }),
    destination: { ...realServer(last).destination, weight: 10 },
  }),
);
const whole = virtualServer(servers, {
  quorum: 15,
  hysteresis: 3,
  minUp: 30,
  sorry: realServer(9).destination,
});
const less = virtualServer(servers.slice(1), { quorum: 15 });

const step = fc.oneof(
  fc.record({ what: fc.constant('turn' as const), last: fc.constantFrom(...LAST), dead: fc.boolean() }),
  fc.record({ what: fc.constant('drain' as const), last: fc.constantFrom(...LAST), on: fc.boolean() }),
  fc.record({ what: fc.constant('weigh' as const), last: fc.constantFrom(...LAST), weight: fc.nat(20) }),
  fc.record({ what: fc.constant('connect' as const), last: fc.constantFrom(...LAST), active: fc.nat(2) }),
  fc.record({ what: fc.constant('file' as const), value: fc.integer({ min: -5, max: 5 }) }),
  fc.record({ what: fc.constant('reload' as const), whole: fc.boolean() }),
  fc.record({ what: fc.constant('kernel' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function take(world: World, each: Step): void {
  const order = (last: number) => ({ service: SERVICE, server: `10.0.1.${last}:80` });
  switch (each.what) {
    case 'turn':
      if (each.dead) world.dead.add(`10.0.1.${each.last}`);
      else world.dead.delete(`10.0.1.${each.last}`);
      return;
    case 'drain': {
      const drain = { by: 'operator', until: instant(world.now + 2e7) } as const;
      world.event({ type: 'orders', orders: each.on ? [{ ...order(each.last), drain }] : [] });
      return;
    }
    case 'weigh':
      world.event({ type: 'orders', orders: [{ ...order(each.last), weight: each.weight }] });
      return;
    case 'connect':
      world.connections.set(`10.0.1.${each.last}`, each.active);
      return;
    case 'file':
      world.event({ type: 'file', files: [{ name: 'load', value: each.value }] });
      return;
    case 'reload':
      world.configure(each.whole ? whole : less);
      return;
    case 'kernel':
      // Somebody else adds a server, which is removed again at the next reading.
      if (!world.serving().includes('10.0.1.77'))
        world.kernel.apply({
          kind: 'add destination',
          key: KEY,
          destination: { ...realServer(77).destination },
        });
  }
}

test('a balancer that has only the memory of another one goes on as that one would', () => {
  const steps = fc.array(fc.tuple(step, fc.double({ min: 0, max: 8, noNaN: true })), { maxLength: 25 });
  fc.assert(
    fc.property(steps, (all) => {
      const worlds = [new World(), new World()] as const;
      const [one, other] = worlds;
      other.forgets = true;
      for (const world of worlds) world.configure(whole);
      for (const [each, after] of all) {
        for (const world of worlds) {
          take(world, each);
          world.pass(after);
        }
        assert.equal(other.log, one.log);
        assert.equal(other.told, one.told);
        assert.is(other.serving(), one.serving());
        assert.equal(other.balancer.status([]), one.balancer.status([]));
        assert.is(other.balancer.deadline(), one.balancer.deadline());
      }
    }),
    { numRuns: 150 },
  );
});

test('what a balancer was told replays with equal effects', () => {
  const recorder = new Recorder(SHORT);
  const world = new World();
  const part = { kind: 'balancer', name: 'check', birth: {}, memory: () => world.balancer.memory() } as const;
  world.via = new RecordedMachine(recorder, world.balancer, part, instant(0));
  const reloads = [whole, less, whole];
  for (const [i, configuration] of reloads.entries()) {
    world.configure(configuration);
    for (const what of ['turn', 'file', 'drain'] as const) {
      take(world, { what, last: 2, dead: i !== 1, on: true, value: i - 1 } as Step);
      world.pass(20);
    }
  }
  const [track] = recordingOf(recorder).processes[0]?.tracks ?? [];
  assert.ok(track !== undefined && track.segments.length > 10);
  const { difference, effects } = replay(track, { memories: true });
  assert.equal(difference, undefined);
  assert.ok(effects > 100, `${effects} effects`);
  for (const segment of track.segments)
    assert.equal(replay({ ...track, segments: [segment] }, { memories: true }).difference, undefined);
});

test.run();
