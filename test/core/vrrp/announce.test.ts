import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { toHex } from '../../../src/core/bytes.ts';
import { internetChecksum } from '../../../src/core/checksum.ts';
import { ip, ipFromBytes } from '../../../src/core/ip.ts';
import { announcement } from '../../../src/core/vrrp/announce.ts';
import { suite } from '../../suite.ts';

const MAC = '02:00:00:00:00:01';

const announce = suite('vrrp announce');

announce('captured: gratuitous ARP of keepalived 2.2.7', () => {
  const captured =
    'ffffffffffff 020000000001 0806 0001080006040001 020000000001 0a090067 ffffffffffff 0a090067';
  assert.is(toHex(announcement(ip('10.9.0.103'), MAC, false)), captured.replaceAll(' ', ''));
});

announce('captured: unsolicited neighbour advertisement of keepalived 2.2.7', () => {
  const address = 'fe800000000000000000000000000054';
  const captured = `333300000001 020000000001 86dd 60000000 0020 3a ff ${address}
    ff020000000000000000000000000001 8800 56f5 20000000 ${address} 0201 020000000001`;
  assert.is(toHex(announcement(ip('fe80::54'), MAC, false)), captured.replace(/\s/g, ''));
});

announce('a forwarding interface sets the router flag', () => {
  assert.is(announcement(ip('fe80::54'), MAC, true)[58], 0xa0);
});

announce('property: sizes, and a checksum that holds', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(bytes(4), bytes(16), bytes(6), fc.boolean(), (v4, v6, raw, router) => {
      const mac = toHex(raw);
      assert.is(announcement(ipFromBytes(v4), mac, router).length, 42);
      const frame = announcement(ipFromBytes(v6), mac, router);
      assert.is(frame.length, 86);
      const lengthAndNextHeader = Uint8Array.of(0, 0, 0, 32, 0, 0, 0, 58);
      assert.is(internetChecksum(frame.subarray(22, 54), lengthAndNextHeader, frame.subarray(54)), 0);
    }),
  );
});

announce('a MAC address has six bytes', () => {
  assert.throws(() => announcement(ip('10.9.0.103'), '02:00:00:00:00', false), /not a MAC address/);
});

announce.run();
