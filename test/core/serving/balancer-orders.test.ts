import * as assert from 'uvu/assert';
import type { Order } from '../../../src/core/balance/orders.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { realServer, virtualServer, World } from './balancer-world.ts';

/** Orders on their way through the balancer to a kernel that is a model. */
const test = suite('orders in the balancer');

const ADDRESS = '10.0.1.1';
const DRAIN: Order = { service: 'tcp 10.0.0.1:80', server: `${ADDRESS}:80`, drain: { by: 'operator' } };
const configuration = virtualServer([realServer(1), realServer(2)]);
const weigh = (weight: number): Order => ({ service: DRAIN.service, server: DRAIN.server, weight });

test('a server with connections stays with weight 0 until they are over', () => {
  const world = new World();
  world.configure(configuration);
  world.connections.set(ADDRESS, 2);
  world.event({ type: 'orders', orders: [DRAIN] });
  world.pass(30);
  assert.is(world.serving(), '10.0.1.1:80=0 10.0.1.2:80=1');
  assert.is(world.balancer.status().services[0]?.servers[0]?.drain?.connections, 2);
  world.connections.clear();
  world.pass(2);
  assert.is(world.serving(), '10.0.1.2:80=1');
  world.event({ type: 'orders', orders: [] });
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
  assert.equal(world.log.slice(-3), [
    'notice tcp 10.0.0.1:80: real server 10.0.1.1:80 takes no new connections (operator)',
    'notice tcp 10.0.0.1:80: real server 10.0.1.1:80 is drained: it has no active connections',
    'notice tcp 10.0.0.1:80: real server 10.0.1.1:80 is no longer drained or weighted by the operator',
  ]);
});

test('orders that are there at the start, and those that a reload brings', () => {
  const world = new World();
  world.event({ type: 'configure', virtualServers: [configuration], flush: false, orders: [weigh(7)] });
  assert.is(world.serving(), '10.0.1.1:80=7 10.0.1.2:80=1');
  const more = virtualServer([realServer(1), realServer(2), realServer(3)]);
  world.event({ type: 'configure', virtualServers: [more], flush: false, orders: [weigh(3)] });
  assert.is(world.serving(), '10.0.1.1:80=3 10.0.1.2:80=1 10.0.1.3:80=1');
  world.event({ type: 'configure', virtualServers: [more], flush: false, orders: [] });
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1 10.0.1.3:80=1');
});

test('an order for a server that is not there does nothing', () => {
  const world = new World();
  world.configure(configuration);
  world.event({
    type: 'orders',
    orders: [
      { ...DRAIN, server: '10.0.1.9:80' },
      { ...DRAIN, service: 'x' },
    ],
  });
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
});

test('a deadline that is over already takes the server out at once', () => {
  const world = new World();
  world.connections.set(ADDRESS, 2);
  const late = { ...DRAIN, drain: { by: 'operator', until: instant(0) } } as const;
  world.event({ type: 'configure', virtualServers: [configuration], flush: false, orders: [late] });
  world.pass(1);
  assert.is(world.serving(), '10.0.1.2:80=1');
});

test('a dead server that is back grows by steps, whatever else happens meanwhile', () => {
  const server = realServer(1);
  const slow = { ...server, destination: { ...server.destination, weight: 10 }, slowStart: seconds(100) };
  const world = new World();
  world.configure(virtualServer([slow, realServer(2)]));
  world.dead.add(ADDRESS);
  world.pass(20);
  assert.is(world.serving(), '10.0.1.2:80=1');
  world.dead.clear();
  const seen = new Set<string>();
  for (let each = 0; each < 130; each++) {
    world.pass(1);
    seen.add(world.serving().replace(/ ?10.0.1.2:80=1/, ''));
  }
  assert.equal([...seen], ['', ...Array.from({ length: 10 }, (_, i) => `10.0.1.1:80=${i + 1}`)]);
});

test.run();
