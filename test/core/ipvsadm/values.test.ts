import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip, ipFromBytes } from '../../../src/core/ip.ts';
import { addressText, endpointText, NUMERIC } from '../../../src/core/ipvsadm/endpoint.ts';
import { leadingInteger, parseEndpoint, parseIpv4, parseNumber } from '../../../src/core/ipvsadm/values.ts';
import { suite } from '../../suite.ts';
import { NAMES } from './captured.ts';

const values = suite('lvsadm: values');

values('an IPv6 address that ends in dotted form', () => {
  for (const text of ['::1.2.3.4', '::ffff:1.2.3.4', '64:ff9b::1.2.3.4']) {
    assert.is(addressText(ip(text)).replace('64:ff9b::102:304', '64:ff9b::1.2.3.4'), text);
  }
});

values('IPv4 as inet_aton reads it', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['1.2.3.4', 0x01020304],
    ['10.1', 0x0a000001],
    ['0x0a000001', 0x0a000001],
    ['010.0.0.1', 0x08000001],
    ['80', 80],
    ['1.2.65535', 0x0102ffff],
    ['1.2.3.4 x', 0x01020304],
    ['4294967295', 0xffffffff],
    ['4294967296', undefined],
    ['1.16777216', undefined],
    ['256.1.1.1', undefined],
    ['1.2.3.08', undefined],
    ['1..2', undefined],
    ['1.2.3.4.', undefined],
    ['0x', undefined],
    [' 1.2.3.4', undefined],
    ['', undefined],
  ];
  for (const [text, number] of cases) assert.is(parseIpv4(text), number, text);
});

values('numbers as strtol reads them', () => {
  assert.is(parseNumber(' +90', 0, 65535), 90);
  assert.is(parseNumber('080', 0, 65535), 80);
  assert.is(parseNumber('-0', 0, 65535), 0);
  for (const text of ['0x5c', '-1', '80 ', '', '9'.repeat(30)])
    assert.is(parseNumber(text, 0, 65535), undefined);
  assert.is(leadingInteger('64.255'), 64);
  assert.is(leadingInteger('4294967360'), 64);
  assert.is(leadingInteger('abc'), 0);
});

values('every spelling of an IPv6 address, and nothing else, is one', () => {
  const groups = fc.array(fc.constantFrom('', '0', '1', 'ffff', '2001', '12345', 'g', '1.2.3.4'), {
    minLength: 2,
    maxLength: 9,
  });
  fc.assert(
    fc.property(groups, (parts) => {
      const text = parts.join(':');
      assert.is(parseEndpoint(`[${text}]:80`, 6, NAMES)?.family === 6, isIPv6(text), text);
    }),
    { numRuns: 3000, examples: [[['', '', '0', 'ffff', 'ffff', '2001', '1.2.3.4']]] },
  );
});

values('IPv6 as inet_ntop writes it', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['::ffff:102:304', '::ffff:1.2.3.4'],
    ['::1:2', '::0.1.0.2'],
    ['::1', '::1'],
    ['::', '::'],
    ['::1:2:3', '::1:2:3'],
    ['0:1:1:1:1:1::', '0:1:1:1:1:1::'],
    ['2001:0:1:1:1:1:1:1', '2001:0:1:1:1:1:1:1'],
    ['2001::1:1:0:0:1', '2001::1:1:0:0:1'],
  ];
  for (const [address, text] of cases) assert.is(addressText(ip(address)), text);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const address = ipFromBytes(bytes);
      assert.is(ip(addressText(address)), address);
    }),
  );
});

values('names of hosts and services, cut at the width of the buffer', () => {
  const names = { host: () => 'a'.repeat(70), service: (_: number, kind: string) => kind };
  assert.is(endpointText(ip('1.2.3.4'), 80, 6, { ...names, host: () => 'www' }), 'www:tcp');
  assert.is(endpointText(ip('::1'), 80, 17, { ...names, host: () => 'six' }), '[six]:udp');
  assert.is(endpointText(ip('::1'), 80, 17, names).length, 59);
  assert.is(endpointText(ip('1.2.3.4'), 80, 0, { ...names, host: () => undefined }), '1.2.3.4:80');
  assert.is(endpointText(ip('1.2.3.4'), 80, 6, NUMERIC), '1.2.3.4:80');
});

values.run();
