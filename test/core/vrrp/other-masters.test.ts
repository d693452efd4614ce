import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { PEER, Router } from './router.ts';

/** Masters whose adverts are not taken: nobody but an operator can end that. */
const test = suite('other masters');

const V2 = { version: 2, password: 'right' } as const;
const claimsOf = (router: Router): string[] =>
  router.machine.status().otherMasters.map(({ address, why }) => `${address} ${why}`);
const told = (effects: readonly string[]): string[] => effects.filter((effect) => effect.includes('claims'));

test('another password: told once while we are master, and shown', () => {
  const router = Router.master(V2);
  assert.equal(told(router.advert(100, 0.1, PEER, { password: 'wrong' })), [
    '10.0.0.1 claims: password differs',
  ]);
  assert.equal(told(router.advert(100, 1.1, PEER, { password: 'wrong' })), []);
  assert.equal(claimsOf(router), ['10.0.0.1 password differs']);
});

test('a backup knows of it at once, and tells when it becomes master', () => {
  const router = Router.started(V2);
  const heard = [0.5, 1.2, 1.4].flatMap((s) => router.advert(100, s, PEER, { password: 'wrong' }));
  assert.equal(told(heard), []);
  assert.equal(claimsOf(router), ['10.0.0.1 password differs']);
  const effects = router.until(4);
  assert.is(router.state, 'MASTER');
  assert.equal(told(effects).length, 1);
});

test('another interval: both values are said', () => {
  const router = Router.master(V2);
  const effects = router.advert(100, 0.1, PEER, { advertInterval: seconds(2) });
  assert.equal(effects, [
    'rejected interval from 10.0.0.1 x1: advert_int is 2 s there, 1 s here',
    '10.0.0.1 claims: advert_int is 2 s there, 1 s here',
  ]);
});

test('authentication on one side only', () => {
  const router = Router.master({ version: 2 });
  const effects = router.advert(100, 0.1, PEER, V2);
  assert.equal(told(effects), ['10.0.0.1 claims: authentication differs']);
});

test('a claim is over when it is not repeated, or its maker resigns', () => {
  const router = Router.master(V2);
  router.advert(100, 0.1, PEER, { password: 'wrong' });
  router.advert(100, 0.2, ip('10.0.0.2'), { password: 'wrong' });
  router.advert(0, 0.3, ip('10.0.0.2'), { password: 'wrong' });
  assert.equal(claimsOf(router), ['10.0.0.1 password differs']);
  const gone = told(router.until(5));
  assert.equal(gone.length, 1);
  assert.match(gone.join(), /10.0.0.1 claims no longer/);
  assert.equal(claimsOf(router), []);
  router.until(70);
  assert.equal(
    told(router.advert(100, 70, PEER, { password: 'wrong' })).length,
    1,
    'and told when it comes again',
  );
});

test('who comes and goes, or changes what differs, is told once a minute', () => {
  const router = Router.master(V2);
  const heard: string[] = [];
  for (let s = 0.1; s < 119; s += 0.5) {
    heard.push(...router.until(s));
    const password = `wrong ${s}`;
    heard.push(...router.advert(100, s, PEER, s % 2 < 1 ? { password } : { advertInterval: seconds(2) }));
    heard.push(...router.advert(0, s, PEER, { password }));
  }
  assert.is(told(heard).filter((line) => line.includes('claims:')).length, 2);
});

test('a claim ends when its adverts are taken', () => {
  const router = Router.master(V2);
  router.advert(90, 0.1, PEER, { password: 'wrong' });
  assert.equal(told(router.advert(90, 0.2)), ['10.0.0.1 claims no longer']);
});

test('the same VRID for other addresses, whoever is master', () => {
  const addresses = [{ address: { ip: ip('192.0.2.7'), length: 24 }, scope: 0 }];
  for (const priority of [90, 110]) {
    const router = Router.master();
    const effects = router.advert(priority, 0.1, PEER, { addresses });
    assert.equal(told(effects), ['10.0.0.1 claims: the same VRID for other addresses: 192.0.2.7']);
  }
});

test('one address more or less is a reload under way, not another cluster', () => {
  const router = Router.master();
  const more = [...router.settings.addresses, { address: { ip: ip('192.0.2.7'), length: 24 }, scope: 0 }];
  assert.equal(told(router.advert(90, 0.1, PEER, { addresses: more })), []);
  assert.equal(claimsOf(router), []);
});

test('damaged adverts and replays are no claims; senders are bounded', () => {
  const router = Router.master(V2);
  const packet = router.packet(100);
  assert.ok(packet.type === 'packet');
  const payload = packet.payload.slice();
  payload[7] = (payload[7] ?? 0) ^ 1;
  assert.equal(told(router.event({ ...packet, payload }, 0.1)), []);
  for (let i = 0; i < 100; i++) router.advert(100, 0.2, ip(`10.0.1.${i}`), { password: 'wrong' });
  assert.is(claimsOf(router).length, 8);
});

test('a router that stops or cannot serve hears no claims', () => {
  const router = Router.master(V2);
  router.advert(100, 0.1, PEER, { password: 'wrong' });
  router.event({ type: 'link', up: false, why: 'no carrier' }, 0.2);
  assert.equal(claimsOf(router), []);
});

test.run();
