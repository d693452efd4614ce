import * as assert from 'uvu/assert';
import { ADDRESS_FLAG } from '../../../src/core/netlink/address.ts';
import { requestOf } from '../../../src/core/reconcile/events.ts';
import { after, type Instant, micros, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { at, Bench, changesOf, PERMANENT, shown, summary, told, vip } from './addresses-bench.ts';
import { link } from './kernel-model.ts';

const kernel = suite('virtual addresses');

kernel('held addresses are added with their lease, at most 50 a batch', () => {
  const addresses = Array.from({ length: 120 }, (_, i) => vip(`10.0.0.${i + 1}/32`));
  const effects = new Bench().hold(at(1), seconds(2), ...addresses);
  assert.equal(
    effects.map((effect) => (effect.type === 'apply' ? effect.changes.length : 0)),
    [50, 50, 20],
  );
  assert.is(summary(changesOf(effects))[0], 'add 10.0.0.1/32 on 3 for 2 s');
});

kernel('IPv6: no duplicate detection, and a /128 is deprecated', () => {
  const effects = new Bench().hold(at(1), seconds(2), vip('fe80::1/64'), vip('2001:db8::1/128'));
  assert.equal(
    changesOf(effects).map(({ address: { flags, valid, preferred } }) => [flags, valid, preferred]),
    [
      [ADDRESS_FLAG.noDad, 2, 2],
      [ADDRESS_FLAG.noDad, 2, 0],
    ],
  );
});

kernel('a change as a request says what it is for', () => {
  const [change] = changesOf(new Bench().hold(at(1), seconds(2), vip('10.0.0.1/24')));
  if (change === undefined) throw new RangeError('no change');
  assert.is(requestOf(change).asked, 'add address 10.0.0.1/24 on interface 3');
  assert.is(requestOf({ ...change, op: 'renew' }).asked, 'renew address 10.0.0.1/24 on interface 3');
  assert.is(requestOf({ ...change, op: 'remove' }).asked, 'remove address 10.0.0.1/24 from interface 3');
});

kernel('an advert renews when a quarter of the lease is used, not before', () => {
  const bench = new Bench();
  bench.install(at(1), seconds(2), vip('10.0.0.1/24'));
  assert.equal(bench.changes({ type: 'renew', owner: 'VI_1' }, at(1.4)), []);
  assert.equal(summary(bench.changes({ type: 'renew', owner: 'VI_1' }, at(1.5))), [
    'renew 10.0.0.1/24 on 3 for 2 s',
  ]);
  assert.equal(bench.changes({ type: 'renew', owner: 'nobody' }, at(9)), []);
});

kernel('no lifetime outlives the votes, the time included that the kernel may be late', () => {
  const bench = new Bench();
  const held = { type: 'hold', owner: 'VI_1', addresses: [vip('10.0.0.1/24')], lease: seconds(5) } as const;
  const [first] = bench.changes({ ...held, until: at(4.5) }, at(1));
  assert.is(first?.address.valid, 3);
  assert.equal(
    bench.changes({ type: 'renew', owner: 'VI_1', until: at(4.5) }, at(3.3)),
    [],
    'too little is left',
  );
  const [renewed] = bench.changes({ type: 'renew', owner: 'VI_1', until: at(9) }, at(3.4));
  assert.is(renewed?.address.valid, 5);
});

kernel('a renewal does not make an address young again: preferred_lft runs from its coming', () => {
  const bench = new Bench();
  const held = { ...vip('10.0.0.1/24'), preferred: 5 };
  const said = changesOf(bench.hold(at(0), seconds(4), held));
  bench.answer(said, at(0));
  for (const s of [2, 4, 6]) said.push(...bench.changes({ type: 'renew', owner: 'VI_1' }, at(s)));
  assert.equal(
    said.map(({ address: { valid, preferred } }) => [valid, preferred]),
    [
      [4, 4],
      [4, 3],
      [4, 1],
      [4, 0],
    ],
  );
  bench.changes({ type: 'release', owner: 'VI_1' }, at(7));
  const [again] = changesOf(bench.hold(at(8), seconds(9), held));
  assert.is(again?.address.preferred, 5, 'held anew');
});

kernel('without an advert nothing is renewed', () => {
  const bench = new Bench();
  bench.install(at(1), seconds(2), vip('10.0.0.1/24'));
  assert.is(bench.machine.deadline(), undefined);
});

kernel('addresses without a lease are left alone, and get one when it is wished', () => {
  const bench = new Bench();
  bench.install(at(1), PERMANENT, vip('10.0.0.1/24'));
  assert.equal(changesOf(bench.hold(at(9), PERMANENT, vip('10.0.0.1/24'))), []);
  assert.equal(summary(changesOf(bench.hold(at(10), seconds(2), vip('10.0.0.1/24')))), [
    'renew 10.0.0.1/24 on 3 for 2 s',
  ]);
});

kernel('many renewals are spread: a batch a turn, 5 ms between', () => {
  const bench = new Bench();
  const addresses = Array.from({ length: 120 }, (_, i) => vip(`10.0.0.${i + 1}/32`));
  bench.install(at(1), seconds(2), ...addresses);
  const sizes: number[] = [];
  const first = bench.do({ type: 'renew', owner: 'VI_1' }, at(2));
  sizes.push(changesOf(first).length);
  bench.answer(changesOf(first), at(2));
  for (let now = bench.machine.deadline(); now !== undefined; now = bench.machine.deadline()) {
    bench.machine.timeout(now);
    const changes = changesOf(bench.machine.take());
    sizes.push(changes.length);
    bench.answer(changes, now);
    assert.is((now - at(2)) % 5_000, 0);
  }
  assert.equal(sizes, [50, 50, 20]);
});

kernel('a slow batch of renewals makes the next ones smaller, a quick one larger', () => {
  const bench = new Bench();
  const addresses = Array.from({ length: 200 }, (_, i) => vip(`2001:db8::${i + 1}/128`));
  bench.install(at(1), seconds(2), ...addresses);
  const sizes: number[] = [];
  let batch = changesOf(bench.do({ type: 'renew', owner: 'VI_1' }, at(2)));
  for (const took of [3_000, 3_000, 1_500, 500, 500]) {
    sizes.push(batch.length);
    const sent = after(at(2), micros((sizes.length - 1) * 5_000));
    bench.answer(batch, after(sent, micros(took)));
    bench.machine.timeout(after(sent, micros(5_000)));
    batch = changesOf(bench.machine.take());
  }
  assert.equal([...sizes, batch.length], [50, 25, 12, 12, 24, 48]);
});

kernel('however slow the kernel is, a thousand leases are renewed before they run out', () => {
  const bench = new Bench();
  const addresses = Array.from({ length: 1000 }, (_, i) => vip(`10.0.${i >> 8}.${i & 255}/32`));
  bench.install(at(1), seconds(1), ...addresses);
  let now: Instant | undefined = at(1.5);
  let [renewed, batch] = [0, changesOf(bench.do({ type: 'renew', owner: 'VI_1' }, now))];
  while (now !== undefined && batch.length > 0) {
    renewed += batch.length;
    const done = after(now, micros(6_000));
    assert.ok(done < at(2), `only ${renewed} of 1000 in time`);
    bench.answer(batch, done);
    now = bench.machine.deadline();
    if (now === undefined) break;
    now = now > done ? now : done;
    bench.machine.timeout(now);
    batch = changesOf(bench.machine.take());
  }
  assert.is(renewed, 1000);
});

kernel('release removes, and so goes what an earlier life left behind', () => {
  const bench = new Bench();
  bench.install(at(1), PERMANENT, vip('10.0.0.1/24'));
  bench.do({ type: 'seen', address: shown('10.0.0.9/24'), present: true }, at(2));
  const leftovers = [vip('10.0.0.1/24'), vip('10.0.0.9/24'), vip('10.0.0.10/24')];
  const changes = bench.changes({ type: 'release', owner: 'VI_1', leftovers }, at(3), 99);
  assert.equal(summary(changes).sort(), [
    'remove 10.0.0.1/24 on 3 for ever',
    'remove 10.0.0.9/24 on 3 for ever',
  ]);
  assert.equal(bench.machine.take(), []);
  assert.equal(bench.changes({ type: 'release', owner: 'VI_1', leftovers }, at(4)), []);
});

kernel('an address of two owners stays until both have released it', () => {
  const bench = new Bench();
  bench.install(at(1), PERMANENT, vip('10.0.0.1/24'));
  const addresses = [vip('10.0.0.1/24')];
  assert.equal(bench.changes({ type: 'hold', owner: 'VI_2', addresses, lease: PERMANENT }, at(1)), []);
  assert.equal(bench.changes({ type: 'release', owner: 'VI_1', leftovers: addresses }, at(2)), []);
  assert.is(bench.changes({ type: 'release', owner: 'VI_2' }, at(3)).length, 1);
});

kernel('an address that is no longer in the list goes', () => {
  const bench = new Bench();
  bench.install(at(1), PERMANENT, vip('10.0.0.1/24'), vip('10.0.0.2/24'));
  assert.equal(summary(changesOf(bench.hold(at(2), PERMANENT, vip('10.0.0.2/24'), vip('10.0.0.3/24')))), [
    'remove 10.0.0.1/24 on 3 for ever',
    'add 10.0.0.3/24 on 3 for ever',
  ]);
});

kernel('an address that vanishes is put back at once, then once a second, and its owner is told', () => {
  const bench = new Bench();
  bench.install(at(1), PERMANENT, vip('10.0.0.1/24'));
  const gone = { type: 'seen', address: shown('10.0.0.1/24'), present: false } as const;
  const back = bench.do(gone, at(2));
  assert.equal(summary(changesOf(back)), ['restore 10.0.0.1/24 on 3 for ever']);
  bench.answer(changesOf(back), at(2));
  assert.equal(bench.machine.take(), [{ type: 'restored', owner: 'VI_1', addresses: [vip('10.0.0.1/24')] }]);
  assert.equal(bench.do(gone, at(2.1)), []);
  assert.is(bench.machine.deadline(), at(3));
  bench.machine.timeout(at(3));
  assert.is(changesOf(bench.machine.take()).length, 1);
});

kernel('what the lease took is not put back before the owner\u2019s next advert', () => {
  const bench = new Bench();
  bench.install(at(1), seconds(2), vip('10.0.0.1/24'));
  const gone = { type: 'seen', address: shown('10.0.0.1/24'), present: false } as const;
  assert.equal(bench.do(gone, at(9)), []);
  assert.is(bench.machine.deadline(), undefined);
  const back = bench.do({ type: 'renew', owner: 'VI_1' }, at(9.5));
  assert.equal(summary(changesOf(back)), ['restore 10.0.0.1/24 on 3 for 2 s']);
  bench.answer(changesOf(back), at(9.5));
  assert.is(told(bench.machine.take())[0]?.type, 'restored');
});

kernel(
  'the monitor is silent of renewals: one that put back what somebody removed is followed by news that it is gone',
  () => {
    const bench = new Bench();
    bench.install(at(1), seconds(2), vip('10.0.0.1/24'));
    const [renewal] = bench.changes({ type: 'renew', owner: 'VI_1' }, at(2));
    assert.is(renewal?.op, 'renew');
    const gone = { type: 'seen', address: shown('10.0.0.1/24'), present: false } as const;
    const back = bench.changes(gone, at(2));
    assert.equal(summary(back), ['restore 10.0.0.1/24 on 3 for 2 s']);
    assert.is(told(bench.machine.take())[0]?.type, 'restored');
  },
);

kernel('in between it is put back for what is left of the lease', () => {
  const bench = new Bench();
  bench.install(at(1), seconds(3), vip('10.0.0.1/24'));
  const gone = { type: 'seen', address: shown('10.0.0.1/24'), present: false } as const;
  assert.equal(summary(changesOf(bench.do(gone, at(1.9)))), ['restore 10.0.0.1/24 on 3 for 2 s']);
});

kernel('a dump that does not show it means the same as an event', () => {
  const bench = new Bench();
  bench.install(at(1), PERMANENT, vip('10.0.0.1/24'), vip('10.0.0.2/24'));
  const changes = bench.changes({ type: 'shown', addresses: [shown('10.0.0.2/24')] }, at(2));
  assert.equal(summary(changes), ['restore 10.0.0.1/24 on 3 for ever']);
});

kernel('an address that is there already is adopted: known before, or found out by EEXIST', () => {
  const bench = new Bench();
  bench.do({ type: 'seen', address: shown('10.0.0.1/24'), present: true }, at(1));
  const effects = bench.hold(at(2), seconds(2), vip('10.0.0.1/24'), vip('10.0.0.2/24'));
  assert.equal(told(effects), [{ type: 'adopted', owner: 'VI_1', address: vip('10.0.0.1/24') }]);
  assert.equal(summary(changesOf(effects)), [
    'renew 10.0.0.1/24 on 3 for 2 s',
    'add 10.0.0.2/24 on 3 for 2 s',
  ]);
  const [first, second] = changesOf(effects);
  bench.answer(first === undefined ? [] : [first], at(2));
  const exists = { type: 'done', results: [{ id: second?.id ?? 0, errno: 17 }] } as const;
  const adopted = bench.do(exists, at(2));
  assert.equal(told(adopted), [{ type: 'adopted', owner: 'VI_1', address: vip('10.0.0.2/24') }]);
  assert.equal(summary(changesOf(adopted)), ['renew 10.0.0.2/24 on 3 for 2 s']);
});

kernel('an adopted IPv6 address of another prefix length is removed with its own', () => {
  const bench = new Bench();
  bench.do({ type: 'seen', address: shown('2001:db8::1/64'), present: true }, at(1));
  bench.answer(changesOf(bench.hold(at(2), PERMANENT, vip('2001:db8::1/128'))), at(2));
  const changes = bench.changes({ type: 'release', owner: 'VI_1' }, at(3));
  assert.equal(summary(changes), ['remove 2001:db8::1/64 on 3 for ever']);
});

kernel('an interface that is missing is waited for, and its coming told', () => {
  const bench = new Bench([]);
  assert.equal(bench.hold(at(1), PERMANENT, vip('10.0.0.1/24')), [
    {
      type: 'problem',
      owner: 'VI_1',
      what: 'add 10.0.0.1/24 on eth0',
      errno: 19,
      text: 'waiting for interface eth0',
    },
  ]);
  assert.equal(bench.hold(at(2), PERMANENT, vip('10.0.0.1/24')), []);
  const changes = bench.changes({ type: 'links', links: [link(7, 'eth0')] }, at(3));
  assert.equal(summary(changes), ['add 10.0.0.1/24 on 7 for ever']);
  assert.is(told(bench.machine.take())[0]?.type, 'restored');
});

kernel('an interface that goes and comes as another gets its addresses again', () => {
  const bench = new Bench();
  bench.install(at(1), PERMANENT, vip('10.0.0.1/24'));
  assert.is(told(bench.do({ type: 'links', links: [] }, at(2)))[0]?.type, 'problem');
  const changes = bench.changes({ type: 'links', links: [link(8, 'eth0')] }, at(3));
  assert.equal(summary(changes), ['restore 10.0.0.1/24 on 8 for ever']);
});

kernel('a refusal is reported once and tried again every second', () => {
  const bench = new Bench();
  const refused = { errno: 22, text: 'ipv4: Invalid prefix length' };
  const [change] = changesOf(bench.hold(at(1), PERMANENT, vip('10.0.0.1/24')));
  const effects = bench.do({ type: 'done', results: [{ id: change?.id ?? 0, ...refused }] }, at(1));
  assert.equal(effects, [{ type: 'problem', owner: 'VI_1', what: 'add 10.0.0.1/24 on eth0', ...refused }]);
  assert.is(bench.machine.deadline(), at(2));
  bench.machine.timeout(at(2));
  const [again] = changesOf(bench.machine.take());
  assert.equal(bench.do({ type: 'done', results: [{ id: again?.id ?? 0, ...refused }] }, at(2)), []);
});

kernel('one change at a time: a release during an add removes afterwards', () => {
  const bench = new Bench();
  const added = changesOf(bench.hold(at(1), PERMANENT, vip('10.0.0.1/24')));
  assert.equal(bench.do({ type: 'release', owner: 'VI_1' }, at(1)), []);
  bench.answer(added, at(1));
  assert.equal(summary(changesOf(bench.machine.take())), ['remove 10.0.0.1/24 on 3 for ever']);
});

kernel.run();
