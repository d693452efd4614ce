import * as assert from 'uvu/assert';
import type { InterfaceAddress } from '../../../src/core/netlink/address.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { at, Bench, changesOf, PERMANENT, shown, summary, told, vip } from './addresses-bench.ts';
import { link } from './kernel-model.ts';

/** Addresses that the host has by itself, and those that an earlier life of ours left. */
const kernel = suite('whose an address is');

/** A kernel that keeps who made an address. */
const marking = (): Bench => new Bench([link(3, 'eth0')], true);
const ours = (text: string): InterfaceAddress => ({ ...shown(text), protocol: 18 });

kernel("the host's own address is left as it is: while it is held, when it is released, at the start", () => {
  const bench = marking();
  bench.do({ type: 'seen', address: shown('10.0.0.1/24'), present: true }, at(1));
  assert.equal(bench.hold(at(2), seconds(2), vip('10.0.0.1/24')), [
    { type: 'own', owner: 'VI_1', address: vip('10.0.0.1/24') },
  ]);
  assert.equal(bench.do({ type: 'renew', owner: 'VI_1' }, at(3)), [], 'it gets no lifetime');
  assert.equal(bench.hold(at(4), seconds(2), vip('10.0.0.1/24')), [], 'and that is said once');
  assert.equal(bench.do({ type: 'release', owner: 'VI_1' }, at(5)), []);
  const leftovers = [vip('10.0.0.1/24')];
  assert.equal(bench.do({ type: 'release', owner: 'VI_2', leftovers }, at(6)), [
    { type: 'own', owner: 'VI_2', address: vip('10.0.0.1/24') },
  ]);
});

kernel("the host's own address that somebody removes while it is held is ours from then on", () => {
  const bench = marking();
  bench.do({ type: 'seen', address: shown('10.0.0.1/24'), present: true }, at(1));
  bench.hold(at(2), PERMANENT, vip('10.0.0.1/24'));
  const gone = { type: 'seen', address: shown('10.0.0.1/24'), present: false } as const;
  assert.equal(summary(bench.changes(gone, at(3))), ['add 10.0.0.1/24 on 3 for ever']);
  bench.do({ type: 'seen', address: ours('10.0.0.1/24'), present: true }, at(3));
  assert.equal(summary(bench.changes({ type: 'release', owner: 'VI_1' }, at(4))), [
    'remove 10.0.0.1/24 on 3 for ever',
  ]);
});

kernel('what an earlier life left is removed and told, with another prefix length too', () => {
  const bench = marking();
  for (const text of ['10.0.0.1/24', '10.0.0.1/32', '10.0.0.2/32'])
    bench.do({ type: 'seen', address: ours(text), present: true }, at(1));
  bench.do({ type: 'seen', address: shown('10.0.0.1/16'), present: true }, at(1));
  const effects = bench.do({ type: 'release', owner: 'VI_1', leftovers: [vip('10.0.0.1/24')] }, at(2));
  assert.equal(
    told(effects).map((effect) => effect.type === 'leftover' && effect.address.address.length),
    [32, 24],
  );
  assert.equal(summary(changesOf(effects)), [
    'remove 10.0.0.1/32 on 3 for ever',
    'remove 10.0.0.1/24 on 3 for ever',
  ]);
});

kernel('a master removes what an earlier life left with another prefix length', () => {
  const bench = marking();
  bench.do({ type: 'seen', address: ours('10.0.0.1/32'), present: true }, at(1));
  const changes = changesOf(bench.hold(at(2), PERMANENT, vip('10.0.0.1/24')));
  assert.equal(summary(changes), ['remove 10.0.0.1/32 on 3 for ever', 'add 10.0.0.1/24 on 3 for ever']);
});

kernel('both prefix lengths of an address may be held', () => {
  const bench = marking();
  for (const text of ['10.0.0.1/24', '10.0.0.1/32'])
    bench.do({ type: 'seen', address: ours(text), present: true }, at(1));
  const changes = changesOf(bench.hold(at(2), PERMANENT, vip('10.0.0.1/24'), vip('10.0.0.1/32')));
  assert.equal(summary(changes), ['renew 10.0.0.1/24 on 3 for ever', 'renew 10.0.0.1/32 on 3 for ever']);
});

kernel('an address that came at the same moment is not taken over before it is known whose it is', () => {
  const bench = marking();
  const [add] = changesOf(bench.hold(at(1), PERMANENT, vip('10.0.0.1/24')));
  bench.answer(add === undefined ? [] : [add], at(1), 17);
  assert.equal(bench.machine.take(), []);
  const effects = bench.do({ type: 'seen', address: shown('10.0.0.1/24'), present: true }, at(1));
  assert.equal(effects, [{ type: 'own', owner: 'VI_1', address: vip('10.0.0.1/24') }]);
});

kernel.run();
