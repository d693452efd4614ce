import * as assert from 'uvu/assert';
import { type Ip, ip } from '../../../src/core/ip.ts';
import { seconds } from '../../../src/core/time.ts';
import type { VrrpEffect } from '../../../src/core/vrrp/events.ts';
import { VrrpInstance } from '../../../src/core/vrrp/instance.ts';
import type { HmacSettings, VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { digest } from '../../../src/io/digest.ts';
import { suite } from '../../suite.ts';
import { at, OWN, PEER, SETTINGS } from './router.ts';

const HMAC: HmacSettings = {
  keys: [{ id: 1, secret: '11'.repeat(32) }],
  activeKey: 1,
  mode: 'enforce',
  antiReplay: 'time',
  window: seconds(5),
};
const UTC = 1_800_000_000e6;

type Send = Extract<VrrpEffect, { type: 'send' }>;

/** A machine that signs. */
class Signer {
  readonly machine: VrrpInstance;
  readonly #settings: VrrpSettings;

  constructor(settings: Partial<VrrpSettings>, source: Ip) {
    this.#settings = { ...SETTINGS, ...settings };
    this.machine = new VrrpInstance(this.#settings, digest);
    this.machine.handle({ type: 'clock', utc: UTC }, at(0));
    this.machine.handle({ type: 'link', up: true, source, why: 'eth0 is up' }, at(0));
    this.machine.handle({ type: 'start' }, at(0));
    this.machine.take();
  }

  /** What it sends up to second `s`. */
  sends(s: number): Send[] {
    const all: Send[] = [];
    for (
      let due = this.machine.deadline();
      due !== undefined && due <= at(s);
      due = this.machine.deadline()
    ) {
      this.machine.timeout(due);
      all.push(...this.machine.take().flatMap((effect) => (effect.type === 'send' ? [effect] : [])));
    }
    return all;
  }

  /** What it makes of an advert: the reasons to drop it. */
  hears({ payload, source, destination, header }: Send, s: number): string[] {
    this.machine.handle({ type: 'packet', payload, source, destination, header, ttl: 255 }, at(s));
    return this.machine.take().flatMap((effect) => (effect.type === 'rejected' ? [effect.reason] : []));
  }

  configure(settings: Partial<VrrpSettings>, s: number): void {
    this.machine.handle({ type: 'configure', settings: { ...this.#settings, ...settings } }, at(s));
    this.machine.take();
  }
}

const last = (sent: readonly Send[]): Send => {
  const advert = sent[sent.length - 1];
  assert.ok(advert !== undefined, 'an advert');
  return advert as Send;
};

const auth = suite('vrrp authentication');

for (const [what, settings] of [
  ['a header', { version: 2, ah: 'secret' }],
  ['a trailer', { hmac: HMAC }],
  ['a trailer, version 2', { version: 2, hmac: HMAC }],
] as const) {
  auth(`${what}: a backup follows the master that signs, and takes each advert once`, () => {
    const master = new Signer({ ...settings, priority: 200 }, PEER);
    const backup = new Signer({ ...settings, priority: 100 }, OWN);
    const advert = last(master.sends(3.5));
    assert.equal(backup.hears(advert, 3.5), []);
    assert.is(backup.machine.status().master?.address, PEER);
    assert.equal(backup.hears(advert, 3.6), ['auth-replay']);
    backup.sends(7.2);
    assert.is(backup.machine.state, 'MASTER');
  });

  auth(`${what}: who does not sign is not heard`, () => {
    const backup = new Signer({ ...settings, priority: 100 }, OWN);
    const bare = new Signer({ version: 'version' in settings ? 2 : 3, priority: 200 }, PEER);
    const [reason] = backup.hears(last(bare.sends(4)), 4);
    assert.ok(reason === 'auth-missing' || reason === 'auth-mismatch', reason);
  });
}

auth('with a header even the owner of the addresses listens first', () => {
  const owner = new Signer({ version: 2, ah: 'secret', priority: 255 }, OWN);
  assert.is(owner.machine.state, 'BACKUP');
  owner.sends(4);
  assert.is(owner.machine.state, 'MASTER');
});

auth('a reload does not begin the sequence again', () => {
  const settings = { version: 2, ah: 'secret' } as const;
  const master = new Signer({ ...settings, priority: 200 }, PEER);
  const backup = new Signer({ ...settings, priority: 100 }, OWN);
  assert.equal(backup.hears(last(master.sends(6)), 6), []);
  master.configure({ ...settings, priority: 201 }, 6);
  assert.equal(backup.hears(last(master.sends(8)), 8), []);
});

auth('a step of the clock is followed when it is told', () => {
  const master = new Signer({ hmac: HMAC, priority: 200 }, PEER);
  const backup = new Signer({ hmac: HMAC, priority: 100 }, OWN);
  backup.machine.handle({ type: 'clock', utc: UTC + 3600e6 }, at(1));
  assert.equal(backup.hears(last(master.sends(4)), 4), ['auth-stale']);
  master.machine.handle({ type: 'clock', utc: UTC + 3604e6 }, at(4));
  assert.equal(backup.hears(last(master.sends(5)), 5), []);
});

auth('unicast: each peer gets the same trailer, and a stranger with the key is no peer', () => {
  const other = ip('10.0.0.9');
  const master = new Signer({ hmac: HMAC, peers: [{ address: OWN }, { address: other }] }, PEER);
  const sent = master.sends(3.7).slice(0, 2);
  assert.equal(
    sent.map(({ destination }) => destination),
    [OWN, other],
  );
  const [one, two] = sent.map(({ payload }) => payload.slice(-28).join());
  assert.is(one, two);
  const backup = new Signer({ hmac: HMAC, peers: [{ address: other }] }, OWN);
  assert.equal(backup.hears(last(sent.slice(0, 1)), 4), ['peer']);
});

auth('without a digest a router that signs is not made', () => {
  assert.throws(() => new VrrpInstance({ ...SETTINGS, hmac: HMAC }), /VI_1: no digest/);
  assert.is(new VrrpInstance(SETTINGS).state, 'INIT');
});

auth.run();
