import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  defaultLease,
  filterHolds,
  filterTerm,
  filterTimeout,
  KERNEL_LATENESS,
  lifetimeAt,
  longestSafeLease,
  renewalWindow,
  shortestUsefulLease,
} from '../../../src/core/fence/lease.ts';
import { micros, millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const lease = suite('lease');

lease('the defaults: 2 s for adverts every second, none where the kernel is too coarse', () => {
  assert.is(defaultLease(seconds(1)), seconds(2));
  assert.is(defaultLease(seconds(2)), seconds(5));
  assert.is(defaultLease(seconds(3)), seconds(8));
  assert.is(defaultLease(millis(500)), seconds(1));
  assert.is(defaultLease(millis(400)), 0);
  assert.is(defaultLease(millis(100)), 0);
  assert.is(defaultLease(millis(10)), 0);
  // Two missed adverts leave no room for it.
  assert.is(defaultLease(seconds(1), 2), 0);
});

lease('every default is gone before the quickest backup, and outlasts a late advert', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4095 }), fc.integer({ min: 1, max: 10 }), (cs, adverts) => {
      const interval = millis(cs * 10);
      const chosen = defaultLease(interval, adverts);
      assert.is(chosen % 1e6, 0);
      assert.ok(chosen === 0 || chosen + KERNEL_LATENESS < interval * adverts);
      assert.ok(chosen === 0 || chosen >= shortestUsefulLease(interval));
      assert.ok(chosen <= longestSafeLease(interval, adverts));
    }),
  );
});

lease('the lifetime: whole within the window, then what is left, then nothing', () => {
  assert.is(lifetimeAt(seconds(2), seconds(0)), 2);
  assert.is(lifetimeAt(seconds(2), millis(500)), 2);
  assert.is(lifetimeAt(seconds(2), millis(501)), 1);
  assert.is(lifetimeAt(seconds(2), seconds(1)), 1);
  assert.is(lifetimeAt(seconds(2), millis(1001)), undefined);
  assert.is(lifetimeAt(seconds(1), millis(251)), undefined);
});

lease('no lifetime ends later than the lease and the window after the advert', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(70_000), (length, ageMs) => {
      const lifetime = lifetimeAt(seconds(length), millis(ageMs));
      const ends = ageMs * 1e3 + (lifetime ?? 0) * 1e6;
      const window = renewalWindow(seconds(length));
      assert.ok(lifetime === undefined || (lifetime >= 1 && ends <= micros(length * 1e6 + window)));
      assert.ok(window <= seconds(0.5));
    }),
  );
});

lease(
  'the packet filter: until a backup may take over, less two ticks of the clock, and no longer than votes',
  () => {
    const [term, tick] = [filterTerm(millis(100), 3), millis(4)];
    assert.is(term, millis(300));
    assert.is(filterTerm(millis(100), 3, seconds(2)), seconds(2), 'as long as is written');
    assert.is(filterTimeout(term, tick, millis(0)), 292);
    assert.is(filterTimeout(term, tick, millis(0.1)), 291, 'whole milliseconds, rounded down');
    assert.is(filterTimeout(term, tick, millis(100)), 192);
    assert.is(filterTimeout(term, tick, millis(0), millis(50)), 42);
    assert.is(filterTimeout(term, tick, millis(291)), 1);
    assert.is(filterTimeout(term, tick, millis(291.5)), undefined);
    assert.is(filterTimeout(term, tick, millis(0), millis(-50)), undefined);
  },
);

lease('the packet filter: none where an advert that is a little late would come too late', () => {
  const holds = (advert: number, tick: number): boolean =>
    filterHolds(filterTerm(millis(advert), 3), millis(advert), millis(tick));
  assert.equal([holds(10, 1), holds(10, 4), holds(10, 10), holds(20, 10)], [true, true, false, true]);
  assert.not(filterHolds(seconds(0), millis(100), millis(4)));
});

lease.run();
