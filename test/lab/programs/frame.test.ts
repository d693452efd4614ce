import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { readFrame } from './frame.ts';

const frame = suite('frames as a watcher reads them');

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const ETHERNET = 'ffffffffffff 020000000001';
const VRRP3 = '31 07 96 01 0014 0000 0a000064';
const IPV4 = `${ETHERNET} 0800 45c00020 00000000 ff70 0000 0a000001 e0000012`;
const IPV6 = (next: string): string =>
  `${ETHERNET} 86dd 60000000 0018 ${next} ff fe80${'00'.repeat(13)}01 ff02${'00'.repeat(13)}01`;
const NEIGHBOUR = (flags: string): string => `88 00 0000 ${flags} 000000 fd00${'00'.repeat(12)}0100`;
const ARP = (sender: string, target: string): string =>
  `${ETHERNET} 0806 0001 0800 06 04 0001 020000000001 ${sender} 000000000000 ${target}`;

frame('adverts, over both families', () => {
  assert.equal(readFrame(bytes(IPV4 + VRRP3)), {
    kind: 'advert',
    source: '10.0.0.1',
    vrid: 7,
    priority: 150,
  });
  assert.equal(readFrame(bytes(IPV6('70') + VRRP3)), {
    kind: 'advert',
    source: 'fe80::1',
    vrid: 7,
    priority: 150,
  });
});

frame('gratuitous ARP, and no other', () => {
  const address = '0a000064';
  assert.equal(readFrame(bytes(ARP(address, address))), { kind: 'announcement', address: '10.0.0.100' });
  assert.is(readFrame(bytes(ARP('0a000001', address))), undefined);
});

frame('unsolicited neighbour advertisements, and no other', () => {
  const seen = readFrame(bytes(IPV6('3a') + NEIGHBOUR('a0')));
  assert.equal(seen, { kind: 'announcement', address: 'fd00::100' });
  assert.is(readFrame(bytes(IPV6('3a') + NEIGHBOUR('60'))), undefined);
});

frame('what is cut short, or anything else, is nothing', () => {
  const whole = bytes(IPV4 + VRRP3);
  for (let length = 0; length < whole.length - 10; length++) {
    assert.is(readFrame(whole.subarray(0, length)), undefined);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
      readFrame(noise);
    }),
  );
});

frame.run();
