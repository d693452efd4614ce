import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { ip } from '../../../src/core/ip.ts';
import { seconds } from '../../../src/core/time.ts';
import { AuthHeader } from '../../../src/core/vrrp/auth-header.ts';
import { type Datagram, encodeAdvert } from '../../../src/core/vrrp/packet.ts';
import { digest } from '../../../src/io/digest.ts';
import { suite } from '../../suite.ts';

/** What keepalived 2.2.7 sent, captured with tcpdump: IPv4 header, authentication header, message. */
const IP_HEADER = '45c0004000010000ff33d0ad0a090001e0000012';
const CAPTURED_AH = '700400000a0900010000000136da8c8846fb592d34b5c69a';
const CAPTURED_MESSAGE = '2134960102023c590a0900660000000000000000';
const PASSWORD = 's3cr3t';
const SOURCE = ip('10.9.0.1');
const GROUP = ip('224.0.0.18');
const PEER = ip('10.9.0.2');
const ADDRESSING = { source: SOURCE, destination: GROUP };

const captured = (spoil: (header: Uint8Array, payload: Uint8Array) => void = () => {}): Datagram => {
  const header = fromHex(IP_HEADER + CAPTURED_AH);
  const payload = fromHex(CAPTURED_MESSAGE);
  spoil(header, payload);
  return { ...ADDRESSING, payload, header, ttl: 255 };
};

const router = (password = PASSWORD): AuthHeader => new AuthHeader(password, digest);
const MESSAGE = encodeAdvert(
  { version: 2, vrid: 52, priority: 150, interval: seconds(2), addresses: [ip('10.9.0.102')] },
  { ...ADDRESSING, ah: true },
);

/** As it arrives: with the IP checksum that the kernel filled in, and another TTL where routers counted it. */
function sent(by: AuthHeader, addressing = ADDRESSING, ttl = 255): Datagram {
  assert.ok(by.begin());
  const { payload, header } = by.seal(MESSAGE, addressing);
  const arrived = (header ?? new Uint8Array()).slice();
  arrived.set([0xbe, 0xef], 10);
  arrived[8] = ttl;
  return { ...addressing, payload, header: arrived, ttl };
}

const sequenceOf = ({ header }: Datagram): number =>
  new DataView((header ?? new Uint8Array()).slice().buffer).getUint32(28);

/** A peer's advert with any sequence number, for which it has sent that many. */
function withSequence(sequence: number): Datagram {
  const peer = router();
  const heard = captured((header) => {
    new DataView(header.buffer).setUint32(28, sequence);
    header.fill(0, 32);
    const data = new Uint8Array([...header, ...fromHex(CAPTURED_MESSAGE)]);
    for (const at of [1, 6, 7, 10, 11]) data[at] = 0;
    header.set(digest.hmac('md5', new TextEncoder().encode('s3cr3t\0\0'), data).subarray(0, 12), 32);
  });
  assert.equal(peer.verify(heard), { ok: true });
  return heard;
}

const header = suite('vrrp authentication header');

header('the first advert is byte for byte what keepalived sends, but for the checksum of the kernel', () => {
  const own = router();
  assert.is(toHex(MESSAGE), CAPTURED_MESSAGE);
  assert.ok(own.begin());
  const sealed = own.seal(MESSAGE, ADDRESSING);
  assert.is(toHex(sealed.header ?? MESSAGE), IP_HEADER.replace('d0ad', '0000') + CAPTURED_AH);
});

header('accepts the capture, and not twice', () => {
  const own = router();
  assert.equal(own.verify(captured()), { ok: true });
  assert.equal(own.verify(captured()), { ok: false, reason: 'auth-replay' });
});

header('only what routers may change may differ', () => {
  const changeable = [1, 6, 7, 10, 11];
  for (let at = 0; at < 64; at++) {
    const datagram = captured((head, payload) => {
      if (at < 44) head[at] = (head[at] ?? 0) ^ 1;
      else payload[at - 44] = (payload[at - 44] ?? 0) ^ 1;
    });
    const { ok } = router().verify(datagram);
    assert.is(ok, changeable.includes(at), `byte ${at}`);
  }
});

header('says what is wrong', () => {
  assert.equal(router('other').verify(captured()), { ok: false, reason: 'auth-invalid' });
  const bare = { ...ADDRESSING, payload: fromHex(CAPTURED_MESSAGE), ttl: 255 };
  assert.equal(router().verify(bare), { ok: false, reason: 'auth-mismatch' });
  assert.equal(router().verify({ ...bare, header: new Uint8Array(43) }), {
    ok: false,
    reason: 'auth-malformed',
  });
  const other = captured((head) => {
    head[20] = 6;
  });
  assert.equal(router().verify(other), { ok: false, reason: 'auth-malformed' });
  // A router that has the key but puts another's address in the SPI.
  const disguised = { ...sent(router(), { source: PEER, destination: GROUP }), source: SOURCE };
  assert.equal(router().verify(disguised), { ok: false, reason: 'auth-malformed' });
});

header('the sequence grows with each advert, and is one for all copies', () => {
  const own = router();
  assert.is(sequenceOf(sent(own)), 1);
  assert.ok(own.begin());
  const [one, two] = [PEER, GROUP].map((destination) => own.seal(MESSAGE, { source: SOURCE, destination }));
  assert.is(toHex(one?.header?.subarray(28, 32) ?? MESSAGE), '00000002');
  assert.is(toHex(two?.header?.subarray(28, 32) ?? MESSAGE), '00000002');
});

header('who takes over counts on from the last that was heard', () => {
  const own = router();
  assert.equal(own.verify(withSequence(1000)), { ok: true });
  assert.is(sequenceOf(sent(own)), 1001);
  assert.equal(own.verify(withSequence(1001)), { ok: false, reason: 'auth-replay' });
});

header('a forged number changes nothing', () => {
  const own = router();
  const forged = captured((head) => head.fill(0xff, 28, 32));
  assert.equal(own.verify(forged), { ok: false, reason: 'auth-invalid' });
  assert.is(sequenceOf(sent(own)), 1);
});

header('unicast: a TTL that was counted down does not break the signature', () => {
  const addressing = { source: SOURCE, destination: PEER };
  assert.equal(router().verify(sent(router(), addressing, 250)), { ok: true });
  assert.equal(router().verify(sent(router(), ADDRESSING, 250)), { ok: false, reason: 'auth-invalid' });
});

header('at the end of the numbers a master resigns with one more, and the next begins again', () => {
  const own = router();
  own.verify(withSequence(0xfffffffc));
  assert.not(own.spent);
  assert.is(sequenceOf(sent(own)), 0xfffffffd);
  assert.ok(own.spent);
  assert.is(sequenceOf(sent(own)), 0xfffffffe);
  own.verify(withSequence(0xffffffff));
  assert.not(own.begin());
  own.lead();
  assert.not(own.spent);
  assert.is(sequenceOf(sent(own)), 1);
});

header('any header gives an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 40 }), (head, payload) => {
      const { ok } = router().verify({ ...ADDRESSING, header: head, payload, ttl: 255 });
      assert.not(ok);
    }),
  );
});

header.run();
