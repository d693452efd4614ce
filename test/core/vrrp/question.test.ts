import * as assert from 'uvu/assert';
import { toHex } from '../../../src/core/bytes.ts';
import { ip } from '../../../src/core/ip.ts';
import { answeredAddress, question } from '../../../src/core/vrrp/question.ts';
import { suite } from '../../suite.ts';

const test = suite('asking a link who has an address');
const MAC = '02:00:00:00:00:05';

test('an ARP probe has no sender address', () => {
  assert.is(
    toHex(question(ip('10.0.0.100'), MAC, ip('10.0.0.5'))),
    'ffffffffffff0200000000050806' + '000108000604000102000000000500000000000000000000' + '0a000064',
  );
});

test('a neighbour solicitation goes to the solicited-node group, from our link-local address', () => {
  const frame = question(ip('2001:db8::100'), MAC, ip('fe80::5'));
  assert.is(
    toHex(frame.subarray(0, 54)),
    '3333ff00010002000000000586dd' +
      '6000000000203aff' +
      'fe800000000000000000000000000005' +
      'ff0200000000000000000001ff000100',
  );
  assert.is(toHex(frame.subarray(54, 56)), '8700');
  assert.is(toHex(frame.subarray(58)), '0000000020010db80000000000000000000001000101020000000005');
});

test('an answer names the address; what is cut, or was forwarded, does not count', () => {
  const arp = Uint8Array.of(
    0,
    1,
    8,
    0,
    6,
    4,
    0,
    2,
    2,
    0,
    0,
    0,
    0,
    1,
    10,
    0,
    0,
    100,
    2,
    0,
    0,
    0,
    0,
    5,
    0,
    0,
    0,
    0,
  );
  assert.is(answeredAddress(arp, 4), '10.0.0.100');
  assert.is(answeredAddress(arp.subarray(0, 16), 4), undefined);
  const nd = new Uint8Array(72);
  nd.set([0x60, 0, 0, 0, 0, 32, 58, 255]);
  nd[40] = 136;
  nd.set([0x20, 0x01, 0x0d, 0xb8], 48);
  nd[63] = 1;
  assert.is(answeredAddress(nd, 6), '2001:db8::1');
  assert.is(answeredAddress(nd.subarray(0, 60), 6), undefined);
  nd[7] = 254;
  assert.is(answeredAddress(nd, 6), undefined);
});

test.run();
