import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { ip } from '../../../src/core/ip.ts';
import { readTapped, tapFilter } from '../../../src/core/sync/tap.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';

/** From the IP header on, as tcpdump has it. */
const PACKET =
  '45000048b9e200000111157 10a000001e0000051'.replace(' ', '') +
  '8e0022900034ea97' +
  '000a002c01010000000600240000000000019c9000501f9000000000000003840a010002c0a864010a000003';

const tap = suite('sync tap');

tap('a packet of the kernel', () => {
  const read = readTapped(fromHex(PACKET));
  assert.ok(read);
  assert.equal([read.source, read.port, read.isFragment], ['10.0.0.1', 8848, false]);
  assert.is(toHex(read.payload), PACKET.slice(56));
});

tap('packets that are cut, or no UDP', () => {
  const whole = fromHex(PACKET);
  for (let length = 0; length < whole.length; length++)
    assert.is(readTapped(whole.subarray(0, length)), undefined, `${length} bytes`);
  assert.is(readTapped(fromHex(PACKET.replace('0111', '0106'))), undefined);
});

tap('any bytes', () => {
  const heads = fc.constantFrom(0x45, 0x4f, 0x40, 0x60, 0x00);
  fc.assert(
    fc.property(heads, fc.uint8Array({ maxLength: 100 }), (head, bytes) => {
      if (bytes.length > 0) bytes[0] = head;
      const read = readTapped(bytes);
      if (read !== undefined) assert.ok(read.payload.length <= bytes.length - 28);
    }),
    { numRuns: repetitions(1000) },
  );
});

tap('a filter ends with what takes all and what takes nothing, and no jump leads elsewhere', () => {
  for (const group of [ip('224.0.0.81'), ip('ff02::51')]) {
    for (const choice of [
      undefined,
      { outgoing: true, syncId: 7 },
      { outgoing: false, syncId: 7, others: true },
    ]) {
      const program = tapFilter({ group, port: 8848, ports: 4 }, choice);
      const view = new DataView(program.buffer);
      const count = program.length / 8;
      for (let each = 0; each < count; each++)
        for (const at of [2, 3]) {
          const jump = view.getUint8(each * 8 + at);
          assert.ok(jump === 0 || each + 1 + jump === count - 1, `instruction ${each}`);
        }
      assert.is(toHex(program.subarray(-8)), '0600000000000000');
    }
  }
});

tap.run();
