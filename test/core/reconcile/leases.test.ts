import * as assert from 'uvu/assert';
import { leaseTableName } from '../../../src/core/reconcile/lease-table.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { HOSTS, held, LOCAL, link, OTHER, Shell, VIP } from './lease-shell.ts';

/** Which address belongs to which lease, and when leases are renewed: by what is asked of the kernel. */
const test = suite('leases of the packet filter');

test('held: a lease that is good, and its address; released: over, and free when it is gone', () => {
  const shell = new Shell();
  shell.hold('A', [VIP]);
  assert.match(shell.taken(), /^\+lease1 \+chain:lease1 .*\+vips \+lease1$/);
  shell.see('10.0.0.100', true).at(100).renew('A').at(200);
  assert.is(shell.taken(), '-lease1 +lease1');
  shell.event({ type: 'release', owner: 'A' });
  assert.is(shell.taken(), '-lease1', 'over');
  shell.event({ type: 'settle' });
  assert.is(shell.taken(), '', 'its address is still there');
  shell.see('10.0.0.100', false);
  assert.is(shell.taken(), '-vips -chain:lease1 -lease1');
  shell.hold('A', [VIP]).at(500).taken();
  shell.event({ type: 'release', owner: 'A' });
  assert.is(shell.taken(), '+lease2 -lease2', 'over, although it may have run out');
});

test('one that never came to an interface is free at once', () => {
  const shell = new Shell().hold('A', [VIP]);
  shell.taken();
  shell.event({ type: 'release', owner: 'A' }).event({ type: 'settle' });
  assert.is(shell.taken(), '-lease1 -vips -chain:lease1 -lease1');
});

test('a lease that may have run out is had first: what is not there cannot be ended', () => {
  const shell = new Shell().hold('A', [VIP]);
  shell.taken();
  // It is good for 273 ms; the kernel may have begun a tick earlier, and rounded it down by one.
  shell
    .at(264 - 18.75)
    .renew('A')
    .at(264);
  assert.is(shell.taken(), '-lease1 +lease1');
  shell.at(264 + 265).renew('A');
  assert.is(shell.taken(), '+lease1 -lease1 +lease1');
});

test('votes that end first, and an advert that did not leave', () => {
  const shell = new Shell().hold('A', [VIP]);
  shell.taken();
  shell.renew('A', instant(1e9 + 8000)).at(18.75);
  assert.is(shell.taken(), '', 'two ticks are left of them, which is nothing');
  shell.renew('A', instant(1e9 + 46_500)).at(37.5);
  assert.is(shell.taken(), '-lease1 +lease1');
  shell.event({ type: 'release', owner: 'A' }).event({ type: 'settle' });
  shell.taken();
  shell.hold('A', [VIP], { unsent: true });
  assert.match(shell.taken(), /\+vips$/, 'it is shut, and no lease is good');
  shell.renew('A');
  assert.is(shell.taken(), '+lease2');
});

test('without a term, and for nothing, there is no lease', () => {
  const shell = new Shell()
    .hold('A', [VIP], { term: seconds(0) })
    .hold('B', [])
    .renew('A')
    .renew('B');
  assert.is(shell.taken(), '');
  shell.hold('A', [VIP]);
  shell.taken();
  shell.hold('A', [VIP], { term: seconds(0) }).event({ type: 'settle' });
  assert.is(shell.taken(), '-lease1 -vips -chain:lease1 -lease1', 'a reload took it away');
});

test('a reload adds and removes addresses, and moves one to another router', () => {
  const shell = new Shell().hold('A', [VIP]).see('10.0.0.100', true);
  shell.taken();
  shell.hold('A', [VIP, OTHER]).event({ type: 'settle' });
  assert.is(shell.taken(), '+vips');
  shell.hold('A', [OTHER]).event({ type: 'settle' });
  assert.is(shell.taken(), '', 'the one that goes is answered for until it is gone');
  shell.see('10.0.0.100', false);
  assert.is(shell.taken(), '-vips');
  shell.hold('B', [OTHER]);
  assert.match(shell.taken(), /^-vips \+lease2 .*\+vips \+lease2$/);
  shell.event({ type: 'release', owner: 'B' }).event({ type: 'settle' });
  assert.is(shell.taken(), '-lease2', 'the first one has it again with its next settling');
  shell.see('10.0.0.101', true);
  assert.is(shell.taken(), '-vips +vips -chain:lease2 -lease2');
});

test("the host's own address is not guarded, and one on another interface keeps none shut", () => {
  const shell = new Shell().see('10.0.0.100', true, HOSTS).hold('A', [VIP]).renew('A');
  assert.is(shell.taken(), '');
  shell.see('10.0.0.100', false, HOSTS);
  assert.match(shell.taken(), /\+vips$/, 'somebody removed it');
  shell.see('10.0.0.100', true).see('10.0.0.100', true, HOSTS, 2).renew('A');
  shell.taken();
  shell.event({ type: 'release', owner: 'A' }).see('10.0.0.100', false);
  assert.match(shell.taken(), /-vips/, 'eth1 has it, too, which is no concern of ours');
});

test('a link-local address belongs to its interface, also when that comes under another number', () => {
  const shell = new Shell().hold('A', [LOCAL]).hold('B', [held('fe80::100', 'eth1')]);
  assert.is(shell.taken().match(/\+vips6_local/g)?.length, 2);
  shell.event({ type: 'links', links: [link(1, 'eth0')] });
  const without = shell.taken();
  assert.is(without.match(/\+vips6_local/g)?.length, 2, 'the map, and what is there');
  shell.event({ type: 'links', links: [link(1, 'eth0'), link(9, 'eth1')] });
  assert.is(shell.taken().match(/\+vips6_local/g)?.length, 3);
});

test('what was held before the beginning is in the tables from the beginning', () => {
  const shell = new Shell(false).hold('A', [VIP]);
  assert.is(shell.taken(), '');
  shell.event({ type: 'begin', table: 't' });
  assert.match(shell.taken(), /^\+table -table \+table .*\+lease1 .*\+vips \+lease1$/);
  assert.equal(shell.said, ['works']);
  shell.event({ type: 'begin', table: 't' });
  assert.is(shell.taken(), '', 'it is there');
  shell.event({ type: 'stop' });
  assert.is(shell.taken(), '+table -table');
});

test('tables that somebody removed are made again, and it is said, but not each time', () => {
  const shell = new Shell().hold('A', [VIP]).see('10.0.0.100', true);
  shell.event({ type: 'release', owner: 'A' }).hold('B', [OTHER]);
  shell.taken();
  const once = (): void => {
    let left = 1;
    shell.refuses = () => left-- > 0;
  };
  once();
  shell.renew('B').at(20);
  assert.match(shell.taken(), /^-lease2 \+lease2 \+table -table \+table /);
  assert.equal(shell.said, ['works again']);
  shell.see('10.0.0.100', false);
  assert.match(shell.taken(), /^-vips -chain:lease1 -lease1$/, 'what had stayed shut was shut again');
  once();
  shell.at(1000).renew('B').at(1020);
  assert.equal(shell.said, ['works again']);
  once();
  shell.at(70_000).renew('B').at(70_020);
  assert.equal(shell.said, ['works again', 'works again']);
});

test('a kernel without nf_tables: said once, tried again now and then, and at a reload', () => {
  const shell = new Shell(false);
  shell.refuses = () => true;
  shell.event({ type: 'begin', table: 't' }).hold('A', [VIP]);
  assert.equal(shell.said, ['fails']);
  shell.taken();
  shell.at(9_000).renew('A');
  assert.is(shell.taken(), '');
  shell.at(11_000).renew('A');
  assert.match(shell.taken(), /^\+table/);
  assert.equal(shell.said, ['fails']);
  shell.refuses = undefined;
  shell.event({ type: 'begin', table: 't' });
  assert.equal(shell.said, ['fails', 'works again']);
  shell.at(11_100).renew('A').at(11_120);
  assert.is(shell.taken().split(' ').slice(-2).join(' '), '-lease1 +lease1');
});

test('the tables of the daemons of a host have different names, which nft(8) can write', () => {
  assert.is(leaseTableName('/run/vipkeeper'), 'vipkeeper_lease');
  assert.is(leaseTableName('/run/vipkeeper/blue'), 'vipkeeper_lease_blue');
  assert.is(leaseTableName('/tmp/a-b c/run'), 'vipkeeper_lease_tmp_a_b_c_run');
  assert.ok(leaseTableName(`/${'x'.repeat(4000)}`).length < 256);
});

test('what an earlier life has left, and the kernel does not let go, is shut when the table is made', () => {
  const shell = new Shell(false).see('10.0.0.100', true).see('10.0.0.101', true);
  shell.event({ type: 'release', owner: 'a', leftovers: [VIP, held('10.0.0.102')] });
  shell.event({ type: 'settle' }).event({ type: 'begin', table: 't' });
  assert.match(shell.taken(), /\+vips/);
  shell.see('10.0.0.100', false);
  assert.match(shell.taken(), /-vips/, 'it has gone');
});

test.run();
