import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex, Writer } from '../../src/core/bytes.ts';
import { ip as address, type Family, type Ip } from '../../src/core/ip.ts';
import { SystemError } from '../../src/io/errno.ts';
import { AF, sockaddrIp, sockaddrPacket } from '../../src/io/sockaddr.ts';
import { type Datagram, SOCK, Socket } from '../../src/io/socket.ts';
import {
  type Device,
  parseAdvert4,
  parseAdvert6,
  type ReceivedAdvert,
  VrrpReceiver,
  VrrpSender,
} from '../../src/io/vrrp.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ifindexOf, ip, isPeer, Peer, servePeer } from './namespace.ts';

/** What the peer, in the other namespace, can be asked to do on its end of the cable. */
type Request =
  | { readonly run: string }
  | { readonly family: Family; readonly payload: string; readonly to: Ip; readonly from?: Ip };

const GROUP4 = address('224.0.0.18');
const GROUP6 = address('ff02::12');
const OURS4 = address('10.9.0.1');
const PEER4 = address('10.9.0.2');
const OURS6 = address('fe80::1');
const PEER6 = address('fe80::2');
/** A VRRPv3 advert: VRID 51, priority 100, one address, 1 s. The checksum is not looked at below IPv6. */
const ADVERT4 = '3133640100640000 0a090064'.replace(' ', '');
const ADVERT6 = '3133640100640000fe800000000000000000000000000064';

if (!isPeer()) enterNamespace();

const test = suite('VRRP sockets');
let peer: Peer;
let left: Device;

test.before(async () => {
  peer = await Peer.fork();
  ip('link add left type veth peer name right');
  ip(`link set right netns ${peer.pid}`);
  for (const words of ['link set left up', `addr add ${OURS4}/24 dev left`]) ip(words);
  ip(`addr add ${OURS6}/64 dev left nodad`);
  await peer.ask({ run: 'link set right up' });
  await peer.ask({ run: `addr add ${PEER4}/24 dev right` });
  await peer.ask({ run: `addr add ${PEER6}/64 dev right nodad` });
  left = { name: 'left', ifindex: ifindexOf('left') };
});
test.after(() => peer.close());

/** All adverts, payload in hexadecimal, that come in while `act` runs and until there are `count`. */
async function receive(
  family: Family,
  groups: readonly Ip[],
  count: number,
  act: () => Promise<void>,
): Promise<(Omit<ReceivedAdvert, 'payload'> & { payload: string })[]> {
  const receiver = new VrrpReceiver(family, left, groups);
  const seen: (Omit<ReceivedAdvert, 'payload'> & { payload: string })[] = [];
  receiver.listen({
    advert: (advert) => seen.push({ ...advert, payload: toHex(advert.payload) }),
    error: assert.unreachable,
  });
  try {
    await act();
    await eventually(() => (seen.length >= count ? true : undefined), `${count} adverts`);
    assert.is(receiver.malformed, 0);
  } finally {
    receiver.close();
  }
  return seen;
}

test('an IPv4 advert crosses the cable with its TTL, addresses and interface', async () => {
  const seen = await receive(4, [GROUP4], 1, async () => {
    await peer.ask({ family: 4, payload: ADVERT4, to: GROUP4 });
  });
  const { ifindex } = left;
  assert.equal(seen, [{ payload: ADVERT4, source: PEER4, destination: GROUP4, ttl: 255, ifindex }]);
});

test('an IPv4 advert is sent from any address that is asked for', async () => {
  await peer.ask({ run: 'addr add 10.9.0.77/24 dev right' });
  const seen = await receive(4, [GROUP4], 1, async () => {
    await peer.ask({ family: 4, payload: ADVERT4, to: GROUP4, from: address('10.9.0.77') });
    await peer.ask({ family: 4, payload: ADVERT4, to: GROUP4, from: address('10.9.0.78') });
  });
  assert.is(seen[0]?.source, '10.9.0.77');
});

test('an IPv4 advert reaches a unicast peer', async () => {
  const seen = await receive(4, [], 1, async () => {
    await peer.ask({ family: 4, payload: ADVERT4, to: OURS4 });
  });
  assert.equal([seen[0]?.destination, seen[0]?.ttl, seen[0]?.payload], [OURS4, 255, ADVERT4]);
});

test('an IPv6 advert arrives with hop limit and interface, its checksum made by the kernel', async () => {
  const seen = await receive(6, [GROUP6], 2, async () => {
    await peer.ask({ family: 6, payload: ADVERT6, to: GROUP6, from: PEER6 });
    await peer.ask({ family: 6, payload: ADVERT6, to: OURS6 });
  });
  const summed = ADVERT6.replace(/^(.{12})0000/, '$1');
  for (const [i, destination] of [GROUP6, OURS6].entries()) {
    const advert = seen[i];
    assert.ok(advert);
    const { payload, ...rest } = advert;
    assert.equal(rest, { source: PEER6, destination, ttl: 255, ifindex: left.ifindex });
    assert.is.not(payload.slice(12, 16), '0000');
    assert.is(payload.slice(0, 12) + payload.slice(16), summed);
  }
});

test('an IPv6 advert is sent from an address that is on no interface, as VMACs need it', async () => {
  const foreign = address('fe80::77');
  const seen = await receive(6, [GROUP6], 1, async () => {
    await peer.ask({ family: 6, payload: ADVERT6, to: GROUP6, from: foreign });
  });
  assert.is(seen[0]?.source, foreign);
});

test('a group that was not joined is not heard', async () => {
  const other = address('224.0.0.99');
  const stranger = new VrrpReceiver(4, left, [other]);
  const seen = await receive(4, [GROUP4], 1, async () => {
    await peer.ask({ family: 4, payload: 'aa', to: other });
    await peer.ask({ family: 4, payload: ADVERT4, to: GROUP4 });
  });
  assert.equal(
    seen.map(({ payload }) => payload),
    [ADVERT4],
  );
  stranger.close();
});

test('what is sent here is not heard here', async () => {
  const sender = new VrrpSender(4, left);
  const seen = await receive(4, [GROUP4], 1, async () => {
    sender.send(fromHex(ADVERT4), GROUP4);
    await peer.ask({ family: 4, payload: ADVERT4, to: GROUP4 });
  });
  assert.equal(
    seen.map(({ source }) => source),
    [PEER4],
  );
  sender.close();
});

test('an advert goes out as RFC 9568 and keepalived have it', async () => {
  const ETH_P_IP = 0x0800;
  const tap = new Socket(AF.PACKET, SOCK.RAW, 0, 'tap');
  tap.bind(sockaddrPacket(left.ifindex, ETH_P_IP));
  tap.reserve({ data: 2048 });
  await peer.ask({ family: 4, payload: ADVERT4, to: GROUP4, from: PEER4 });
  const frame = await eventually(() => tap.receive()[0]?.data, 'a frame');
  tap.close();
  const hex = toHex(frame);
  assert.is(hex.slice(0, 12), '01005e000012', 'the group as a MAC');
  // Version and length, class, total length, id, no fragment, TTL, protocol, checksum, addresses.
  assert.match(hex.slice(24), /^080045c00020.{4}0000ff70.{4}0a090002e0000012/);
  assert.is(hex.slice(68, 68 + ADVERT4.length), ADVERT4);
});

test('an unknown interface and an address that is not ours are named errors', () => {
  const code = (action: () => void): string => {
    try {
      action();
    } catch (error) {
      if (error instanceof SystemError) return error.code;
    }
    return 'none';
  };
  const gone = { name: 'gone', ifindex: 999 };
  assert.is(
    code(() => new VrrpReceiver(4, gone, [])),
    'ENODEV',
  );
  assert.is(
    code(() => new VrrpSender(6, gone)),
    'ENODEV',
  );
  assert.is(
    code(() => new VrrpReceiver(4, left, [OURS4])),
    'EINVAL',
  );
});

test('when the interface goes down, the receiver says so and hears again afterwards', async () => {
  const receiver = new VrrpReceiver(4, left, [GROUP4]);
  const seen: string[] = [];
  receiver.listen({ advert: () => seen.push('advert'), error: ({ code }) => seen.push(code) });
  ip('link set left down');
  ip('link set left up');
  await eventually(() => (ip('link show left').includes('LOWER_UP') ? true : undefined), 'carrier');
  await peer.ask({ family: 4, payload: ADVERT4, to: GROUP4 });
  await eventually(() => (seen.includes('advert') ? true : undefined), 'an advert');
  receiver.close();
  assert.equal(
    seen.filter((what) => what !== 'advert' && what !== 'ENETDOWN'),
    [],
  );
});

test('an IP header whose lengths lie is no advert', () => {
  const control = pktinfo4(7);
  const ok = header4({}) + ADVERT4;
  const parse = (hex: string, more: Partial<Datagram> = {}): ReceivedAdvert | undefined =>
    parseAdvert4({ data: fromHex(hex), name: new Uint8Array(), control, truncated: false, ...more });
  assert.is(toHex(parse(ok)?.payload ?? new Uint8Array()), ADVERT4);
  assert.is(parse(ok)?.ifindex, 7);
  assert.is(toHex(parse(`${ok}0000`)?.payload ?? new Uint8Array()), ADVERT4, 'padding is cut');
  assert.is(parse(ok.slice(0, 38)), undefined, 'cut short');
  assert.is(parse(header4({ version: '44' }) + ADVERT4), undefined, 'header below 20 bytes');
  assert.is(parse(header4({ version: '65' }) + ADVERT4), undefined, 'not version 4');
  assert.is(parse(header4({ version: '4f' }) + ADVERT4), undefined, 'header longer than the datagram');
  assert.is(parse(header4({ length: '0021' }) + ADVERT4), undefined, 'longer than what came');
  assert.is(parse(header4({ length: '0013' }) + ADVERT4), undefined, 'shorter than the header');
  assert.is(parse(ok, { truncated: true }), undefined);
  assert.is(parse(ok, { control: new Uint8Array() }), undefined, 'from no interface');
});

test('any bytes are an advert or are not, and never throw', () => {
  const bytes = fc.uint8Array({ maxLength: 120 });
  const record = fc.record({ data: bytes, name: bytes, control: bytes, truncated: fc.boolean() });
  fc.assert(
    fc.property(record, (datagram) => {
      for (const control of [datagram.control, pktinfo4(1)]) parseAdvert4({ ...datagram, control });
      parseAdvert6(datagram);
      const name = sockaddrIp(PEER6);
      parseAdvert6({ ...datagram, name });
    }),
  );
});

function header4({ version = '45', length = '0020' }): string {
  return `${version}c0${length}00000000ff7000000a090002e0000012`;
}

/** IP_PKTINFO as the kernel gives it: struct in_pktinfo with the interface. */
function pktinfo4(ifindex: number): Uint8Array {
  const IP_PKTINFO = 8;
  return new Writer(32)
    .u64host(28n)
    .i32host(0)
    .i32host(IP_PKTINFO)
    .i32host(ifindex)
    .zeros(8)
    .align(8)
    .finish();
}

/** The other end of the cable. */
function obey(request: Request): unknown {
  if ('run' in request) return ip(request.run);
  const sender = new VrrpSender(request.family, { name: 'right', ifindex: ifindexOf('right') });
  try {
    return sender.send(fromHex(request.payload), request.to, request.from);
  } finally {
    sender.close();
  }
}

if (isPeer()) servePeer((request) => obey(request as Request));
else test.run();
