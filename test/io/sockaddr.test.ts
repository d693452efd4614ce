import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { ip } from '../../src/core/ip.ts';
import { buildControl, findControl } from '../../src/io/cmsg.ts';
import {
  parseSockaddr,
  sockaddrIp,
  sockaddrNetlink,
  sockaddrPacket,
  sockaddrUnix,
} from '../../src/io/sockaddr.ts';
import { suite } from '../suite.ts';

const test = suite('socket addresses and control messages');

test('an IPv4 address has the layout of ip(7)', () => {
  assert.is(toHex(sockaddrIp(ip('224.0.0.18'), 80)), '02000050e00000120000000000000000');
});

test('addresses come back from their bytes', () => {
  const v4 = { family: 'ip', ip: ip('192.0.2.1'), port: 53, scope: 0 };
  assert.equal(parseSockaddr(sockaddrIp(ip('192.0.2.1'), 53)), v4);
  const v6 = { family: 'ip', ip: ip('fe80::1'), port: 0, scope: 7 };
  assert.equal(parseSockaddr(sockaddrIp(ip('fe80::1'), 0, 7)), v6);
  assert.equal(parseSockaddr(sockaddrNetlink(9, 0x11)), { family: 'netlink', port: 9, groups: 0x11 });
  assert.equal(parseSockaddr(sockaddrUnix('/run/x')), { family: 'unix', path: '/run/x' });
  assert.equal(parseSockaddr(sockaddrUnix('@x')), { family: 'unix', path: '@x' });
  const packet = { family: 'packet', ifindex: 3, protocol: 0x806, hardware: new Uint8Array(0) };
  assert.equal(parseSockaddr(sockaddrPacket(3, 0x806)), packet);
});

test('a unix path that does not fit is refused', () => {
  assert.is(sockaddrUnix('x'.repeat(107)).length, 110);
  assert.throws(() => sockaddrUnix('x'.repeat(108)), /1 to 107 bytes, not 108/);
  assert.throws(() => sockaddrUnix(''), RangeError);
});

test('any bytes are an address or are not, and never throw', () => {
  const families = fc.constantFrom('0100', '0200', '0a00', '1000', '1100', 'ffff');
  fc.assert(
    fc.property(families, fc.uint8Array({ maxLength: 140 }), (family, rest) => {
      const parsed = parseSockaddr(Uint8Array.of(...fromHex(family), ...rest));
      if (family === 'ffff') assert.is(parsed, undefined);
    }),
  );
});

test('control messages are found among others, whatever their length', () => {
  const message = fc.record({
    level: fc.integer({ min: 0, max: 300 }),
    type: fc.integer({ min: 0, max: 60 }),
    data: fc.uint8Array({ maxLength: 30 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
      const control = buildControl(messages);
      assert.is(control.length % 8, 0);
      for (const { level, type } of messages) {
        const first = messages.find((m) => m.level === level && m.type === type);
        assert.equal(findControl(control, level, type), first?.data);
      }
      assert.is(findControl(control, 999, 1), undefined);
    }),
  );
});

test('a control message whose length lies ends the search', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (control) => {
      assert.is(findControl(control, 0x01020304, 0x05060708), undefined);
    }),
  );
  assert.is(findControl(fromHex('0f00000000000000 01000000 02000000'), 1, 2), undefined);
  assert.is(findControl(fromHex('1100000000000000 01000000 02000000'), 1, 2), undefined);
  assert.equal(findControl(fromHex('1000000000000000 01000000 02000000'), 1, 2), new Uint8Array(0));
});

test.run();
