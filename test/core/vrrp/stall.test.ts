import * as assert from 'uvu/assert';
import { seconds, toSeconds } from '../../../src/core/time.ts';
import { downInterval } from '../../../src/core/vrrp/intervals.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { at, PEER, Router, SETTINGS } from './router.ts';

/** Late timers: being late is never evidence that another router is dead, nor that we are still master. */
const stall = suite('vrrp stalls');

/** A backup (priority 100) that heard its master at 1 s: pulse at 2.5 s, down at 4.61 s. */
function following(): Router {
  const router = Router.started();
  router.advert(200, 1);
  return router;
}

/** A master since 0 s, when its first advert left. */
function serving(changes: Partial<VrrpSettings> = {}): Router {
  const settings = { ...SETTINGS, ...changes };
  const router = Router.started(changes, -toSeconds(downInterval(settings, settings.advertInterval)));
  router.until(0);
  assert.is(router.machine.status().since, at(0));
  return router;
}

stall('an early timer does nothing', () => {
  const router = following();
  assert.equal(router.timeout(2.499), []);
  assert.is(router.deadline, 2.5);
});

stall('a backup that slept past the down interval listens before it believes', () => {
  const router = following();
  assert.equal(router.timeout(20), ['stalled 17.50 s: listening for 1.61 s more before taking over']);
  assert.is(router.state, 'BACKUP');
  assert.is(router.until(22).at(-1), '21.61 BACKUP -> MASTER: no advert from 10.0.0.1 for 20.61 s');
});

stall('... and stays backup when the master speaks', () => {
  const router = following();
  router.timeout(20);
  router.advert(200, 20.9);
  assert.equal(router.until(24), []);
  assert.is(router.state, 'BACKUP');
});

stall('packets that waited in the socket are heard first', () => {
  const router = following();
  router.advert(200, 20);
  assert.equal(router.timeout(20), []);
  assert.is(router.deadline, 21.5);
});

stall('a short sleep within the silence counts too', () => {
  const router = following();
  router.until(3.4);
  assert.equal(router.timeout(4.3), ['stalled 0.80 s: listening for 1.61 s more before taking over']);
  assert.equal(router.until(5.9), []);
  assert.is(router.until(6).at(-1), '5.91 BACKUP -> MASTER: no advert from 10.0.0.1 for 4.91 s');
});

stall('a little late is believed', () => {
  const router = following();
  router.until(4.6);
  assert.is(router.timeout(5.1).at(-1), 'BACKUP -> MASTER: no advert from 10.0.0.1 for 4.10 s');
});

stall('a machine that is always late takes over in the end', () => {
  const router = following();
  let now = 0;
  let calls = 0;
  while (router.state === 'BACKUP') {
    now = (router.deadline ?? 0) + 0.9;
    router.timeout(now);
    calls += 1;
  }
  assert.ok(calls <= 8, `${calls} timers`);
  assert.ok(now < 15, `took over at ${now} s`);
});

stall('an advert heard in between gives the full patience back', () => {
  const router = following();
  for (let round = 0; round < 10; round++) {
    const now = (router.deadline ?? 0) + 3;
    router.timeout(now);
    router.advert(200, now + 0.5);
  }
  assert.is(router.state, 'BACKUP');
});

/** What a master says that another may have replaced: nothing on the wire. */
const GIVEN_UP = [
  'release',
  'MASTER -> BACKUP: stalled for 5.00 s, another may be master: listening before serving again',
];

stall('a master that slept past its authority says nothing, and listens before it serves again', () => {
  for (const preempt of [true, false]) {
    const router = serving({ preempt });
    assert.equal(router.timeout(5), GIVEN_UP);
    assert.equal(router.until(6.6), []);
    assert.is(router.until(10).at(3), '6.61 BACKUP -> MASTER: no master heard for 1.61 s');
  }
});

stall('... whatever it hears of first', () => {
  const events: ((router: Router) => string[])[] = [
    (router) => router.advert(150, 5),
    (router) => router.advert(50, 5),
    (router) => router.event({ type: 'contest' }, 5),
    (router) => router.event({ type: 'resign', why: 'test' }, 5),
    (router) => router.event({ type: 'yield', why: 'test' }, 5),
    (router) => router.event({ type: 'sent' }, 5),
  ];
  for (const event of events) assert.equal(event(serving()), GIVEN_UP);
  assert.is(serving().event({ type: 'stop' }, 5).at(-1), 'BACKUP -> INIT: stopped');
});

stall('... and whom it hears it follows, a lesser one with nopreempt too', () => {
  const router = serving({ preempt: false });
  router.advert(50, 5);
  assert.is(router.machine.status().master?.address, PEER);
  assert.equal(router.until(8), []);
  const eager = serving();
  eager.advert(50, 5);
  assert.match(eager.until(7).at(-1) ?? '', /^6\.61 BACKUP -> MASTER: priority 100 is higher than 50/);
});

stall('a process that stood still without its votes gives up, however short that was', () => {
  const router = serving();
  assert.equal(router.event({ type: 'woke', why: 'stalled until its votes had run out' }, 0.5), [
    'release',
    'MASTER -> BACKUP: stalled until its votes had run out: listening before serving again',
  ]);
  assert.equal(router.event({ type: 'woke' }, 0.6), [], 'a backup has nothing to give up');
});

stall('where one missed advert is enough, one that is a little late is no sleep', () => {
  const router = serving({ downAdverts: 1 });
  assert.equal(router.timeout(1.4), ['advert 100']);
  assert.equal(router.timeout(4).slice(0, 1), ['release']);
});

stall('a worse master heard in normal times is not followed, nopreempt or not', () => {
  const router = serving({ preempt: false });
  router.until(1);
  assert.equal(router.advert(50, 1.5), ['advert 100', 'announce x5', 'contested']);
});

stall('adverts that were missed are not made up for, and the schedule is kept', () => {
  const router = serving();
  assert.equal(router.timeout(1.3), ['advert 100']);
  assert.is(router.deadline, 2);
  assert.equal(router.timeout(3.9), ['advert 100']);
  assert.is(router.deadline, 4.9);
});

stall('a master that slept past its lease holds and announces again', () => {
  const router = serving({ lease: seconds(2) });
  router.until(1);
  assert.equal(router.timeout(3.5), [
    'stalled 2.50 s: holding and announcing the addresses again',
    'advert 100',
    'hold for 2 s',
    'announce x5',
  ]);
});

stall.run();
