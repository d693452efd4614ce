import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { KeeperEffect, KeeperEvent } from '../../../src/core/balance/keeper.ts';
import { APPLY_LENGTH, READ_PERIOD, READ_SLICE, TableKeeper } from '../../../src/core/balance/keeper.ts';
import type { TableEntry } from '../../../src/core/balance/model.ts';
import { serviceName } from '../../../src/core/balance/model.ts';
import type { Operation } from '../../../src/core/balance/plan.ts';
import { describeOperation } from '../../../src/core/balance/plan.ts';
import { ip } from '../../../src/core/ip.ts';
import type { Instant } from '../../../src/core/time.ts';
import { instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { table } from './arbitrary.ts';
import { ModelKernel, sorted } from './model-kernel.ts';

const test = suite('keeper');

/** A keeper before a model kernel: performs its requests at once, or one by one when `held`. */
class World {
  readonly keeper = new TableKeeper();
  readonly kernel: ModelKernel;
  readonly seen: string[] = [];
  readonly waiting: KeeperEffect[] = [];
  /** What a successor would inherit. */
  owned: string[] = [];
  held = false;
  now: Instant = instant(0);
  /** Refuses an operation with an errno's name. */
  refuse: (operation: Operation) => string | undefined = () => undefined;

  constructor(actual: readonly TableEntry[]) {
    this.kernel = new ModelKernel(actual);
  }

  event(event: KeeperEvent): void {
    this.keeper.handle(event, this.now);
    this.settle();
  }

  /** Lets `us` pass, stopping at each deadline. */
  pass(us: number): void {
    const end = this.now + us;
    for (let at = this.keeper.deadline(); at !== undefined && at <= end; at = this.keeper.deadline()) {
      this.now = instant(Math.max(at, this.now));
      this.keeper.timeout(this.now);
      this.settle();
    }
    this.now = instant(end);
  }

  /** What is ours is kept apart. */
  effects(): KeeperEffect[] {
    return this.keeper.take().filter((effect) => {
      if (effect.type === 'own') this.owned = effect.keys.map(serviceName);
      return effect.type !== 'own';
    });
  }

  settle(): void {
    this.waiting.push(...this.effects());
    while (!this.held && this.waiting.length > 0) this.performNext();
  }

  performNext(): void {
    const effect = this.waiting.shift();
    const answer = effect === undefined ? undefined : this.perform(effect);
    if (answer === undefined) return;
    this.keeper.handle(answer, this.now);
    this.waiting.push(...this.effects());
  }

  perform(effect: KeeperEffect): KeeperEvent | undefined {
    switch (effect.type) {
      case 'read': {
        this.seen.push(`read ${effect.destinationsOf.length}`);
        const present = this.kernel.table();
        const asked = new Set(effect.destinationsOf.map(serviceName));
        const destinations = present
          .filter(({ service }) => asked.has(serviceName(service.key)))
          .map(({ service, destinations: list }) => ({ key: service.key, list }));
        return { type: 'table', reading: { services: present.map(({ service }) => service), destinations } };
      }
      case 'apply':
        this.seen.push(...effect.operations.map(describeOperation));
        return { type: 'applied', failures: this.performAll(effect.operations) };
      case 'flush':
        this.seen.push('flush');
        for (const { service } of this.kernel.table()) {
          this.kernel.apply({ kind: 'remove service', key: service.key });
        }
        return { type: 'applied', failures: [] };
      default:
        if (effect.type === 'problem') this.seen.push(effect.message);
        else if (effect.type === 'repair') this.seen.push(`repair by ${effect.operations.length}`);
        else this.seen.push(effect.type);
        return undefined;
    }
  }

  performAll(operations: readonly Operation[]): { index: number; code: string }[] {
    return operations.flatMap((operation, index) => {
      const refused = this.refuse(operation);
      if (refused !== undefined) return [{ index, code: refused }];
      try {
        this.kernel.apply(operation);
        return [];
      } catch (error) {
        return [{ index, code: (error as Error).message }];
      }
    });
  }
}

const web = (port: number, ...weights: number[]): TableEntry => ({
  service: {
    key: { kind: 'address', protocol: 'tcp', address: ip('10.0.0.1'), port },
    scheduler: 'wlc',
    flags: 0,
    persistence: 0,
    granularity: 32,
  },
  destinations: weights.map((weight, i) => ({
    address: ip(`10.0.1.${i + 1}`),
    port: 80,
    method: 'nat',
    weight,
    upper: 0,
    lower: 0,
  })),
});

const want = (...entries: TableEntry[]): KeeperEvent => ({ type: 'want', entries, claim: false });

test('what is right is adopted: nothing is sent', () => {
  const world = new World([web(80, 1, 2)]);
  world.event(want(web(80, 1, 2)));
  assert.equal(world.seen, ['read 1', 'settled']);
});

test('a change of one server is one operation, without a reading before', () => {
  const world = new World([]);
  world.event(want(web(80, 1, 2)));
  world.seen.length = 0;
  world.event({ type: 'entries', entries: [web(80, 1, 0)] });
  assert.equal(world.seen, ['edit destination 10.0.1.2:80 weight 0 of tcp 10.0.0.1:80']);
});

test('what others change is found at the next reading and put back', () => {
  const world = new World([]);
  world.event(want(web(80, 1)));
  world.kernel.apply({ kind: 'remove service', key: web(80).service.key });
  world.seen.length = 0;
  world.pass(READ_PERIOD);
  assert.equal(world.seen, [
    'read 1',
    'repair by 2',
    'add service tcp 10.0.0.1:80 (wlc)',
    'add destination 10.0.1.1:80 weight 1 of tcp 10.0.0.1:80',
  ]);
});

test('what changed in the meantime by our own will, or failed before, is no repair', () => {
  const world = new World([]);
  world.refuse = (operation) => (operation.kind === 'add destination' ? 'EINVAL' : undefined);
  world.event(want(web(80, 1), web(443)));
  world.held = true;
  world.pass(READ_PERIOD);
  world.event({ type: 'entries', entries: [web(443, 1)] });
  world.refuse = () => undefined;
  world.held = false;
  world.settle();
  world.pass(READ_PERIOD * 3);
  assert.equal(sorted(world.kernel.table()), sorted([web(80, 1), web(443, 1)]));
  assert.equal(
    world.seen.filter((line) => line.startsWith('repair')),
    [],
  );
});

test('a service that a reload drops is removed, one made by hand is not', () => {
  const world = new World([web(9999, 5)]);
  world.event(want(web(80, 1), web(443, 1)));
  world.event(want(web(80, 1)));
  assert.equal(sorted(world.kernel.table()), sorted([web(80, 1), web(9999, 5)]));
});

test('with claim everything else goes, and what is right stays untouched', () => {
  const world = new World([web(80, 1), web(9999, 5)]);
  world.event({ type: 'want', entries: [web(80, 1)], claim: true });
  assert.equal(world.seen, ['read 1', 'remove service tcp 10.0.0.1:9999', 'settled']);
});

test('a refusal is said once, with what to do, and tried again', () => {
  const world = new World([]);
  let present = false;
  world.refuse = ({ kind }) => (kind === 'add service' && !present ? 'ENOENT' : undefined);
  world.event(want(web(80, 1)));
  const message =
    'cannot add service tcp 10.0.0.1:80 (wlc): the kernel has no scheduler wlc; ' +
    'try: modprobe ip_vs_wlc (ENOENT)';
  const said = () => world.seen.filter((line) => line === message).length;
  assert.is(said(), 1);
  assert.is(
    world.seen.filter((line) => line.includes('ESRCH')).length,
    0,
    'what follows from it is not said',
  );
  world.pass(READ_PERIOD * 10);
  assert.is(said(), 1);
  assert.equal(world.keeper.problems(), [message]);
  present = true;
  world.pass(READ_PERIOD * 2);
  assert.equal(sorted(world.kernel.table()), sorted([web(80, 1)]));
  assert.equal(world.keeper.problems(), []);
});

test('a destination that somebody adds at the same moment is adopted', () => {
  const world = new World([web(80)]);
  world.event(want(web(80)));
  world.kernel.apply({
    kind: 'add destination',
    key: web(80).service.key,
    destination: { ...web(80, 7).destinations[0], weight: 7 } as TableEntry['destinations'][number],
  });
  world.event({ type: 'entries', entries: [web(80, 1)] });
  world.pass(READ_PERIOD);
  assert.equal(sorted(world.kernel.table()), sorted([web(80, 1)]));
});

test('a table that cannot be read is tried again at leisure', () => {
  const world = new World([]);
  world.held = true;
  world.event(want(web(80, 1)));
  assert.equal(world.waiting.splice(0), [{ type: 'read', destinationsOf: [web(80).service.key] }]);
  world.event({ type: 'unreadable', reason: 'ENOBUFS' });
  assert.equal(world.waiting.splice(0), [
    { type: 'problem', message: 'cannot read the IPVS table: ENOBUFS' },
  ]);
  world.held = false;
  world.pass(READ_PERIOD);
  assert.equal(sorted(world.kernel.table()), sorted([web(80, 1)]));
});

test('what changes while operations are under way is sent when they have ended', () => {
  const world = new World([]);
  world.event(want(web(80, 1, 1)));
  world.held = true;
  world.seen.length = 0;
  world.event({ type: 'entries', entries: [web(80, 1, 2)] });
  world.event({ type: 'entries', entries: [web(80, 1, 3)] });
  world.event({ type: 'entries', entries: [web(80, 1, 4)] });
  assert.is(world.waiting.length, 1);
  world.held = false;
  world.settle();
  assert.equal(world.seen, [
    'edit destination 10.0.1.2:80 weight 2 of tcp 10.0.0.1:80',
    'edit destination 10.0.1.2:80 weight 4 of tcp 10.0.0.1:80',
  ]);
});

test('release takes out what is ours and nothing else, also while something is under way', () => {
  const world = new World([web(9999, 5)]);
  world.held = true;
  world.event(want(web(80, 1)));
  world.event({ type: 'release', flush: false });
  world.held = false;
  world.settle();
  assert.equal(world.seen, ['read 1', 'released']);
  assert.equal(sorted(world.kernel.table()), [web(9999, 5)]);
  const other = new World([web(9999, 5)]);
  other.event(want(web(80, 1)));
  other.seen.length = 0;
  other.event({ type: 'release', flush: false });
  assert.equal(other.seen, ['remove service tcp 10.0.0.1:80', 'released']);
  assert.equal(sorted(other.kernel.table()), [web(9999, 5)]);
});

test('release with flush empties the table', () => {
  const world = new World([web(9999, 5)]);
  world.event(want(web(80, 1)));
  world.event({ type: 'release', flush: true });
  assert.equal(world.kernel.table(), []);
  assert.is(world.seen.at(-1), 'released');
});

test('release before anything was wanted is over at once', () => {
  const world = new World([]);
  world.event({ type: 'release', flush: false });
  assert.equal(world.seen, ['released']);
});

test('of many services a reading asks a slice, and comes round to all', () => {
  const entries = Array.from({ length: READ_SLICE * 2 + 1 }, (_, i) => web(i + 1, 1));
  const world = new World([]);
  world.event(want(...entries));
  assert.is(world.seen[0], `read ${entries.length}`);
  const first = web(1, 1);
  world.kernel.apply({
    kind: 'remove destination',
    key: first.service.key,
    destination: first.destinations[0] as TableEntry['destinations'][number],
  });
  world.seen.length = 0;
  world.pass(READ_PERIOD * 3);
  assert.equal(
    world.seen.filter((line) => line.startsWith('read')),
    [`read ${READ_SLICE}`, `read ${READ_SLICE}`, 'read 1'],
  );
  world.pass(READ_PERIOD);
  assert.equal(sorted(world.kernel.table()), sorted(entries));
});

test('a reload sends the difference from what is known, and reads only what it is not', () => {
  const world = new World([web(9999, 5)]);
  world.event(want(web(80, 1), web(443, 1)));
  world.seen.length = 0;
  world.event(want(web(80, 2), web(443, 1)));
  assert.equal(world.seen, ['edit destination 10.0.1.1:80 weight 2 of tcp 10.0.0.1:80']);
  world.seen.length = 0;
  world.event(want(web(80, 2), web(9999, 5)));
  assert.equal(world.seen, ['read 3', 'remove service tcp 10.0.0.1:443']);
});

test('what is ours is said before it is made, and what an earlier process made is removed', () => {
  const world = new World([web(9999, 5), web(81, 1)]);
  world.event({ type: 'inherit', keys: [web(81).service.key] });
  world.held = true;
  world.event(want(web(80, 1)));
  assert.equal(world.owned, ['tcp 10.0.0.1:81', 'tcp 10.0.0.1:80']);
  world.held = false;
  world.settle();
  assert.equal(sorted(world.kernel.table()), sorted([web(80, 1), web(9999, 5)]));
  world.pass(READ_PERIOD * 2);
  assert.equal(world.owned, ['tcp 10.0.0.1:80']);
  assert.equal(world.keeper.foreign(), [web(9999).service]);
  world.event({ type: 'release', flush: false });
  assert.equal(world.owned, []);
});

test('a long difference goes in parts', () => {
  const world = new World([]);
  world.held = true;
  world.event(want(...Array.from({ length: 1000 }, (_, i) => web(i + 1, 1, 1, 1))));
  world.performNext();
  const effect = world.waiting[0];
  assert.is(effect?.type, 'apply');
  if (effect?.type === 'apply') assert.ok(effect.operations.length < APPLY_LENGTH + 4);
});

test('whatever is wanted, changed by others and refused: in the end the table is as wanted', () => {
  const step = fc.oneof(
    table.map((entries) => ({ type: 'want' as const, entries })),
    table.map((entries) => ({ type: 'others' as const, entries })),
    fc.record({ type: fc.constant('refuse' as const), code: fc.constantFrom('ENOENT', 'EINVAL', 'EEXIST') }),
    fc.record({ type: fc.constant('pass' as const), us: fc.integer({ min: 0, max: READ_PERIOD * 2 }) }),
  );
  fc.assert(
    fc.property(table, fc.array(step, { maxLength: 12 }), table, (actual, steps, last) => {
      const world = new World(actual);
      let turn = 0;
      for (const each of steps) {
        if (each.type === 'want') world.event(want(...each.entries));
        else if (each.type === 'pass') world.pass(each.us);
        else if (each.type === 'refuse') {
          world.refuse = () => (turn++ % 2 === 0 ? each.code : undefined);
        } else {
          for (const { service } of world.kernel.table()) {
            world.kernel.apply({ kind: 'remove service', key: service.key });
          }
          for (const operation of addAll(each.entries)) world.kernel.apply(operation);
        }
      }
      world.refuse = () => undefined;
      world.event({ type: 'want', entries: last, claim: true });
      world.pass(READ_PERIOD * 4);
      assert.equal(sorted(world.kernel.table()), sorted(last));
      assert.equal(world.keeper.problems(), []);
    }),
    { numRuns: 300 },
  );
});

function addAll(entries: readonly TableEntry[]): Operation[] {
  return entries.flatMap(({ service, destinations }): Operation[] => [
    { kind: 'add service', service },
    ...destinations.map(
      (destination): Operation => ({
        kind: 'add destination',
        key: service.key,
        destination,
      }),
    ),
  ]);
}

test.run();
