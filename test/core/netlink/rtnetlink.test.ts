import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { type Ip, ip, ipFromBytes, type Prefix, parsePrefix } from '../../../src/core/ip.ts';
import {
  ADDRESS_FLAG,
  addAddress,
  deleteAddress,
  dumpAddresses,
  FOREVER,
  type InterfaceAddress,
} from '../../../src/core/netlink/address.ts';
import { decodeEvent } from '../../../src/core/netlink/events.ts';
import { dumpLinks, isUp } from '../../../src/core/netlink/link.ts';
import { encodeBatch, encodeDump, type Request, splitDatagram } from '../../../src/core/netlink/message.ts';
import { addRoute, deleteRoute, type Route, SCOPE } from '../../../src/core/netlink/route.ts';
import { addRule, deleteRule, type Rule } from '../../../src/core/netlink/rule.ts';
import { suite } from '../../suite.ts';

/** Expected bytes were sent to, or came from, a Linux 6.18 kernel. */
const rtnetlink = suite('rtnetlink');

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

const sent = (request: Request, sequence: number): string => toHex(encodeBatch([request], sequence));
const hex = (text: string): string => toHex(fromHex(text));
/** Records with the usual prototype, or they would not equal ours. */
const PLAIN = { noNullPrototype: true } as const;
const permanent = { ifindex: 3, scope: 0, flags: 0, valid: FOREVER, preferred: FOREVER };
/** The event in one datagram, as from the kernel. */
function event(text: string): ReturnType<typeof decodeEvent> {
  const [message] = splitDatagram(fromHex(text)).messages;
  return message && decodeEvent(message);
}

rtnetlink('add and remove addresses', () => {
  assert.is(
    sent(addAddress({ ...permanent, address: prefix('10.9.0.100/24') }), 0x65),
    hex('20000000 14000500 65000000 00000000 02180000 03000000 08000200 0a090064'),
  );
  const full = { address: prefix('10.9.0.101/32'), label: 'e0:v1', broadcast: ip('10.9.0.255') };
  assert.is(
    sent(addAddress({ ...permanent, ...full }), 0x65),
    hex(`34000000 14000500 65000000 00000000 02200000 03000000 08000200 0a090065 08000400 0a0900ff
      0a000300 65303a76 31000000`),
  );
  assert.is(
    sent(deleteAddress(3, prefix('10.9.0.100/24')), 0x65),
    hex('28000000 15000500 65000000 00000000 02180000 03000000 08000200 0a090064 08000100 0a090064'),
  );
});

rtnetlink('add IPv6 addresses without duplicate detection, and a deprecated one', () => {
  const v6 = { ...permanent, flags: ADDRESS_FLAG.noDad };
  assert.is(
    sent(addAddress({ ...v6, address: prefix('2001:db8:9::100/64') }), 1),
    hex(`34000000 14000500 01000000 00000000 0a400200 03000000
      14000200 20010db8000900000000000000000100 08000800 02000000`),
  );
  assert.is(
    sent(addAddress({ ...v6, preferred: 0, address: prefix('fe80::99/64') }), 1),
    hex(`48000000 14000500 01000000 00000000 0a400200 03000000 14000600 00000000 ffffffff 00000000 00000000
      14000200 fe800000000000000000000000000099 08000800 02000000`),
  );
});

rtnetlink('renewing replaces, with the lifetimes', () => {
  const leased = { ...permanent, valid: 2, preferred: 2, address: prefix('10.9.0.100/24') };
  assert.is(
    sent(addAddress(leased, true), 1),
    hex(`34000000 14000501 01000000 00000000 02180000 03000000
      14000600 02000000 02000000 00000000 00000000 08000200 0a090064`),
  );
});

rtnetlink('an address event', () => {
  const found =
    event(`4c000000 14000000 65000000 01000000 02188100 03000000 08000100 0a090064 08000200 0a090064
    07000300 65300000 08000800 81000000 14000600 ffffffff ffffffff 01000000 01000000`);
  assert.equal(found, {
    type: 'address',
    present: true,
    address: {
      ...permanent,
      flags: ADDRESS_FLAG.secondary | ADDRESS_FLAG.permanent,
      address: prefix('10.9.0.100/24'),
      label: 'e0',
    },
  });
});

rtnetlink('an address of another family or length is no event', () => {
  assert.is(event('18000000 14000000 65000000 01000000 1c188100 03000000'), undefined);
  assert.is(event('20000000 14000000 65000000 01000000 02218100 03000000 08000200 0a090064'), undefined);
  assert.is(event('1c000000 14000000 65000000 01000000 02188100 03000000 05000200 0a000000'), undefined);
});

rtnetlink('every address that is sent is read back', () => {
  const bytes = (count: number): fc.Arbitrary<Ip> =>
    fc.uint8Array({ minLength: count, maxLength: count }).map(ipFromBytes);
  const addresses = fc.oneof(
    fc.record({ ip: bytes(4), length: fc.nat(32) }, PLAIN),
    fc.record({ ip: bytes(16), length: fc.nat(128) }, PLAIN),
  );
  const fields = fc.record(
    {
      ifindex: fc.nat(0x7fffffff),
      scope: fc.nat(255),
      flags: fc.nat(0xffff),
      valid: fc.nat(0xffffffff),
      preferred: fc.nat(0xffffffff),
    },
    PLAIN,
  );
  fc.assert(
    fc.property(addresses, fields, (address, rest) => {
      const wanted: InterfaceAddress = { address, ...rest };
      const [message] = splitDatagram(encodeBatch([addAddress(wanted)], 1)).messages;
      const decoded = message && decodeEvent(message);
      assert.equal(decoded, { type: 'address', present: true, address: wanted });
    }),
  );
});

rtnetlink('links: a running interface, a macvlan without carrier, a bridge port is none', () => {
  const attributes = `08000300 65302e31 05001000 06000000 08000400 dc050000 0a000100 02005e00 01070000
    05002100 01000000 08000500 03000000 1c001200 0c000100 6d616376 6c616e00 0c000200 08000100 01000000`;
  const link = event(`70000000 10000000 01000000 00000000 00000100 04000000 43100100 00000000 ${attributes}`);
  assert.equal(link, {
    type: 'link',
    present: true,
    link: {
      ifindex: 4,
      name: 'e0.1',
      type: 1,
      flags: 0x11043,
      mac: '02:00:5e:00:01:07',
      mtu: 1500,
      operState: 6,
      carrier: true,
      lower: 3,
      kind: 'macvlan',
    },
  });
  assert.ok(link?.type === 'link' && isUp(link.link));
  assert.not.ok(link?.type === 'link' && isUp({ ...link.link, flags: 0x1003 }));
  assert.is(
    event('28000000 11000000 01000000 00000000 07000100 04000000 43100100 00000000 08000300 65302e31'),
    undefined,
  );
});

rtnetlink('dump requests', () => {
  assert.is(
    toHex(encodeDump(dumpLinks(), 1)),
    hex(`28000000 12000103 01000000 00000000 00000000 00000000 00000000 00000000 08001d00 08000000`),
  );
  assert.is(
    toHex(encodeDump(dumpAddresses(6), 1)),
    hex('18000000 16000103 01000000 00000000 0a000000 00000000'),
  );
});

rtnetlink('routes', () => {
  const route: Route = {
    destination: prefix('192.0.2.0/24'),
    via: ip('10.9.0.1'),
    metric: 50,
    table: 254,
    protocol: 18,
    scope: SCOPE.universe,
    type: 1,
  };
  assert.is(
    sent(addRoute(route, 'replace'), 0x73),
    hex(`34000000 18000505 73000000 00000000 0218 0000 fe120001 00000000
      08000100 c0000200 08000500 0a090001 08000600 32000000`),
  );
  const far: Route = { ...route, table: 1000, ifindex: 3, source: ip('10.9.0.100'), onLink: true };
  for (const wanted of [route, far, { ...route, destination: prefix('::/0'), via: ip('fe80::1') }]) {
    const [message] = splitDatagram(encodeBatch([addRoute(wanted)], 1)).messages;
    assert.equal(message && decodeEvent(message), { type: 'route', present: true, route: wanted });
  }
  const [removed] = splitDatagram(encodeBatch([deleteRoute(route)], 1)).messages;
  const gone = { ...route, scope: SCOPE.nowhere };
  assert.equal(removed && decodeEvent(removed), { type: 'route', present: false, route: gone });
});

rtnetlink('rules', () => {
  const rule: Rule = { family: 4, to: prefix('192.0.2.0/24'), table: 100, priority: 1000 };
  assert.is(
    sent(addRule(rule), 0x74),
    hex(`34000000 20000506 74000000 00000000 02180000 00000001 00000000
      08000100 c0000200 08000600 e8030000 08000f00 64000000`),
  );
  const marked: Rule = { family: 6, from: prefix('2001:db8::/32'), fwmark: 7, table: 1000, protocol: 18 };
  for (const wanted of [rule, marked]) {
    const [message] = splitDatagram(encodeBatch([deleteRule(wanted)], 1)).messages;
    assert.equal(message && decodeEvent(message), { type: 'rule', present: false, rule: wanted });
  }
});

rtnetlink('a neighbour', () => {
  assert.equal(
    event(`30000000 1c000000 01000000 00000000 02000000 03000000 02000001
      08000100 0a090001 0a000200 02aabbcc ddee0000`),
    {
      type: 'neighbour',
      present: true,
      neighbour: { ifindex: 3, address: ip('10.9.0.1'), mac: '02:aa:bb:cc:dd:ee', state: 2 },
    },
  );
});

rtnetlink('decoding events is total', () => {
  const types = fc.constantFrom(16, 17, 20, 21, 24, 25, 28, 29, 32, 33, 99);
  // A sound header more often than chance would give one.
  const bodies = fc.tuple(fc.constantFrom('02', '0a', '00'), fc.uint8Array({ maxLength: 120 }));
  fc.assert(
    fc.property(types, bodies, (type, [family, rest]) => {
      const body = fromHex(family + toHex(rest));
      const found = decodeEvent({ type, flags: 0, sequence: 0, port: 0, body });
      assert.ok(found === undefined || typeof found.present === 'boolean');
    }),
    { numRuns: 3_000 },
  );
});

rtnetlink.run();
