import * as assert from 'uvu/assert';
import type { HeldAddress } from '../../../src/core/reconcile/events.ts';
import type { LeaseStep, LeasesEvent } from '../../../src/core/reconcile/lease-events.ts';
import { LeaseRequests, requestsOfLeases } from '../../../src/core/reconcile/lease-table.ts';
import { millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { held, LOCAL, OTHER, Shell, TERM, VIP } from './lease-shell.ts';

/** What makes leases cheap: renewals that wait for others, and leases that are ready before a takeover. */
const test = suite('leases of the packet filter, in turns and beforehand');

test('renewals wait for others: one transaction, as if each had been made with its advert', () => {
  const owners = ['A', 'B', 'C', 'D'];
  const shell = new Shell();
  for (const [i, owner] of owners.entries()) shell.hold(owner, [held(`10.0.0.${i}`)]);
  shell.taken();
  shell.transactions = [];
  shell.at(100);
  for (const owner of owners) shell.renew(owner);
  shell.event({ type: 'release', owner: 'D' });
  assert.equal(shell.transactions.splice(0), ['end 4'], 'only what ends does so at once');
  shell.at(100.001);
  assert.equal(shell.transactions, ['end 1, grant 1 273, end 2, grant 2 273, end 3, grant 3 273']);
});

test('a renewal that comes late is counted from its advert', () => {
  const shell = new Shell().hold('A', [VIP]).at(100).renew('A');
  shell.transactions = [];
  shell.stall(200);
  assert.equal(shell.transactions.splice(0), ['end 1, grant 1 192']);
  shell.at(220).renew('A').stall(600);
  assert.equal(shell.transactions, [], 'nothing is left of it');
});

test('so many renewals that adverts would wait are made in turns', () => {
  const shell = new Shell();
  for (let i = 0; i < 120; i++) shell.hold(`R${i}`, [held(`10.0.1.${i}`)]);
  for (let i = 0; i < 120; i++) shell.renew(`R${i}`);
  shell.transactions = [];
  shell.at(40);
  assert.equal(
    shell.transactions.map((each) => each.split('grant').length - 1),
    [50, 50, 20],
  );
});

test('a short term leaves no time to wait', () => {
  const shell = new Shell().hold('A', [VIP], { term: millis(100) });
  shell.taken();
  shell.at(20).renew('A', undefined, millis(100));
  assert.is(shell.taken(), '-lease1 +lease1');
});

const expecting = (...addresses: readonly HeldAddress[]): LeasesEvent => ({
  type: 'expect',
  owners: [
    { owner: 'A', addresses, term: TERM },
    { owner: 'B', addresses: [LOCAL], term: TERM },
    { owner: 'none', addresses: [VIP], term: seconds(0) },
  ],
});

test('leases are ready before a takeover: nothing is guarded, and one transaction takes them', () => {
  const shell = new Shell(false).event(expecting(VIP)).event({ type: 'begin', table: 't' });
  const made = shell.taken();
  assert.match(made, /\+chain:lease1 .*\+chain:lease2/);
  assert.not.match(made, /-chain|chain:lease3/);
  assert.is(made.match(/\+vips\b/g)?.length, 1, 'the map, and nothing in it');
  shell.hold('A', [VIP]);
  assert.is(shell.taken(), '+vips +lease1');
  shell.hold('B', [LOCAL, OTHER]);
  assert.is(shell.taken(), '+vips +vips6_local +lease2', 'of more than was expected, too');
});

test('a lease that is over is never good again: another one is made ready, a while later', () => {
  const shell = new Shell().event(expecting(VIP)).hold('A', [VIP]);
  shell.event({ type: 'release', owner: 'A' }).taken();
  shell.at(900);
  assert.is(shell.taken(), '');
  shell.at(1000);
  assert.match(shell.taken(), /^\+lease3 \+chain:lease3 /);
  shell.hold('A', [VIP]);
  assert.match(shell.taken(), /^-vips \+vips .*\+lease3$/);
});

test('a reload makes leases ready for what is expected now, and closes the others', () => {
  const shell = new Shell().event(expecting(VIP));
  shell.taken();
  shell.event(expecting(VIP));
  assert.is(shell.taken(), '', 'nothing is different');
  shell.event(expecting(OTHER));
  assert.match(shell.taken(), /^-chain:lease1 -lease1 \+lease3 \+chain:lease3 /);
  shell.event({ type: 'expect', owners: [] });
  assert.is(shell.taken(), '-chain:lease2 -lease2 -chain:lease3 -lease3');
  shell.hold('A', [VIP]).event(expecting(VIP));
  assert.not.match(shell.taken(), /lease6/, 'who holds has one');
});

test('tables that are made again have the leases that are ready, and the next takeover is as quick', () => {
  const shell = new Shell().event(expecting(VIP));
  shell.taken();
  let left = 1;
  shell.refuses = () => left-- > 0;
  shell.hold('A', [VIP]);
  assert.match(shell.taken(), /^\+vips \+lease1 \+table .*\+chain:lease1 .*\+vips \+chain:lease2|lease2/);
  shell.hold('B', [LOCAL]);
  assert.is(shell.taken(), '+vips6_local +lease2');
});

test('messages of a takeover are made when its lease is', () => {
  const requests = new LeaseRequests();
  const guard: LeaseStep = { op: 'guard', lease: 1, guarded: [{ address: VIP.address.ip }] };
  const grant: LeaseStep = { op: 'grant', lease: 1, timeout: 273 };
  requests.of('t', [{ op: 'open', lease: 1, next: [guard, grant] }]);
  const made = requests.of('t', [guard, grant]);
  assert.equal(
    made.map(({ asked }) => asked),
    requestsOfLeases('t', [guard, grant]).map(({ asked }) => asked),
  );
  for (const [i, each] of requests.of('t', [guard, grant]).entries()) assert.is(each, made[i]);
  assert.is.not(requests.of('other', [guard])[0], made[0]);
});

test.run();
