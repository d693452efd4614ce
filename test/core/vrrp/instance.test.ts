import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { centiseconds, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { at, OWN, PEER, Router } from './router.ts';

const BETTER = ip('10.0.0.9');
const announce = { repeat: 5, delay: seconds(5), refresh: seconds(10), refreshRepeat: 2 };

const instance = suite('vrrp instance');

instance('becomes master after a down interval of silence: advert, addresses, announcements', () => {
  const router = new Router();
  assert.equal(router.event({ type: 'start' }, 0), []);
  assert.equal(router.event({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, 0), [
    'release',
    'INIT -> BACKUP: eth0 is up',
  ]);
  assert.equal(router.until(4), [
    '3.61 advert 100',
    '3.61 hold',
    '3.61 announce x5',
    '3.61 BACKUP -> MASTER: no master heard for 3.61 s',
  ]);
  assert.equal(router.until(6), ['4.61 advert 100', '5.61 advert 100']);
});

instance('without a usable link it is in fault, and comes back as backup', () => {
  const router = Router.master();
  assert.equal(router.event({ type: 'link', up: false, why: 'eth0 lost its carrier' }, 0), [
    'advert 0',
    'release',
    'MASTER -> FAULT: eth0 lost its carrier',
  ]);
  assert.is(router.deadline, undefined);
  assert.equal(router.advert(100, 1), []);
  assert.equal(router.event({ type: 'link', up: true, why: 'eth0 is up' }, 2), []);
  assert.equal(router.event({ type: 'link', up: true, source: OWN, why: 'eth0 has an address' }, 3), [
    'FAULT -> BACKUP: eth0 has an address',
  ]);
});

instance(
  'in any state it knows which other router was heard last; in fault it does no more than that',
  () => {
    const router = Router.master();
    assert.is(router.machine.status().peer, undefined);
    router.advert(50, 1);
    assert.equal(router.machine.status().peer, { address: PEER, priority: 50, heard: at(1) });
    router.event({ type: 'link', up: false, why: 'maintenance' }, 2);
    assert.equal(router.advert(150, 3, BETTER), []);
    assert.equal(router.machine.status().peer, { address: BETTER, priority: 150, heard: at(3) });
    assert.equal([router.state, router.deadline], ['FAULT', undefined]);
  },
);

instance('a start without an address is a fault that says why', () => {
  const router = new Router();
  router.event({ type: 'link', up: true, why: 'eth0 is up' }, 0);
  assert.equal(router.event({ type: 'start' }, 0), [
    'release',
    'INIT -> FAULT: eth0 is up, but no address to send from',
  ]);
});

instance('an heir goes on as master at once, in a group too, and releases nothing', () => {
  for (const [changes, before, after] of [
    [{}, [], []],
    [{ group: 'g' }, ['stands INIT -'], ['stands MASTER -']],
  ] as const) {
    const router = new Router(changes);
    assert.equal(router.event({ type: 'start', heir: at(0) }, 0), before);
    assert.equal(router.event({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, 0), [
      'advert 100',
      'hold',
      'announce x5',
      'INIT -> MASTER: eth0 is up; goes on for an earlier process, which was master',
      ...after,
    ]);
  }
});

instance('an heir that begins late listens first: another may be master by now', () => {
  for (const [late, state] of [
    [1.9, 'MASTER'],
    [2, 'BACKUP'],
  ] as const) {
    const router = new Router();
    router.event({ type: 'start', heir: at(0) }, late);
    router.event({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, late);
    assert.is(router.state, state);
  }
});

instance('an heir that may not serve takes away what its predecessor had, and is none any more', () => {
  const router = new Router();
  router.event({ type: 'start', heir: at(0) }, 0);
  assert.equal(router.event({ type: 'link', up: false, why: 'eth0 is down' }, 0), [
    'release',
    'INIT -> FAULT: eth0 is down',
  ]);
  assert.equal(router.event({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, 1), [
    'FAULT -> BACKUP: eth0 is up',
  ]);
});

instance('the owner is master at once', () => {
  const router = new Router({ priority: 255 });
  router.event({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, 0);
  assert.equal(router.event({ type: 'start' }, 0), [
    'advert 255',
    'hold',
    'announce x5',
    'INIT -> MASTER: started; priority 255 owns the addresses',
  ]);
});

instance('a stop says priority 0, then releases', () => {
  const router = Router.master();
  assert.equal(router.event({ type: 'stop' }, 0), ['advert 0', 'release', 'MASTER -> INIT: stopped']);
  assert.is(router.machine.status().statistics.priorityZeroSent, 1);
  assert.is(router.deadline, undefined);
});

instance('a backup follows a better master, and says whom it missed', () => {
  const router = Router.started();
  for (let s = 1; s <= 10; s++) assert.equal(router.advert(200, s), []);
  assert.equal(router.machine.status().master, {
    address: PEER,
    priority: 200,
    interval: seconds(1),
    heard: at(10),
  });
  assert.is(router.until(14).at(-1), '13.61 BACKUP -> MASTER: no advert from 10.0.0.1 for 3.61 s');
});

instance('adverts come before the pulse, so a healthy network costs no timer', () => {
  const router = Router.started();
  router.advert(200, 1);
  assert.is(router.deadline, 2.5);
  router.advert(200, 2.01);
  assert.is(router.deadline, 3.51);
});

instance('a worse master is preempted when the down interval is over', () => {
  const router = Router.started();
  for (const s of [0.5, 1.5, 2.5, 3.5]) assert.equal([...router.until(s), ...router.advert(50, s)], []);
  assert.is(router.until(4).at(-1), '3.61 BACKUP -> MASTER: priority 100 is higher than 50 of 10.0.0.1');
});

instance('with nopreempt a worse master is followed', () => {
  const router = Router.started({ preempt: false });
  for (let s = 0.5; s < 20; s++) {
    router.advert(50, s);
    assert.equal(router.until(s + 0.99), []);
  }
  assert.is(router.state, 'BACKUP');
});

instance('the owner preempts even with nopreempt', () => {
  const router = Router.master({ priority: 255, preempt: false });
  router.advert(255, 0, BETTER);
  assert.is(router.state, 'BACKUP');
  router.advert(50, 0.5);
  assert.is(router.until(5).at(-2), '3.00 BACKUP -> MASTER: no advert from 10.0.0.9 for 3.00 s');
});

instance('version 3 learns the interval of the master, and skews by it', () => {
  const router = Router.started();
  assert.equal(router.advert(200, 1, PEER, { advertInterval: centiseconds(20) }), [
    'noticed interval from 10.0.0.1 x1',
  ]);
  assert.is(router.until(2).at(-1), '1.72 BACKUP -> MASTER: no advert from 10.0.0.1 for 0.72 s');
  assert.is(router.machine.status().master?.interval, seconds(1));
});

instance('version 2 skews by a second, and refuses another interval', () => {
  const router = Router.started({ version: 2, advertInterval: seconds(2) });
  assert.equal(router.advert(200, 1, PEER, { advertInterval: seconds(1) }), [
    'rejected interval from 10.0.0.1 x1: advert_int is 1 s there, 2 s here',
  ]);
  router.advert(200, 2);
  assert.is(router.until(9).at(-1), '8.61 BACKUP -> MASTER: no advert from 10.0.0.1 for 6.61 s');
});

instance('priority 0 of the master leaves only the skew', () => {
  const router = Router.started();
  router.advert(200, 1);
  router.advert(0, 1.5);
  assert.is(router.until(3).at(-1), '2.11 BACKUP -> MASTER: 10.0.0.1 resigned');
});

instance('priority 0 of another than the master is no evidence', () => {
  const router = Router.started();
  router.advert(200, 1);
  router.advert(0, 1.5, BETTER);
  assert.equal(router.until(4.5), []);
  assert.is(router.state, 'BACKUP');
});

instance('repeated priority 0 does not postpone the takeover', () => {
  const router = Router.started();
  router.advert(200, 1);
  for (let s = 1.5; s < 2.1; s += 0.1) router.advert(0, s);
  assert.is(router.until(3).at(-1), '2.11 BACKUP -> MASTER: 10.0.0.1 resigned');
});

instance('a master yields to a higher priority: not with priority 0, but heard once more', () => {
  const router = Router.master();
  assert.equal(router.advert(101, 0), [
    'advert 100',
    'release',
    'MASTER -> BACKUP: higher priority 101 from 10.0.0.1',
  ]);
  assert.is(router.machine.status().statistics.releasedMaster, 1);
});

instance('equal priorities: the higher address is master', () => {
  const router = Router.master();
  assert.not(router.advert(100, 0).some((effect) => effect.includes('BACKUP')));
  assert.equal(router.advert(100, 0.1, BETTER), [
    'advert 100',
    'release',
    'MASTER -> BACKUP: equal priority 100 and higher address from 10.0.0.9',
  ]);
});

instance('a master answers a worse one at once, and announces again', () => {
  const router = Router.master();
  const sent = router.machine.status().master?.heard;
  const s = ((sent ?? 0) - at(0)) / 1e6 + 0.5;
  assert.equal(router.advert(50, s), ['advert 100', 'announce x5', 'contested']);
  assert.equal(router.until(s + 1.1), [`${(s + 1).toFixed(2)} advert 100`]);
});

instance('quietToLower: announces, but no advert', () => {
  const router = Router.master({ quietToLower: true });
  assert.equal(router.advert(50, 0.1), ['announce x5', 'contested']);
});

instance('answers are bounded, however many adverts come', () => {
  const router = Router.master();
  const told: string[] = [];
  for (let i = 1; i <= 10_000; i++) {
    told.push(...router.advert(i % 2 === 0 ? 0 : 50, i / 10_000), ...router.until(i / 10_000));
  }
  assert.ok(told.filter((effect) => effect.includes('advert')).length <= 52);
  assert.ok(told.filter((effect) => effect.includes('announce')).length <= 2);
});

instance('a resigning rival is answered at once, and what neighbours learned from it is corrected', () => {
  const router = Router.master();
  assert.equal(router.advert(0, 0.3), ['advert 100', 'announce x5']);
  assert.is(router.deadline, 1.3);
});

instance('its own address in an advert is a loop or a duplicate', () => {
  const router = Router.master();
  assert.equal(router.advert(200, 0, OWN), ['rejected own-address from 10.0.0.5 x1']);
  assert.is(router.state, 'MASTER');
});

instance('a second owner is noticed, and the addresses decide', () => {
  const router = Router.master({ priority: 255 });
  assert.is(router.advert(255, 0, BETTER)[0], 'noticed second-owner from 10.0.0.9 x1');
  assert.is(router.state, 'BACKUP');
});

instance('bad adverts do not restart the down timer, are counted, and reported once a minute', () => {
  const router = Router.started();
  const told = [0.5, 1.5, 2.5].flatMap((s) => [
    ...router.until(s),
    ...router.advert(200, s, PEER, { version: 2 }),
  ]);
  assert.equal(told, ['rejected version from 10.0.0.1 x1: VRRP version differs']);
  assert.ok(router.until(4).some((effect) => effect.startsWith('3.61 BACKUP -> MASTER')));
  router.until(61);
  assert.is(
    router.advert(200, 61, PEER, { version: 2 })[0],
    'rejected version from 10.0.0.1 x3: VRRP version differs',
  );
  assert.is(router.machine.status().statistics.rejected.version, 4);
  assert.is(router.machine.status().statistics.advertsReceived, 0);
});

instance('announces at once, after the delay, and then periodically', () => {
  const router = Router.started({ announce, advertInterval: seconds(40), downAdverts: 1 }, -80);
  const told = router.until(40).filter((effect) => effect.includes('announce'));
  assert.equal(told, [
    '-15.63 announce x5',
    '-10.63 announce x5',
    '-0.63 announce x2',
    '9.38 announce x2',
    '19.38 announce x2',
    '29.38 announce x2',
    '39.38 announce x2',
  ]);
});

instance('a planned hand-over is not undone by preemption', () => {
  const router = Router.master();
  assert.equal(router.event({ type: 'resign', why: 'the operator asked' }, 0.1), [
    'advert 0',
    'release',
    'MASTER -> BACKUP: the operator asked',
  ]);
  for (let s = 1; s < 20; s++) {
    router.advert(50, s);
    assert.equal(router.until(s + 0.9), []);
  }
  assert.is(router.until(30).at(0)?.slice(0, 16), '22.61 advert 100');
  for (let s = 31; s < 34; s++) router.advert(50, s);
  assert.is(router.state, 'MASTER');
});

instance('the clock must not go backwards', () => {
  const router = Router.started({}, 5);
  assert.throws(() => router.timeout(4), /clock back from/);
});

instance.run();
