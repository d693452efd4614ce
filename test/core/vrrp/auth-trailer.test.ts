import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { familyOf, type Ip, ip } from '../../../src/core/ip.ts';
import { seconds } from '../../../src/core/time.ts';
import type { Verdict } from '../../../src/core/vrrp/auth-digest.ts';
import { AuthTrailer, TRAILER_BYTES } from '../../../src/core/vrrp/auth-trailer.ts';
import {
  type Advert,
  addressBlock,
  decodeAdvert,
  encodeAdvert,
  type RejectReason,
} from '../../../src/core/vrrp/packet.ts';
import type { HmacSettings } from '../../../src/core/vrrp/settings.ts';
import { digest } from '../../../src/io/digest.ts';
import { suite } from '../../suite.ts';

const SECRET = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const OTHER = SECRET.replace('00', 'ff');
const SETTINGS: HmacSettings = {
  keys: [{ id: 1, secret: SECRET }],
  activeKey: 1,
  mode: 'enforce',
  antiReplay: 'time',
  window: seconds(5),
};
/** 0x68000000 s and a half: the time of the draft's example. */
const NOW = (0x68000000 + 0.5) * 1e6;
const SECOND = 1e6;

/** The wire images of the appendix of draft-cassen-vrrp-auth-hmac. */
const IMAGES = [
  {
    source: ip('198.51.100.10'),
    destination: ip('224.0.0.18'),
    virtual: ip('192.0.2.100'),
    plainChecksum: true,
    image: '3133c80100644402c0000264010100006800000080000000' + '1b84bc4e8e43892dc6d98448f8ee2265',
  },
  {
    source: ip('fe80::10'),
    destination: ip('fe80::20'),
    virtual: ip('fe80::100'),
    plainChecksum: false,
    image:
      '3133c8010064a2e9fe800000000000000000000000000100010100006800000080000000' +
      'c8c56146ebfd66ee10ec4d8186461b78',
  },
] as const;
const SOURCE = IMAGES[0].source;
const GROUP = IMAGES[0].destination;
const ADVERT: Advert = {
  version: 3,
  vrid: 51,
  priority: 200,
  interval: seconds(1),
  addresses: [IMAGES[0].virtual],
};
const MESSAGE = encodeAdvert(ADVERT, { source: SOURCE, destination: GROUP });

const router = (changes: Partial<HmacSettings> = {}, peers = 0): AuthTrailer =>
  new AuthTrailer({ ...SETTINGS, ...changes }, peers, digest);

function signed(by: AuthTrailer, utc = NOW, source: Ip = SOURCE): Uint8Array {
  by.begin(utc);
  return by.seal(MESSAGE, { source, destination: GROUP }).payload;
}

const heard = (by: AuthTrailer, payload: Uint8Array, utc = NOW, source: Ip = SOURCE): Verdict =>
  by.verify({ payload, source, destination: GROUP, ttl: 255 }, utc);

const GOOD: Verdict = { ok: true };
const bad = (reason: RejectReason): Verdict => ({ ok: false, reason });
const sequenceOf = (payload: Uint8Array): string => toHex(payload.subarray(payload.length - 24, -16));

const trailer = suite('vrrp authentication trailer');

for (const { source, destination, virtual, plainChecksum, image } of IMAGES) {
  trailer(`the draft's image from ${source}`, () => {
    const message = encodeAdvert({ ...ADVERT, addresses: [virtual] }, { source, destination, plainChecksum });
    const own = router();
    own.begin(NOW);
    assert.is(toHex(own.seal(message, { source, destination }).payload), image);
    const datagram = { payload: fromHex(image), source, destination, ttl: 255 };
    assert.equal(router().verify(datagram, NOW), GOOD);
    assert.equal(router({ antiReplay: 'monotonic' }).verify(datagram, 0), GOOD);
  });

  trailer(`each byte counts, but for the checksum: from ${source}`, () => {
    const reasons: Record<number, RejectReason> = { 0: 'auth-malformed', 1: 'auth-key' };
    for (const at of [2, 3]) reasons[at] = 'auth-malformed';
    const begin = image.length / 2 - 28;
    for (let at = 0; at < image.length / 2; at++) {
      if (at === 3 || at === 0) continue;
      const payload = fromHex(image);
      payload[at] = (payload[at] ?? 0) ^ 1;
      const verdict = router().verify({ payload, source, destination, ttl: 255 }, NOW);
      const expected = reasons[at - begin] ?? (at === begin + 4 ? 'auth-stale' : 'auth-invalid');
      const checksum = at === 6 || at === 7;
      const far = at === begin + 5 || at === begin + 6;
      assert.equal(verdict, checksum ? GOOD : bad(far ? 'auth-stale' : expected), `byte ${at}`);
    }
  });
}

trailer('is bound to its sender', () => {
  assert.equal(heard(router(), signed(router()), NOW, ip('198.51.100.11')), bad('auth-invalid'));
});

trailer('without one: refused by enforce, taken by the modes of a rollout', () => {
  assert.equal(heard(router(), MESSAGE), bad('auth-missing'));
  assert.equal(heard(router({ mode: 'permissive' }), MESSAGE), GOOD);
  assert.equal(heard(router({ mode: 'receive-only' }), MESSAGE), GOOD);
});

trailer('a rollout: every mode hears the one before and the one after it', () => {
  const modes = ['receive-only', 'permissive', 'enforce'] as const;
  for (const [i, from] of modes.entries()) {
    for (const [j, to] of modes.entries()) {
      const verdict = heard(router({ mode: to }), signed(router({ mode: from })));
      const steps = Math.abs(i - j);
      assert.is(verdict.ok, steps <= 1 || from === 'enforce', `${from} to ${to}`);
    }
  }
  assert.equal(signed(router({ mode: 'receive-only' })), MESSAGE);
  assert.equal(
    heard(router({ mode: 'receive-only' }), signed(router(), NOW - 60 * SECOND)),
    bad('auth-stale'),
  );
});

trailer('a rotation: each step is understood by who is a step behind or ahead', () => {
  const keys = [...SETTINGS.keys, { id: 2, secret: OTHER }];
  const steps = [
    router,
    () => router({ keys }),
    () => router({ keys, activeKey: 2 }),
    () => router({ keys: keys.slice(1), activeKey: 2 }),
  ];
  for (const [i, from] of steps.entries()) {
    for (const to of steps.slice(Math.max(0, i - 1), i + 2)) assert.equal(heard(to(), signed(from())), GOOD);
  }
  const [first, , , last] = steps;
  assert.equal(heard(first?.() ?? router(), signed(last?.() ?? router())), bad('auth-key'));
  const wrong = router({ keys: [{ id: 1, secret: OTHER }] });
  assert.equal(heard(router(), signed(wrong)), bad('auth-invalid'));
});

trailer('the window of time, and a warning from its half on', () => {
  const skewed: Verdict = { ok: true, notice: 'clock-skew' };
  const payload = signed(router());
  for (const [skew, verdict] of [
    [2, GOOD],
    [3, skewed],
    [5, skewed],
    [6, bad('auth-stale')],
    [3600, bad('auth-stale')],
  ] as const) {
    assert.equal(heard(router(), payload, NOW + skew * SECOND), verdict, `${skew} s old`);
    assert.equal(heard(router(), payload, NOW - skew * SECOND), verdict, `${skew} s ahead`);
  }
});

trailer('nothing is heard twice, and nothing that is older than what was heard', () => {
  for (const antiReplay of ['time', 'monotonic'] as const) {
    const sender = router();
    const [one, two] = [signed(sender), signed(sender)];
    const own = router({ antiReplay });
    assert.equal(heard(own, two), GOOD);
    assert.equal(heard(own, two), bad('auth-replay'));
    assert.equal(heard(own, one), bad('auth-replay'));
    assert.equal(heard(own, signed(sender)), GOOD);
  }
});

trailer('a forgery does not move the mark', () => {
  const own = router();
  const forged = signed(router({ keys: [{ id: 1, secret: OTHER }] }), NOW + SECOND);
  assert.equal(heard(own, forged), bad('auth-invalid'));
  assert.equal(heard(own, signed(router())), GOOD);
});

trailer('while the clock stands, the counter goes on', () => {
  const own = router();
  assert.is(sequenceOf(signed(own)), '6800000080000000');
  assert.is(sequenceOf(signed(own)), '6800000080000001');
  assert.is(sequenceOf(signed(own, NOW - SECOND)), '6800000080000002');
  assert.is(sequenceOf(signed(own, NOW + SECOND)), '6800000180000000');
});

trailer('a clock that was far ahead and is set right: time starts again, monotonic goes on', () => {
  for (const [antiReplay, sequence] of [
    ['time', '6800000080000000'],
    ['monotonic', '68000e1080000001'],
  ] as const) {
    const own = router({ antiReplay });
    signed(own, NOW + 3600 * SECOND);
    assert.is(sequenceOf(signed(own)), sequence);
  }
});

trailer('a receiver forgets the mark of a wrong clock, but not what it heard since', () => {
  const own = router();
  const ahead = NOW + 3600 * SECOND;
  const sender = router();
  assert.equal(heard(own, signed(sender, ahead), ahead), GOOD);
  const right = signed(sender);
  assert.equal(heard(own, right), GOOD);
  assert.equal(heard(own, right), bad('auth-replay'));
  const monotonic = router({ antiReplay: 'monotonic' });
  assert.equal(heard(monotonic, signed(router(), ahead), NOW), GOOD);
  assert.equal(heard(monotonic, signed(router())), bad('auth-replay'));
});

trailer('across the end of the 32 bits of seconds', () => {
  const last = (2 ** 32 - 0.25) * SECOND;
  const [sender, own] = [router(), router()];
  assert.equal(heard(own, signed(sender, last), last), GOOD);
  assert.equal(heard(own, signed(sender, last + SECOND), last + SECOND), GOOD);
  assert.equal(heard(own, signed(router(), last), last + SECOND), bad('auth-replay'));
});

/** Senders 10.0.0.1 to 10.0.0.n in turn, then the first one's advert again. */
function replayAfter(senders: number, peers: number): Verdict {
  const own = router({}, peers);
  const all = Array.from({ length: senders }, (_, i) => ip(`10.0.0.${i + 1}`));
  for (const source of all) assert.equal(heard(own, signed(router(), NOW, source), NOW, source), GOOD);
  const [first] = all;
  return heard(own, signed(router(), NOW, first), NOW, first);
}

trailer('the last four senders of a group are remembered, and every peer', () => {
  assert.equal(replayAfter(4, 0), bad('auth-replay'));
  assert.equal(replayAfter(5, 0), GOOD);
  assert.equal(replayAfter(9, 9), bad('auth-replay'));
});

/** Adverts that a real keepalived 2.4.3 sent, and with which key: captured by test/interop/auth-hmac.ts. */
interface Captured {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  /** `secret` as `auth_hmac` has it. */
  readonly key: { readonly id: number; readonly secret: string };
  readonly payload: string;
}
const CAPTURED = JSON.parse(
  readFileSync(new URL('../../../../test/vectors/auth-hmac.json', import.meta.url), 'utf8'),
) as Captured[];

const secretBytes = (secret: string): string =>
  secret.startsWith('hex:') ? secret.slice(4) : toHex(new TextEncoder().encode(secret));

for (const { name, key, payload: hex, ...ends } of CAPTURED) {
  const [source, destination] = [ip(ends.source), ip(ends.destination)];
  const payload = fromHex(hex);
  const length = payload.length - TRAILER_BYTES;
  const sequence = new DataView(payload.buffer, length + 4, 8);
  /** The time in the trailer, in microseconds: its fraction has 16 bits. */
  const utc = Math.ceil(sequence.getUint32(0) * 1e6 + (sequence.getUint16(4) * 1e6) / 0x1_0000);
  const keyed = (): AuthTrailer =>
    router({ keys: [{ id: key.id, secret: secretBytes(key.secret) }], activeKey: key.id });

  trailer(`keepalived 2.4.3 sent it: ${name}`, () => {
    const family = familyOf(source);
    const version = (payload[0] ?? 0) >> 4 === 2 ? 2 : 3;
    const addresses =
      family === 4 ? [ip('10.0.0.100'), ip('10.0.0.101')] : [ip('fe80::100'), ip('fd00::100')];
    const vips = version === 2 ? addresses.slice(0, 1) : addresses;
    const interval = version === 2 ? seconds(1) : seconds(0.2);
    const block = addressBlock(vips);
    const expected = { vrid: 7, version, family, interval, addresses: vips, block, destination } as const;
    const datagram = { payload, source, destination, ttl: 255 };
    const decoded = decodeAdvert(datagram, { ...expected, trailer: TRAILER_BYTES });
    const priority = name.endsWith('resignation') ? 0 : 150;
    assert.equal(decoded, {
      ok: true,
      advert: { version, vrid: 7, priority, interval, addresses: vips },
      notices: [],
    });
    assert.equal(keyed().verify(datagram, utc), GOOD);
    const late = keyed().verify(datagram, utc + 60 * SECOND);
    assert.equal(late, bad('auth-stale'));
  });

  trailer(`we send the same: ${name}`, () => {
    const own = keyed();
    own.begin(utc);
    assert.is(sequence.getUint16(6), 0, 'the first of its instant');
    assert.is(toHex(own.seal(payload.subarray(0, length), { source, destination }).payload), hex);
  });
}

trailer('any bytes give an answer, and none that were not signed are taken', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 80 }), fc.boolean(), (payload, time) => {
      const own = router({ antiReplay: time ? 'time' : 'monotonic' });
      assert.not(heard(own, payload).ok);
    }),
  );
});

trailer.run();
