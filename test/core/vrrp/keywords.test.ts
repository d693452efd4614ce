import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';
import { startDelay } from '../../../src/core/vrrp/start.ts';
import { at, OWN, Router, SETTINGS } from './router.ts';

/** What single keywords of keepalived change in the machine. */
const keywords = suite('vrrp keywords');

/** When and why it became master, while a lesser master of `priority` goes on. */
function preempts(router: Router, from: number, to: number, priority = 50): string {
  for (let s = from; s <= to; s++) {
    router.advert(priority, s);
    const took = router.until(s + 0.99).find((line) => line.includes('-> MASTER'));
    if (took !== undefined) return took;
  }
  return 'never';
}

keywords(
  'preempt_delay: counted from the first lesser advert, then one more interval for better ones',
  () => {
    const router = Router.started({ preemptDelay: seconds(20) });
    assert.is(preempts(router, 1, 40), '22.61 BACKUP -> MASTER: priority 100 is higher than 50 of 10.0.0.1');
  },
);

keywords('... a lesser master that dies is replaced as usual', () => {
  const router = Router.started({ preemptDelay: seconds(20) });
  router.advert(50, 1);
  router.advert(50, 2);
  assert.ok(router.until(7).includes('5.61 BACKUP -> MASTER: no advert from 10.0.0.1 for 3.61 s'));
});

keywords('... and a better one in between begins it anew', () => {
  const router = Router.started({ preemptDelay: seconds(20) });
  assert.is(preempts(router, 1, 10), 'never');
  router.advert(150, 11);
  assert.match(preempts(router, 12, 60), /^33\.61 /);
});

keywords('... a stall at its end preempts nobody before the segment was heard', () => {
  const router = Router.started({ preemptDelay: seconds(20) });
  router.advert(50, 1);
  router.timeout(60);
  assert.is(router.state, 'BACKUP');
  assert.equal(router.advert(150, 60.5), []);
  assert.not.ok(router.until(63).some((line) => line.includes('MASTER')));
});

keywords('... not for an owner', () => {
  const router = Router.started({ preemptDelay: seconds(20), priority: 254 });
  router.advert(50, 1);
  router.event({ type: 'configure', settings: { ...router.settings, priority: 255 } }, 1.5);
  assert.match(preempts(router, 2, 60), /^[45]\./);
});

keywords('vrrp_startup_delay: nothing happens before it is over', () => {
  const router = new Router();
  router.event({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, 0);
  assert.equal(router.event({ type: 'start', delay: seconds(30) }, 0), []);
  assert.equal(router.advert(50, 5), []);
  assert.equal(router.until(31), ['30.00 release', '30.00 INIT -> BACKUP: started']);
});

keywords('... and a stop ends the waiting', () => {
  const router = new Router();
  router.event({ type: 'start', delay: seconds(30) }, 0);
  assert.equal(router.event({ type: 'stop' }, 1), ['release'], 'what an earlier run left');
  assert.is(router.deadline, undefined);
});

keywords('the later of startup delay and delay after boot wins', () => {
  const delay = (startup: number, afterBoot: number, begun: Instant, now: Instant): number =>
    startDelay({ delay: seconds(startup), afterBoot: seconds(afterBoot) }, begun, now);
  const s = (value: number): Instant => instant(value * 1e6);
  assert.is(delay(10, 0, s(100), s(101)), seconds(9));
  assert.is(delay(10, 120, s(100), s(101)), seconds(19));
  assert.is(delay(10, 105, s(100), s(101)), seconds(9));
  assert.is(delay(10, 20, s(100), s(200)), 0);
  assert.is(delay(0, 0, s(100), s(100)), 0);
});

keywords('garp_lower_prio_repeat and _delay: their own burst after a lesser master', () => {
  const announce = { ...SETTINGS.announce, lowerRepeat: 2, lowerDelay: seconds(3) };
  const router = Router.master({ announce });
  assert.equal(router.advert(50, 0.5), ['advert 100', 'announce x2', 'contested']);
  assert.ok(router.until(4).includes('3.50 announce x2'));
});

keywords('garp_lower_prio_repeat 0: none', () => {
  const router = Router.master({ announce: { ...SETTINGS.announce, lowerRepeat: 0 } });
  assert.equal(router.advert(50, 0.5), ['advert 100', 'contested']);
});

keywords('higher_prio_send_advert false: gives way without a word', () => {
  const gaveWay = ['release', 'MASTER -> BACKUP: higher priority 150 from 10.0.0.1'];
  assert.equal(Router.master({ answerHigher: false }).advert(150, 0.5), gaveWay);
  assert.equal(Router.master({ answerHigher: true }).advert(150, 0.5), ['advert 100', ...gaveWay]);
});

keywords('owner_ignore_adverts: an owner that is master hears nobody', () => {
  const owner = Router.master({ priority: 255, ownerIgnores: true });
  assert.equal(owner.advert(50, 0.5), []);
  assert.equal(owner.advert(255, 0.6, '10.0.0.200' as never), ['noticed second-owner from 10.0.0.200 x1']);
  assert.is(owner.state, 'MASTER');
  const other = Router.master({ priority: 254, ownerIgnores: true });
  other.advert(255, 0.5);
  assert.is(other.state, 'BACKUP');
});

keywords('nopreempt does not keep from taking over from nobody', () => {
  const router = Router.started({ preempt: false, preemptDelay: seconds(20) });
  router.advert(50, 1);
  assert.ok(router.until(6).some((line) => line.includes('-> MASTER')));
  assert.is(router.machine.status().since, at(4.609375));
});

keywords.run();
