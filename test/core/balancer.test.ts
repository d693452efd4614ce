import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TableEntry } from '../../src/core/balance/model.ts';
import { endpointName, serviceName } from '../../src/core/balance/model.ts';
import type { BalancerEffect, BalancerEvent } from '../../src/core/balancer.ts';
import { Balancer } from '../../src/core/balancer.ts';
import { judgeFailure } from '../../src/core/check/failure.ts';
import type { CheckResult } from '../../src/core/check/verdict.ts';
import type { RealServerSettings, VirtualServerSettings } from '../../src/core/config/model.ts';
import { ip } from '../../src/core/ip.ts';
import type { Instant } from '../../src/core/time.ts';
import { instant, micros, seconds } from '../../src/core/time.ts';
import { ModelKernel, sorted } from './balance/model-kernel.ts';

const test = suite('balancer');

const realServer = (last: number, more: Partial<RealServerSettings> = {}): RealServerSettings => ({
  destination: { address: ip(`10.0.1.${last}`), port: 80, method: 'nat', weight: 1, upper: 0, lower: 0 },
  inhibit: false,
  checks: [
    {
      kind: 'tcp',
      address: ip(`10.0.1.${last}`),
      port: 80,
      timeout: seconds(5),
      period: seconds(6),
      warmup: seconds(6),
      retries: 1,
      retryDelay: seconds(1),
      alpha: false,
    },
  ],
  ...more,
});

const virtualServer = (
  realServers: readonly RealServerSettings[],
  more: Partial<VirtualServerSettings> = {},
): VirtualServerSettings => ({
  service: {
    key: { kind: 'address', protocol: 'tcp', address: ip('10.0.0.1'), port: 80 },
    scheduler: 'wlc',
    flags: 0,
    persistence: 0,
    granularity: 32,
  },
  realServers,
  quorum: 1,
  hysteresis: 0,
  ...more,
});

/** A balancer with a model kernel, and real servers that answer or refuse. */
class World {
  readonly balancer = new Balancer();
  readonly kernel: ModelKernel;
  readonly dead = new Set<string>();
  readonly log: string[] = [];
  readonly others: string[] = [];
  now: Instant = instant(0);

  constructor(actual: readonly TableEntry[] = []) {
    this.kernel = new ModelKernel(actual);
  }

  event(event: BalancerEvent): void {
    this.balancer.handle(event, this.now);
    this.settle();
  }

  configure(...virtualServers: VirtualServerSettings[]): void {
    this.event({ type: 'configure', virtualServers, flush: false });
  }

  pass(s: number): void {
    const end = this.now + s * 1e6;
    for (let at = this.balancer.deadline(); at !== undefined && at <= end; at = this.balancer.deadline()) {
      this.now = instant(Math.max(at, this.now));
      this.balancer.timeout(this.now);
      this.settle();
    }
    this.now = instant(end);
  }

  settle(): void {
    for (let effects = this.balancer.take(); effects.length > 0; effects = this.balancer.take()) {
      for (const effect of effects) {
        const answer = this.perform(effect);
        if (answer !== undefined) this.balancer.handle(answer, this.now);
      }
    }
  }

  perform(effect: BalancerEffect): BalancerEvent | undefined {
    switch (effect.type) {
      case 'probe':
        return { type: 'outcome', id: effect.id, result: this.answer(effect.id) };
      case 'read': {
        const present = this.kernel.table();
        const destinations = present.map(({ service: { key }, destinations: list }) => ({ key, list }));
        return { type: 'table', reading: { services: present.map(({ service }) => service), destinations } };
      }
      case 'apply':
        for (const operation of effect.operations) this.kernel.apply(operation);
        return { type: 'applied', failures: [] };
      case 'log':
        this.log.push(`${effect.level} ${effect.message}`);
        return undefined;
      case 'changed':
        return undefined;
      default:
        this.others.push(effect.type);
        return undefined;
    }
  }

  answer(id: string): CheckResult {
    const address = /of (\S+):\d+$/.exec(id)?.[1] ?? '';
    return this.dead.has(address)
      ? judgeFailure('ECONNREFUSED')
      : { verdict: 'good', reason: 'connected', latency: micros(300) };
  }

  /** The table as words: `10.0.1.1:80=1` of all services. */
  serving(): string {
    return sorted(this.kernel.table())
      .flatMap(({ destinations }) =>
        destinations.map((d) => `${endpointName(d.address, d.port)}=${d.weight}`),
      )
      .join(' ');
  }
}

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

test('a service that is written twice counts once, and it is said', () => {
  const world = new World();
  world.configure(virtualServer([realServer(1)]), virtualServer([realServer(2)]));
  assert.is(world.serving(), '10.0.1.1:80=1');
  assert.equal(world.log, ['warning tcp 10.0.0.1:80 is configured twice; the first is used']);
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
      assert.is(serviceName(virtualServer([]).service.key), world.balancer.status().services[0]?.name);
    }),
    { numRuns: 200 },
  );
});

test.run();
