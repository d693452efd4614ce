import * as assert from 'uvu/assert';
import type { Link } from '../../../src/core/netlink/link.ts';
import { makePrivateLink, privateLinkOf, shapePrivateLink } from '../../../src/core/reconcile/privatelink.ts';
import { suite } from '../../suite.ts';

const test = suite('private link of connection sync');

const link = (name: string, kind?: string): Link => ({
  ...{ ifindex: 7, name, type: 1, flags: 0, mtu: 1500, operState: 0 },
  ...(kind !== undefined && { kind }),
});

test('it is ours by its name and kind', () => {
  assert.equal(privateLinkOf([link('eth0'), link('dummy0', 'dummy')]), { kind: 'absent' });
  assert.equal(privateLinkOf([link('vksync', 'dummy')]), { kind: 'there', ifindex: 7 });
  assert.equal(privateLinkOf([link('vksync', 'macvlan')]), { kind: 'foreign' });
  assert.equal(privateLinkOf([link('vksync')]), { kind: 'foreign' });
});

test('what is asked for, in this order', () => {
  assert.equal(
    makePrivateLink().map(({ asked }) => asked),
    [
      'make the dummy interface vksync',
      'keep link-local addresses off vksync',
      'set the MTU of vksync to 65535',
    ],
  );
  assert.equal(
    shapePrivateLink(7).map(({ asked }) => asked),
    ['set vksync up', 'add address 169.254.81.81/32 on interface 7'],
  );
});

test.run();
