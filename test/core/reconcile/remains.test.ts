import * as assert from 'uvu/assert';
import { formatPrefix } from '../../../src/core/ip.ts';
import type { InterfaceAddress } from '../../../src/core/netlink/address.ts';
import { remainsOf } from '../../../src/core/reconcile/remains.ts';
import { suite } from '../../suite.ts';
import { SETTINGS } from '../vrrp/router.ts';
import { prefix, shown } from './addresses-bench.ts';
import { link } from './kernel-model.ts';

const test = suite('what a process has left');

const LINKS = [link(3, 'eth0'), link(4, 'eth1')];
const away = { address: prefix('10.1.0.100/24'), scope: 0, dev: 'eth1' };
const instances = [
  { ...SETTINGS, excluded: [away] },
  { ...SETTINGS, name: 'VI_2', addresses: [{ address: prefix('10.0.0.101/24'), scope: 0 }] },
];
const ours = (text: string, ifindex = 3): InterfaceAddress => ({ ...shown(text, ifindex), protocol: 18 });
const left = (addresses: InterfaceAddress[], marks: boolean, ...masters: string[]): string[] =>
  remainsOf(instances, LINKS, addresses, marks, new Set(masters)).map(({ address }) => formatPrefix(address));

test('what is ours by its mark, on the interface where it belongs', () => {
  const all = [
    ours('10.0.0.100/24'),
    shown('10.0.0.101/24'),
    ours('10.1.0.100/24', 4),
    ours('10.1.0.100/24'),
  ];
  assert.equal(left(all, true), ['10.0.0.100/24', '10.1.0.100/24']);
  assert.equal(left([ours('10.0.0.7/24'), ours('10.0.0.100/32')], true), []);
});

test('without marks, what masters held', () => {
  const all = [shown('10.0.0.100/24'), shown('10.0.0.101/24')];
  assert.equal(left(all, false, 'VI_2'), ['10.0.0.101/24']);
  assert.equal(left(all, false), []);
});

test.run();
