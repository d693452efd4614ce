import * as assert from 'uvu/assert';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { OWN, Router } from './router.ts';

/** Adverts that do not leave: a master whom nobody hears is none. */
const test = suite('adverts that do not leave');

const WHY = 'EPERM, a packet filter refuses them (to 224.0.0.18)';
const only = (told: readonly string[], word: RegExp): string[] => told.filter((line) => word.test(line));

test('after the lease without an advert the router cannot serve, and says why', () => {
  const router = Router.master({ lease: seconds(2) });
  const left = router.machine.status().master?.heard ?? 0;
  router.unsent = 'EPERM';
  const told = router.until(10);
  const [fault] = only(told, /-> FAULT/);
  assert.match(
    fault ?? '',
    /MASTER -> FAULT: no advert left for 2.00 s: EPERM, a packet filter refuses them/,
  );
  const at = Number(fault?.split(' ')[0]) * 1e6 + 1e9;
  assert.ok(Math.abs(at - left - 2e6) < 1e4, 'two seconds after the last that left');
  assert.equal(only(told, /release/).length, 1);
  assert.is(only(told, /not sent/).length, 1, 'told once');
  assert.equal(router.machine.status().faults, [`no advert left for 2.00 s: ${WHY}`]);
});

test('without a lease, or with a longer one, after as long as the others wait', () => {
  for (const lease of [seconds(0), seconds(60)]) {
    const router = Router.master({ lease });
    const left = router.machine.status().master?.heard ?? 0;
    router.unsent = 'ENOBUFS';
    const fault = only(router.until(10), /-> FAULT/)[0];
    assert.ok(Math.abs(Number(fault?.split(' ')[0]) * 1e6 + 1e9 - left - 3e6) < 1e4);
  }
});

test('one advert that does not leave changes nothing', () => {
  const router = Router.master({ lease: seconds(2) });
  const first = (router.deadline ?? 0) + 0.001;
  router.unsent = 'EAGAIN';
  assert.equal(only(router.until(first), /->/), []);
  router.unsent = undefined;
  assert.equal(only(router.until(10), /->/), []);
  assert.is(router.state, 'MASTER');
});

test('it asks whether adverts leave with what nobody takes, and comes back by itself', () => {
  const router = Router.master({ lease: seconds(2) });
  router.unsent = 'EPERM';
  router.until(3);
  assert.is(router.state, 'FAULT');
  router.machine.take();
  const probes = only(router.until(10), /advert/);
  assert.ok(probes.length >= 6 && probes.length <= 8, probes.join('\n'));
  router.unsent = undefined;
  const told = router.until(11.5);
  assert.match(only(told, /->/)[0] ?? '', /FAULT -> BACKUP: adverts leave again/);
  assert.is(only(router.until(16), /->/).length, 1);
  assert.is(router.state, 'MASTER');
});

test('the question is of no VRID', () => {
  const router = Router.master({ lease: seconds(2) });
  router.unsent = 'EPERM';
  router.until(3);
  router.machine.timeout(router.machine.deadline() as never);
  const [probe] = router.machine.take();
  assert.ok(probe?.type === 'send');
  assert.equal([...probe.payload.subarray(1, 3)], [0, 0]);
});

test('while other things hinder it, adverts that leave again are no reason to serve', () => {
  const router = Router.master({ lease: seconds(2) });
  router.unsent = 'ENETDOWN';
  router.until(3);
  router.event({ type: 'link', up: false, why: 'eth0 is down' }, 3.5);
  router.unsent = undefined;
  assert.equal(only(router.until(10), /->/), []);
  assert.is(router.state, 'FAULT');
  const told = router.event({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, 10);
  assert.equal(only(told, /->/), ['FAULT -> BACKUP: eth0 is up']);
});

test('one whose first advert does not leave is known by that', () => {
  const router = Router.started({ lease: seconds(2) });
  router.unsent = 'EPERM';
  router.until(4);
  assert.is(router.state, 'MASTER');
  assert.not(router.machine.advertLeft);
  router.until(10);
  assert.is(router.state, 'FAULT');
});

test('one advert to one of several peers is enough', () => {
  const peers = ['10.0.0.1', '10.0.0.2'].map((address) => ({ address: address as never }));
  const router = Router.started({ peers, lease: seconds(2) });
  router.until(4);
  assert.is(router.state, 'MASTER');
  for (let s = 4; s < 20; s += 0.5) {
    router.machine.timeout((1e9 + s * 1e6) as never);
    const sends = router.machine.take().filter(({ type }) => type === 'send');
    sends.forEach((_, i) => {
      const outcome =
        i === 0 ? { type: 'sent' as const } : { type: 'unsent' as const, code: 'EPERM', destination: OWN };
      router.machine.handle(outcome, (1e9 + s * 1e6) as never);
    });
  }
  assert.is(router.state, 'MASTER');
});

test('only adverts that left are counted', () => {
  const router = Router.master();
  const before = router.machine.status().statistics.advertsSent;
  router.unsent = 'EPERM';
  router.until(1.5);
  assert.is(router.machine.status().statistics.advertsSent, before);
});

test.run();
