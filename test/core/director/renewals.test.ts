import * as assert from 'uvu/assert';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { instance, Shell, vip } from './shell.ts';

/** Leases of milliseconds and adverts: a process that sleeps between them is woken once. */
const test = suite('renewals of leases');

test('all adverts of a wake-up leave first, and one transaction then renews their leases', () => {
  const routers = [51, 52, 53].map((vrid) =>
    instance({ name: `VI_${vrid}`, vrid, addresses: [vip(`10.0.0.${vrid}/24`)], term: seconds(3) }),
  );
  const shell = Shell.of(routers, { leaseTable: 'vipkeeper' }).until(10);
  shell.taken();
  const { now } = shell.until(10.7);
  assert.equal(shell.taken(/^sent|^leases/), [
    ...[51, 52, 53].map((vrid) => `sent ${vrid} 100 to 224.0.0.18`),
    `leases: ${Array(3).fill('end, grant').join(', ')}`,
  ]);
  const next = shell.director.deadline() ?? now;
  assert.ok(next - now > seconds(0.5), 'nothing wakes it before the next adverts');
});

test.run();
