import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import type { ClusterWord } from '../../../src/core/vrrp/takeover.ts';
import { suite } from '../../suite.ts';
import { PEER, Router } from './router.ts';

const test = suite('takeover_policy of a virtual router');
const VIP = ip('10.0.0.100');
const LINK = { up: true, why: 'eth0 is up' };
const MAC = '02:00:00:00:00:01';

/** A backup that heard its master at 0 s: silence ends at 3.61 s. */
const following = (policy?: 'evidence' | 'proof'): Router => {
  const router = Router.started({ ...(policy && { takeoverPolicy: policy }) }, -1);
  router.advert(150, 0);
  return router;
};
const answered = (router: Router, s: number): string[] => [
  ...router.event({ type: 'asked' }, s),
  ...router.event({ type: 'answered', address: VIP, mac: MAC }, s),
];
const weighed = (router: Router, s: number, cluster: ClusterWord = {}): string[] =>
  router.event({ type: 'weighed', link: LINK, cluster }, s);
const decisions = (router: Router): string[] =>
  (router.machine.status().takeover?.decisions ?? []).map(({ verdict, times }) => `${verdict} x${times}`);

test('without it nothing is asked', () => {
  const router = following();
  assert.equal(router.until(4).at(-1), '3.61 BACKUP -> MASTER: no advert from 10.0.0.1 for 3.61 s');
  assert.is(router.machine.status().takeover, undefined);
});

test('the link is asked when an advert interval is left; a takeover takes no longer than without', () => {
  const router = following('evidence');
  assert.equal(router.until(3), ['1.25 listen', '2.61 listen', '2.61 ask for 10.0.0.1 10.0.0.100']);
  router.event({ type: 'asked' }, 3);
  assert.equal(router.until(3.7), ['3.61 weigh 10.0.0.1']);
  assert.equal(weighed(router, 3.61), [
    'decided take: neither 10.0.0.1 nor a virtual address answers',
    'advert 100',
    'hold',
    'announce x5',
    'BACKUP -> MASTER: no advert from 10.0.0.1 for 3.61 s; neither 10.0.0.1 nor a virtual address answers',
  ]);
  assert.equal(decisions(router), ['take x1']);
});

test('addresses that are served on are left alone, alarmed of once, and asked for again', () => {
  const router = following('evidence');
  router.until(3);
  answered(router, 3);
  router.until(3.61);
  const why = `10.0.0.100 is served on: ${MAC} answers for it`;
  assert.equal(weighed(router, 3.61), [`decided wait: ${why}`, 'still served']);
  assert.is(router.state, 'BACKUP');
  assert.equal(router.until(5), ['4.22 listen', '4.22 ask for 10.0.0.1 10.0.0.100']);
  answered(router, 5);
  assert.equal(router.until(5.3), ['5.22 weigh 10.0.0.1']);
  assert.equal(weighed(router, 5.3), [], 'the same is not said again');
  assert.equal(decisions(router), ['wait x2']);
  router.until(6.5);
  router.event({ type: 'asked' }, 6.5);
  router.until(6.9);
  assert.match(weighed(router, 6.9).join(), 'decided take');
  assert.is(router.state, 'MASTER');
  assert.equal(decisions(router), ['wait x2', 'take x1']);
});

test('connection sync that comes since an advert is missing counts: the master’s, and that of our own daemon', () => {
  const carried = (from: string, own: boolean, s = 3): string[] => {
    const router = following('evidence');
    router.event({ type: 'carried', from: PEER, own: true }, 1);
    router.until(1.26);
    if (s < 2.6) router.event({ type: 'carried', from: ip(from), own }, s);
    router.until(2.9);
    router.event({ type: 'asked' }, 2.9);
    if (s > 2.9) router.event({ type: 'carried', from: ip(from), own }, s);
    router.until(3.61);
    return weighed(router, 3.61);
  };
  const why = (from: string): string =>
    `decided wait: ${from} still sends connection sync: connections are served there`;
  assert.equal(carried(PEER, false), [why(PEER)]);
  assert.equal(carried('192.168.1.1', true), [why('192.168.1.1')]);
  assert.match(carried(PEER, false, 1.3).join(), 'decided take', 'longer ago than a kernel waits');
  assert.match(
    carried('192.168.1.1', false).join(),
    'decided take',
    'it may be another virtual router’s master',
  );
});

test('a master that is heard again is followed, and another silence is another alarm', () => {
  const router = following('evidence');
  const silent = (s: number): string[] => {
    router.until(s + 3);
    answered(router, s + 3);
    router.until(s + 3.61);
    return weighed(router, s + 3.61);
  };
  assert.match(silent(0).join(), 'still served');
  router.advert(150, 4);
  assert.equal(router.until(5.2), [], 'it is not asked while adverts come');
  router.advert(150, 6);
  assert.match(silent(6).join(), /decided wait.*still served/);
  assert.equal(decisions(router), ['wait x1', 'wait x1']);
});

test('who resigns, is preempted, or was never heard is not asked about', () => {
  const resigned = following('evidence');
  resigned.advert(0, 1);
  assert.match(resigned.until(3).join(), 'BACKUP -> MASTER: 10.0.0.1 resigned');
  const lesser = Router.started({ takeoverPolicy: 'evidence' }, 0);
  lesser.advert(50, 1);
  assert.match(lesser.until(5).join(), 'BACKUP -> MASTER: priority 100 is higher than 50');
  const alone = Router.started({ takeoverPolicy: 'evidence' }, 0);
  assert.match(alone.until(5).join(), 'BACKUP -> MASTER: no master heard');
  for (const router of [resigned, lesser, alone]) assert.equal(decisions(router), []);
});

test('there has to be time for an answer before silence counts', () => {
  const router = following('evidence');
  router.until(2.6);
  // The timer comes late.
  assert.equal(router.timeout(3.45), ['listen', 'ask for 10.0.0.1 10.0.0.100']);
  router.event({ type: 'asked' }, 3.45);
  assert.equal(router.until(6), ['5.22 weigh 10.0.0.1']);
});

test('a silent master that can be fenced is, until it is off, or spared when it is heard', () => {
  const cluster = (off: boolean): ClusterWord => ({
    peer: { name: 'a', heard: false, claims: false, off, fenced: true },
  });
  const begin = (): Router => {
    const router = following('proof');
    router.until(3);
    router.event({ type: 'asked' }, 3);
    router.until(3.61);
    assert.match(weighed(router, 3.61, cluster(false)).join(), 'fence 10.0.0.1: neither 10.0.0.1 nor');
    return router;
  };
  const spared = begin();
  assert.equal(spared.advert(150, 4), ['spare 10.0.0.1']);
  const off = begin();
  off.until(5);
  off.event({ type: 'asked' }, 5);
  off.until(5.3);
  assert.match(weighed(off, 5.3, cluster(true)).join(), /^decided take: a is off,advert 100/);
});

test('answers for what was not asked are not kept, and what comes too late decides nothing', () => {
  const router = following('evidence');
  router.event({ type: 'answered', address: VIP, mac: MAC }, 1);
  router.until(3);
  router.event({ type: 'answered', address: ip('10.0.0.77'), mac: MAC }, 3);
  router.advert(150, 3.2);
  assert.equal(weighed(router, 3.3), []);
  assert.is(router.machine.memory().parts.evidence.answers.size, 2);
  assert.is(router.machine.status().master?.address, PEER);
});

test('only a candidate of its group is judged: the evidence comes first', () => {
  const router = Router.started({ takeoverPolicy: 'evidence', group: 'G' }, -1);
  router.advert(150, 0);
  router.until(3);
  router.event({ type: 'asked' }, 3);
  router.until(3.61);
  assert.equal(weighed(router, 3.61).slice(1), [
    'stands BACKUP no advert from 10.0.0.1 for 3.61 s; neither 10.0.0.1 nor a virtual address answers',
  ]);
  router.until(5);
  answered(router, 5);
  router.until(5.3);
  assert.match(weighed(router, 5.3).join(), /decided wait.*stands BACKUP -/);
});

test.run();
