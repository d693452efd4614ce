import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { startDelay } from '../../../src/core/vrrp/start.ts';
import { suite } from '../../suite.ts';
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

const AWAITS = { preemptAfterSync: seconds(20) };

keywords('preempt_after_sync: a lesser master is left alone until the connection table is complete', () => {
  const router = Router.started(AWAITS);
  assert.is(preempts(router, 1, 10), 'never');
  router.event({ type: 'synced', complete: false }, 10.99);
  router.event({ type: 'synced', complete: true }, 10.995);
  assert.match(
    preempts(router, 11, 30),
    /^12\.60 .* higher than 50 of 10\.0\.0\.1; the connection table is complete$/,
  );
});

keywords('... or until its time is over, and says so', () => {
  const router = Router.started(AWAITS);
  assert.match(preempts(router, 1, 60), /^22\.61 .*; after 20 s the connection table is not complete$/);
});

keywords('... one that is complete already takes over as usual, and one that is no more waits again', () => {
  const router = Router.started(AWAITS);
  router.event({ type: 'synced', complete: true }, 0.5);
  assert.match(preempts(router, 1, 30), /^[2-5]\..*; the connection table is complete$/);
  const other = Router.started(AWAITS);
  other.event({ type: 'synced', complete: true }, 0.5);
  other.event({ type: 'synced', complete: false }, 0.6);
  assert.is(preempts(other, 1, 15), 'never');
});

keywords('... with preempt_delay both must be over; a lesser master that dies is replaced at once', () => {
  const router = Router.started({ preemptAfterSync: seconds(5), preemptDelay: seconds(20) });
  assert.match(preempts(router, 1, 60), /^22\.61 /);
  const other = Router.started(AWAITS);
  other.advert(50, 1);
  other.advert(50, 2);
  assert.ok(other.until(7).includes('5.61 BACKUP -> MASTER: no advert from 10.0.0.1 for 3.61 s'));
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

keywords('garp_extra_if: addresses whose MAC address no advert carries are announced again and again', () => {
  const address = (last: number) => ({ address: { ip: ip(`10.0.0.${last}`), length: 24 }, scope: 0 });
  const vmac = { ...address(1), vmac: { name: 'vrrp4.51', mac: '00:00:5e:00:01:33' } };
  const other = { ...address(2), dev: 'eth1' };
  const home = { ...address(3), dev: 'eth0' };
  const announced = (all: boolean, more: Partial<VrrpSettings> = {}): unknown[] => {
    const announce = { ...SETTINGS.announce, elsewhere: { period: seconds(3), all } };
    const router = Router.master({ announce, addresses: [vmac, other, home, address(4)], ...more });
    // The refresh does not come in step with the adverts, from which it follows.
    const found: unknown[] = [];
    for (let s = 0.05; s < 7; s += 0.1) {
      router.machine.timeout(at(s));
      for (const effect of router.machine.take()) {
        if (effect.type === 'announce') found.push(effect.addresses.map((one) => one.address.ip));
      }
    }
    return found;
  };
  assert.equal(new Set(announced(true).map(String)), new Set(['10.0.0.1,10.0.0.2']));
  assert.equal(new Set(announced(false).map(String)), new Set(['10.0.0.1']));
  assert.ok([2, 3].includes(announced(true).length), 'each 3 s in 7 s');
  const virtual = { name: 'vrrp.51', sort: { kind: 'macvlan' as const, mac: '00:00:5e:00:01:33' } };
  assert.equal(announced(false, { addresses: [address(4)], virtual }), []);
  const silent = announced(false, { addresses: [address(4)], virtual, transmitBase: true });
  assert.equal(new Set(silent.map(String)), new Set(['10.0.0.4']));
});

keywords('... it begins and ends with a reload', () => {
  const addresses = [{ address: { ip: ip('10.0.0.2'), length: 24 }, scope: 0, dev: 'eth1' }];
  const router = Router.master({ addresses });
  const announce = { ...SETTINGS.announce, elsewhere: { period: seconds(3), all: true } };
  const settings = { ...router.settings, announce };
  router.event({ type: 'configure', settings }, 0.5);
  assert.ok(router.until(4).includes('3.50 announce x1'));
  router.event({ type: 'configure', settings: router.settings }, 4.6);
  assert.not.ok(router.until(20).some((line) => line.includes('announce')));
});

keywords('skip_check_adv_addr: a backup does not compare the addresses of the master that it follows', () => {
  const odd = { addresses: [{ address: { ip: ip('10.0.0.200'), length: 24 }, scope: 0 }] };
  const noticed = (skipAddressCheck: boolean): unknown => {
    const router = Router.started(skipAddressCheck ? { skipAddressCheck } : {});
    for (const s of [1, 2, 3]) router.advert(150, s, undefined, odd);
    router.advert(160, 4, ip('10.0.0.9'), odd);
    return router.machine.status().statistics.noticed.addresses;
  };
  assert.is(noticed(false), 4);
  // The first of each master is compared.
  assert.is(noticed(true), 2);
  const master = Router.master({ skipAddressCheck: true });
  master.advert(50, 0.5, undefined, odd);
  assert.is(master.machine.status().statistics.noticed.addresses, 1);
});

keywords.run();
