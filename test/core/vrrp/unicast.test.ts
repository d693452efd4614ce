import * as assert from 'uvu/assert';
import { type Ip, ip } from '../../../src/core/ip.ts';
import { Authentication } from '../../../src/core/vrrp/auth.ts';
import { type Datagram, decodeAdvert, encodeAdvert } from '../../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { Wire } from '../../../src/core/vrrp/wire.ts';
import { suite } from '../../suite.ts';
import { at, OWN, PEER, Router, SETTINGS } from './router.ts';

/** Adverts to peers instead of a group, and to another group. */
const unicast = suite('vrrp unicast');

const FAR = ip('10.8.0.9');
const STRANGER = ip('10.0.0.66');
const UNICAST: Partial<VrrpSettings> = {
  peers: [{ address: PEER }, { address: FAR, minTtl: 250, maxTtl: 254 }],
};
const [VIP] = SETTINGS.addresses.map(({ address }) => address.ip) as [Ip];

/** An advert as it arrives here. */
function advert(source: Ip, changes: Partial<Datagram> = {}): Datagram {
  const { version, vrid, advertInterval: interval } = SETTINGS;
  const destination = changes.destination ?? OWN;
  const payload = encodeAdvert(
    { version, vrid, priority: 200, interval, addresses: [VIP] },
    { source, destination },
  );
  return { payload, source, destination, ttl: 255, ...changes };
}

const wireOf = (settings: VrrpSettings): Wire => new Wire(settings, new Authentication(settings, undefined));

const hears = (router: Router, datagram: Datagram): string[] =>
  router.event({ type: 'packet', ...datagram }, 1);

unicast('each peer gets its own advert, with a checksum for it', () => {
  const wire = wireOf({ ...SETTINGS, ...UNICAST, unicastTtl: 64 });
  wire.source = OWN;
  const sent = wire.adverts(100, at(0)).flatMap((effect) => (effect.type === 'send' ? [effect] : []));
  assert.equal(
    sent.map(({ source, destination, ttl }) => [source, destination, ttl]),
    [
      [OWN, PEER, 64],
      [OWN, FAR, 64],
    ],
  );
  for (const { payload, destination } of sent) {
    const expected = {
      version: SETTINGS.version,
      family: SETTINGS.family,
      vrid: SETTINGS.vrid,
      interval: SETTINGS.advertInterval,
      addresses: [VIP],
      block: new Uint8Array(),
    };
    assert.ok(decodeAdvert({ payload, source: OWN, destination, ttl: 64 }, expected).ok);
    const elsewhere = decodeAdvert({ payload, source: OWN, destination: STRANGER, ttl: 64 }, expected);
    assert.equal(elsewhere, { ok: false, reason: 'checksum' });
  }
});

unicast('one advert interval is one advert in the statistics, however many peers', () => {
  const router = Router.master(UNICAST);
  const before = router.machine.status().statistics.advertsSent;
  assert.equal(router.until(1), ['0.61 advert 100', '0.61 advert 100']);
  assert.is(router.machine.status().statistics.advertsSent, before + 1);
});

unicast('any TTL is right, unless the peer has bounds', () => {
  assert.equal(hears(Router.started(UNICAST), advert(PEER, { ttl: 3 })), []);
  const bounded = Router.started(UNICAST);
  assert.equal(hears(bounded, advert(FAR, { ttl: 255 })), ['rejected ttl from 10.8.0.9 x1']);
  assert.equal(hears(bounded, advert(FAR, { ttl: 249 })), []);
  assert.is(bounded.machine.status().statistics.rejected.ttl, 2);
  assert.equal(hears(bounded, advert(FAR, { ttl: 252 })), []);
  assert.is(bounded.machine.status().master?.address, FAR);
});

unicast('a stranger is heard, unless check_unicast_src', () => {
  const open = Router.started(UNICAST);
  hears(open, advert(STRANGER));
  assert.is(open.machine.status().master?.address, STRANGER);
  const closed = Router.started({ ...UNICAST, checkPeers: true });
  assert.equal(hears(closed, advert(STRANGER)), ['rejected peer from 10.0.0.66 x1']);
  assert.equal(hears(closed, advert(PEER)), []);
  assert.is(closed.machine.status().master?.address, PEER);
});

unicast('multicast is not for a unicast router, nor the reverse', () => {
  const group = advert(PEER, { destination: ip('224.0.0.18') });
  assert.equal(hears(Router.started(UNICAST), group), ['rejected destination from 10.0.0.1 x1']);
  assert.equal(hears(Router.started(), group), []);
  assert.equal(hears(Router.started(), advert(PEER)), ['rejected destination from 10.0.0.1 x1']);
  assert.equal(hears(Router.started({ peers: [] }), group), []);
});

unicast('mcast_dst_ip: another group, both ways', () => {
  const destination = ip('224.0.0.99');
  const wire = wireOf({ ...SETTINGS, destination });
  wire.source = OWN;
  assert.equal(
    wire.adverts(100, at(0)).map((effect) => (effect.type === 'send' ? effect.destination : '')),
    [destination],
  );
  assert.equal(hears(Router.started({ destination }), advert(PEER, { destination })), []);
  const usual = advert(PEER, { destination: ip('224.0.0.18') });
  assert.equal(hears(Router.started({ destination }), usual), ['rejected destination from 10.0.0.1 x1']);
});

unicast('peers can change while it runs: the new one hears it at once', () => {
  const router = Router.master(UNICAST);
  const settings = { ...router.settings, peers: [{ address: STRANGER }] };
  assert.equal(router.event({ type: 'configure', settings }, 0.5), ['advert 100']);
});

unicast.run();
