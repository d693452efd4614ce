import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { centiseconds, seconds } from '../../../src/core/time.ts';
import type { VirtualAddress, VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { at, PEER, Router, SETTINGS } from './router.ts';

/** Settings that change while a virtual router runs. */
const [VIP] = SETTINGS.addresses as readonly [VirtualAddress];
const OTHER: VirtualAddress = { address: { ip: ip('10.0.0.101'), length: 24 }, scope: 0 };

const reload = suite('vrrp reload');

const configure = (router: Router, changes: Partial<VrrpSettings>, s: number): string[] =>
  router.event({ type: 'configure', settings: { ...router.settings, ...changes } }, s);

/** When and why it became master. */
const became = (router: Router, s: number): string =>
  router.until(s).find((line) => line.includes('-> MASTER')) ?? 'never';

reload('a master stays master with another priority: an advert at once says it', () => {
  const router = Router.master();
  assert.equal(configure(router, { priority: 150 }, 0.5), ['advert 150']);
  assert.is(router.state, 'MASTER');
  assert.equal(router.until(2), ['1.50 advert 150']);
});

reload('a priority below the backup of the segment gives way by the protocol', () => {
  const router = Router.master();
  assert.equal(configure(router, { priority: 50 }, 0.5), ['advert 50']);
  assert.equal(router.advert(80, 0.9), [
    'advert 50',
    'release',
    'MASTER -> BACKUP: higher priority 80 from 10.0.0.1',
  ]);
});

reload('adverts follow each other decently, however often it is configured', () => {
  const router = Router.master();
  configure(router, { priority: 150 }, 0.5);
  assert.equal(configure(router, { priority: 151 }, 0.501), []);
  assert.equal(router.until(1), ['0.52 advert 151']);
});

reload('another interval counts from the advert that tells it', () => {
  const router = Router.master();
  assert.equal(configure(router, { advertInterval: centiseconds(20) }, 0.5), ['advert 100']);
  assert.equal(router.until(1), ['0.70 advert 100', '0.90 advert 100']);
});

reload('new addresses are installed and announced, they alone, and again after the delay', () => {
  const announce = { ...SETTINGS.announce, delay: seconds(5) };
  const router = Router.master({ announce });
  router.until(20.2);
  const settings = { ...router.settings, addresses: [VIP, OTHER] };
  router.machine.handle({ type: 'configure', settings }, at(20.5));
  const announced = router.machine.take().filter(({ type }) => type === 'announce' || type === 'hold');
  assert.equal(announced, [
    { type: 'hold', addresses: [VIP, OTHER], lease: seconds(0) },
    { type: 'announce', addresses: [OTHER], repeat: 5 },
  ]);
  router.until(25.4);
  router.machine.timeout(at(25.5));
  const again = router.machine.take().filter(({ type }) => type === 'announce');
  assert.equal(again, [{ type: 'announce', addresses: [OTHER], repeat: 5 }]);
});

reload('an address that goes is no longer held; nothing is announced', () => {
  const router = Router.master({ addresses: [VIP, OTHER] });
  assert.equal(configure(router, { addresses: [OTHER] }, 0.5), ['advert 100', 'hold']);
});

reload('a reload without news for the addresses does not touch them', () => {
  const router = Router.master({ lease: seconds(2) });
  assert.equal(configure(router, { preempt: false }, 0.5), ['advert 100']);
  assert.equal(configure(router, { lease: seconds(3) }, 0.9), ['advert 100', 'hold for 3 s']);
});

reload('a refresh can begin and end', () => {
  const { announce } = SETTINGS;
  const router = Router.master();
  configure(router, { announce: { ...announce, refresh: seconds(3) } }, 0.5);
  assert.ok(router.until(4).includes('3.50 announce x1'));
  configure(router, { announce }, 4.6);
  assert.not.ok(router.until(20).some((line) => line.includes('announce')));
});

reload('a new name keeps the state', () => {
  const router = Router.master();
  configure(router, { name: 'renamed' }, 0.5);
  assert.equal([router.state, router.machine.status().name], ['MASTER', 'renamed']);
});

reload('another virtual router is refused', () => {
  const router = Router.master();
  assert.throws(() => configure(router, { vrid: 52 }, 0.5), /VI_1: configured as another virtual router/);
  assert.throws(() => configure(router, { interface: 'eth1' }, 0.5));
});

reload('a backup waits by its new priority', () => {
  const router = Router.started({ priority: 100 });
  router.advert(200, 1);
  configure(router, { priority: 228 }, 2);
  assert.match(became(router, 6), /^4\.11 BACKUP -> MASTER: no advert from 10\.0\.0\.1 for 3\.11 s/);
});

reload('a priority above the master is a preemption, and says so', () => {
  const router = Router.started();
  router.advert(150, 1);
  configure(router, { priority: 200 }, 1.5);
  router.advert(150, 2);
  router.advert(150, 3);
  assert.match(became(router, 6), /BACKUP -> MASTER: priority 200 is higher than 150 of 10\.0\.0\.1/);
});

reload('patience that shrinks below the silence so far is no evidence: the master may speak first', () => {
  const router = Router.started({ downAdverts: 10 });
  router.advert(200, 1);
  assert.equal(router.until(8), []);
  assert.equal(configure(router, { downAdverts: 3 }, 8), []);
  assert.equal(router.until(9.5), []);
  assert.match(became(router, 10), /^9\.61 BACKUP -> MASTER/);
});

reload('a stall that ends with the reload is a stall all the same', () => {
  const router = Router.started();
  router.advert(200, 1);
  configure(router, { priority: 150 }, 20);
  assert.equal(router.timeout(20), ['stalled 17.50 s: listening for 1.41 s more before taking over']);
});

reload('a master that overslept gives up, and serves with the new settings when it has listened', () => {
  const router = Router.master();
  assert.equal(configure(router, { priority: 150, addresses: [VIP, OTHER] }, 20), [
    'release',
    'MASTER -> BACKUP: stalled for 20.39 s, another may be master: listening before serving again',
  ]);
  assert.equal(router.until(25).slice(0, 2), ['21.61 advert 150', '21.61 hold']);
});

reload('another source is used when the link has it', () => {
  const router = Router.master();
  configure(router, { source: ip('10.0.0.77') }, 0.5);
  assert.is(router.machine.status().source, '10.0.0.77');
});

reload('in fault and before the start only the settings change', () => {
  const stopped = new Router();
  assert.equal(configure(stopped, { priority: 150 }, 0), []);
  const router = Router.started();
  router.event({ type: 'link', up: false, why: 'eth0 has no carrier' }, 1);
  assert.equal(configure(router, { priority: 150 }, 2), []);
  assert.equal([router.state, router.machine.status().priority], ['FAULT', 150]);
});

reload('the peer is followed with the version that is configured now', () => {
  const router = Router.started();
  router.advert(200, 1);
  configure(router, { version: 2 }, 1.5);
  assert.equal(router.advert(200, 2), ['rejected version from 10.0.0.1 x1: VRRP version differs']);
  assert.equal(router.advert(200, 2.1, PEER, { version: 2 }), []);
});

reload('a candidate that is taken out of its group, with another address, is master with that', () => {
  const router = Router.started({ group: 'G' });
  router.until(10);
  const settings: VrrpSettings = { ...SETTINGS, addresses: [OTHER] };
  router.machine.handle({ type: 'configure', settings }, at(10));
  const held = router.machine.take().filter(({ type }) => type === 'hold');
  assert.equal(held, [{ type: 'hold', addresses: [OTHER], lease: seconds(0) }]);
});

reload.run();
