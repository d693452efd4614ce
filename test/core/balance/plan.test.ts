import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Destination, TableEntry } from '../../../src/core/balance/model.ts';
import { serviceName } from '../../../src/core/balance/model.ts';
import { describeOperation, plan } from '../../../src/core/balance/plan.ts';
import { suite } from '../../suite.ts';
import { table } from './arbitrary.ts';
import { ModelKernel, sorted } from './model-kernel.ts';
import { SERVICE, server } from './samples.ts';

const test = suite('plan');

const names = (entries: readonly TableEntry[]): Set<string> =>
  new Set(entries.map((entry) => serviceName(entry.service.key)));

const web = (...destinations: Destination[]): TableEntry => ({
  service: SERVICE,
  destinations,
});

test('the kernel accepts every operation and then holds what is desired', () => {
  fc.assert(
    fc.property(table, table, (desired, actual) => {
      const kernel = new ModelKernel(actual);
      for (const operation of plan(desired, actual, names(actual))) kernel.apply(operation);
      assert.equal(sorted(kernel.table()), sorted(desired));
      assert.equal(plan(desired, kernel.table(), names(actual)), []);
    }),
    { numRuns: 1000 },
  );
});

test('services that are neither desired nor owned stay as they are', () => {
  fc.assert(
    fc.property(table, table, (desired, actual) => {
      const kernel = new ModelKernel(actual);
      for (const operation of plan(desired, actual, new Set())) kernel.apply(operation);
      const wanted = names(desired);
      const foreign = actual.filter((entry) => !wanted.has(serviceName(entry.service.key)));
      assert.equal(sorted(kernel.table()), sorted([...desired, ...foreign]));
    }),
  );
});

test('never do fewer destinations serve than before or after, whichever is less', () => {
  fc.assert(
    fc.property(table, table, (desired, actual) => {
      const kernel = new ModelKernel(actual);
      const after = new ModelKernel(desired);
      const least = new Map<string, number>();
      for (const name of names(actual)) {
        least.set(name, Math.min(kernel.serving(name), after.serving(name)));
      }
      for (const operation of plan(desired, actual, names(actual))) {
        kernel.apply(operation);
        for (const [name, count] of least) assert.ok(kernel.serving(name) >= count);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a sorry server is in before the last real server goes, and the reverse', () => {
  const real = web(server(1), server(2));
  const sorry = web(server(9));
  assert.equal(plan([sorry], [real], new Set()).map(describeOperation), [
    'add destination 10.0.1.9:80 weight 1 of tcp 10.0.0.1:80',
    'remove destination 10.0.1.1:80 of tcp 10.0.0.1:80',
    'remove destination 10.0.1.2:80 of tcp 10.0.0.1:80',
  ]);
  assert.equal(plan([real], [sorry], new Set()).map(describeOperation), [
    'add destination 10.0.1.1:80 weight 1 of tcp 10.0.0.1:80',
    'add destination 10.0.1.2:80 weight 1 of tcp 10.0.0.1:80',
    'remove destination 10.0.1.9:80 of tcp 10.0.0.1:80',
  ]);
});

test('a weight is raised from 0 before another is lowered to it', () => {
  const operations = plan([web(server(1, 0), server(2, 3))], [web(server(1, 3), server(2, 0))], new Set());
  assert.equal(operations.map(describeOperation), [
    'edit destination 10.0.1.2:80 weight 3 of tcp 10.0.0.1:80',
    'edit destination 10.0.1.1:80 weight 0 of tcp 10.0.0.1:80',
  ]);
});

test('a destination that is written twice is added once', () => {
  const operations = plan([web(server(1), server(1, 5))], [], new Set());
  assert.equal(operations.map(describeOperation), [
    'add service tcp 10.0.0.1:80 (wlc)',
    'add destination 10.0.1.1:80 weight 1 of tcp 10.0.0.1:80',
  ]);
});

test('of a thousand services with ten servers each one changed weight is one operation', () => {
  const large = (changed: number): TableEntry[] =>
    Array.from({ length: 1000 }, (_, i) => ({
      service: {
        ...web().service,
        key: { kind: 'fwmark' as const, mark: i + 1, family: 4 as const },
      },
      destinations: Array.from({ length: 10 }, (_, j) => server(j + 1, i === 500 && j === 5 ? changed : 1)),
    }));
  assert.is(plan(large(1), [], new Set()).length, 11_000);
  assert.equal(plan(large(7), large(1), new Set()).map(describeOperation), [
    'edit destination 10.0.1.6:80 weight 7 of fwmark 501 inet',
  ]);
});

test.run();
