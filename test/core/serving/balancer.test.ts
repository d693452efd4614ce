import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { parseServiceName } from '../../../src/core/balance/model.ts';
import { poolName } from '../../../src/core/balance/pool.ts';
import { judgeFailure } from '../../../src/core/check/failure.ts';
import { ip } from '../../../src/core/ip.ts';
import { suite } from '../../suite.ts';

import { realServer, virtualServer, World } from './balancer-world.ts';

const test = suite('balancer');

test('servers start in the table; a dead one leaves it with its reason and comes back', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1), realServer(2)]));
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
  assert.equal(world.others, ['ready']);
  world.pass(6);
  world.dead.add('10.0.1.2');
  world.pass(10);
  assert.is(world.serving(), '10.0.1.1:80=1');
  assert.equal(world.log, [
    'info tcp check of 10.0.1.2:80: connection refused (failure 1 in a row)',
    'warning tcp 10.0.0.1:80: real server 10.0.1.2:80 is down: tcp check of 10.0.1.2:80: connection refused',
  ]);
  world.dead.clear();
  world.pass(10);
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
});

test('with inhibit_on_failure the dead one stays with weight 0', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1, { inhibit: true }), realServer(2, { inhibit: true })]));
  world.dead.add('10.0.1.1');
  world.pass(10);
  assert.is(world.serving(), '10.0.1.1:80=0 10.0.1.2:80=1');
});

test('a start on a table that is right touches nothing', () => {
  const first = new World();
  first.configure(virtualServer([realServer(1), realServer(2)]));
  const again = new World(first.kernel.table());
  let applied = 0;
  const perform = again.perform.bind(again);
  again.perform = (effect) => {
    if (effect.type === 'apply') applied += 1;
    return perform(effect);
  };
  again.configure(virtualServer([realServer(1), realServer(2)]));
  again.pass(60);
  assert.is(applied, 0);
});

test('a reload keeps what is known of the servers that stay', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1), realServer(2)]));
  world.dead.add('10.0.1.1');
  world.pass(10);
  world.configure(virtualServer([realServer(1), realServer(2), realServer(3)]));
  assert.is(world.serving(), '10.0.1.2:80=1 10.0.1.3:80=1');
  world.configure(virtualServer([realServer(1, { checks: [] }), realServer(2)]));
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
  assert.is(world.log.at(-1), 'notice tcp 10.0.0.1:80: real server 10.0.1.1:80 is up: not checked (reload)');
  world.configure();
  assert.equal(world.kernel.table(), []);
});

test('a dead server that a reload takes out and a later one brings back is still dead', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1), realServer(2)]));
  world.dead.add('10.0.1.1');
  world.pass(10);
  world.configure(virtualServer([realServer(2)]));
  world.configure(virtualServer([realServer(1), realServer(2)]));
  assert.is(world.serving(), '10.0.1.2:80=1');
  world.dead.clear();
  world.pass(10);
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
});

test('the quorum in the log, with its numbers and the cause', () => {
  const sorry = { ...realServer(9).destination };
  const world = new World();
  world.configure(virtualServer([realServer(1), realServer(2)], { quorum: 2, sorry }));
  world.dead.add('10.0.1.1');
  world.pass(10);
  assert.is(world.serving(), '10.0.1.9:80=1');
  assert.is(
    world.log.at(-1),
    'warning tcp 10.0.0.1:80: quorum lost: weight 1 alive, 2 needed ' +
      '(10.0.1.1:80: tcp check of 10.0.1.1:80: connection refused)',
  );
  const [service] = world.balancer.status().services;
  assert.is(service?.sorry, true);
  assert.is(service?.servers[0]?.cause, 'tcp check of 10.0.1.1:80: connection refused');
});

test('the status tells what the last check saw, also of a server that has been up from the start', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1)]));
  const cause = (): string | undefined => world.balancer.status().services[0]?.servers[0]?.cause;
  assert.is(cause(), 'tcp check of 10.0.1.1:80: not checked yet');
  world.pass(10);
  assert.match(cause() ?? '', /^tcp check of 10\.0\.1\.1:80: connected in/);
});

test("the director's own lack of files takes no server out and is said once", () => {
  const world = new World();
  world.configure(virtualServer([realServer(1), realServer(2)]));
  world.answer = () => judgeFailure('EMFILE');
  world.pass(60);
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
  assert.is(world.log.length, 1);
});

test('stop: ours leaves the table, no probe is begun any more', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1)]));
  world.event({ type: 'stop', release: true, flush: false });
  assert.equal(world.kernel.table(), []);
  assert.is(world.others.at(-1), 'released');
  assert.is(world.balancer.deadline(), undefined);
});

test('stop without release leaves the table as it is', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1)]));
  world.event({ type: 'stop', release: false, flush: false });
  assert.is(world.serving(), '10.0.1.1:80=1');
  assert.is(world.others.at(-1), 'released');
});

test('ha_suspend: servers are checked only while the address is here, and stay as they stood', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1), realServer(2)], { haSuspend: true }));
  const suspended = () => world.balancer.status().services[0]?.suspended;
  world.dead.add('10.0.1.1');
  world.pass(60);
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
  assert.is(suspended(), true);
  world.event({ type: 'held', addresses: [ip('10.0.0.1')] });
  world.pass(12);
  assert.is(world.serving(), '10.0.1.2:80=1');
  world.event({ type: 'held', addresses: [] });
  world.dead.clear();
  world.pass(60);
  assert.is(world.serving(), '10.0.1.2:80=1');
  world.event({ type: 'held', addresses: [ip('10.0.0.1')] });
  world.pass(12);
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1');
  assert.is(suspended(), false);
});

test('services of others are shown; what an earlier process made and nobody wants any more goes', () => {
  const before = new World();
  before.configure(virtualServer([realServer(1)]));
  assert.equal(before.owned, ['tcp 10.0.0.1:80']);
  const after = new World(before.kernel.table());
  after.configure();
  assert.equal(after.balancer.status().foreign, [{ name: 'tcp 10.0.0.1:80', scheduler: 'wlc' }]);
  const heir = new World(before.kernel.table());
  heir.event({ type: 'inherit', keys: before.owned.flatMap((name) => parseServiceName(name) ?? []) });
  heir.configure();
  assert.equal(heir.kernel.table(), []);
  heir.pass(10);
  assert.equal([heir.owned, heir.balancer.status().foreignCount], [[], 0]);
});

test('whatever dies and comes back: the table follows the rules within a period and its retries', () => {
  const change = fc.record({
    last: fc.integer({ min: 1, max: 4 }),
    dead: fc.boolean(),
    after: fc.double({ min: 0, max: 8, noNaN: true }),
  });
  const options = fc.record({
    inhibit: fc.boolean(),
    quorum: fc.integer({ min: 1, max: 4 }),
    sorry: fc.boolean(),
  });
  fc.assert(
    fc.property(options, fc.array(change, { maxLength: 20 }), ({ inhibit, quorum, sorry }, changes) => {
      const world = new World();
      const servers = [1, 2, 3, 4].map((last) => realServer(last, { inhibit }));
      world.configure(
        virtualServer(servers, { quorum, ...(sorry ? { sorry: realServer(9).destination } : {}) }),
      );
      for (const { last, dead, after } of changes) {
        if (dead) world.dead.add(`10.0.1.${last}`);
        else world.dead.delete(`10.0.1.${last}`);
        world.pass(after);
      }
      world.pass(14);
      const held = 4 - world.dead.size >= quorum;
      const expected = [1, 2, 3, 4].flatMap((last) => {
        if (!world.dead.has(`10.0.1.${last}`) && (held || !sorry)) return [`10.0.1.${last}:80=1`];
        return inhibit ? [`10.0.1.${last}:80=0`] : [];
      });
      if (sorry && !held) expected.push('10.0.1.9:80=1');
      assert.is(world.serving(), expected.join(' '));
      assert.is(poolName(virtualServer([])), world.balancer.status().services[0]?.name);
    }),
    { numRuns: 200 },
  );
});

test.run();
