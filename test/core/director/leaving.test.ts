import * as assert from 'uvu/assert';
import { type DirectorSettings, NO_SETTINGS } from '../../../src/core/director/events.ts';
import { OURS } from '../../../src/core/reconcile/entry.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { at } from '../vrrp/router.ts';
import { DOWN, instance, link, Shell, VIP } from './shell.ts';

/** What is to go, and is still there: nobody answers for it, and nobody else gets the votes for it. */
const test = suite('addresses that are to go');

test('votes are given back when the kernel has removed the addresses, not before', () => {
  const groups = [{ name: 'G', members: ['VI_1'], track: [], weights: true }];
  const settings = { ...NO_SETTINGS, instances: [instance()], groups };
  const shell = new Shell().event({ type: 'configure', settings, protected: true }).until(5);
  shell.event({ type: 'voted', group: 'G', event: { type: 'authorised' }, until: at(20) });
  shell.taken();
  shell.addresses.failures = [1];
  shell.hear(link(1, 'eth0', DOWN)).until(5.5);
  assert.equal(shell.taken(/^remove|^let go/), [`remove ${VIP}/24`], 'it was refused');
  shell.until(7);
  assert.equal(shell.taken(/^remove|^let go/), [`remove ${VIP}/24`, 'let go G']);
});

test('leases of an earlier life shut its addresses, and go when these have gone', () => {
  const begun = (more: Partial<DirectorSettings>): string[] => {
    const shell = new Shell();
    shell.addresses.own(1, `${VIP}/24`, OURS);
    shell.read();
    shell.configure([instance({ lease: seconds(0), term: seconds(3) })], {
      leaseTable: 'vipkeeper',
      ...more,
    });
    const done = shell.until(9).taken(/^remove|^leases: make/);
    return done.map((line) => line.split(',')[0] ?? '');
  };
  const inOrder = [`remove ${VIP}/24`, 'leases: make'];
  assert.equal(begun({}), inOrder);
  const start = { delay: seconds(5), afterBoot: seconds(0) };
  assert.equal(begun({ start }), inOrder, 'nothing begins before the delay is over');
});

test('a director that ends leaves the leases that shut what the kernel does not let go', () => {
  const ended = (refused: boolean): string[] => {
    const shell = new Shell().configure([instance({ lease: seconds(0), term: seconds(3) })], {
      leaseTable: 'vipkeeper',
    });
    shell.until(5).taken();
    if (refused) shell.addresses.failures = [1];
    return shell.event({ type: 'stop' }).taken(/^remove|^leases: remove/);
  };
  assert.equal(ended(false), [`remove ${VIP}/24`, 'leases: remove']);
  assert.equal(ended(true), [`remove ${VIP}/24`]);
});

test.run();
