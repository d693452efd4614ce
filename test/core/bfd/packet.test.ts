import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  BFD_STATES,
  type ControlPacket,
  DIAGNOSTICS,
  type DiscardReason,
  decodeControl,
  encodeControl,
} from '../../../src/core/bfd/packet.ts';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { micros, millis } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const PACKET: ControlPacket = {
  state: 'Up',
  diagnostic: 'neighbour signalled session down',
  poll: true,
  final: false,
  demand: false,
  multiplier: 3,
  mine: 0x01020304,
  yours: 0xa0b0c0d0,
  minTx: millis(300),
  minRx: millis(10),
};
/** Laid out by hand after RFC 5880, 4.1. */
const IMAGE = '23e00318' + '01020304' + 'a0b0c0d0' + '000493e0' + '00002710' + '00000000';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const packets: fc.Arbitrary<ControlPacket> = fc
  .record(
    {
      state: fc.constantFrom(...BFD_STATES),
      diagnostic: fc.constantFrom(...DIAGNOSTICS),
      poll: fc.boolean(),
      final: fc.boolean(),
      demand: fc.boolean(),
      multiplier: fc.integer({ min: 1, max: 255 }),
      mine: fc.integer({ min: 1, max: 0xffff_ffff }),
      yours: u32,
      minTx: u32.map(micros),
      minRx: u32.map(micros),
    },
    { noNullPrototype: true },
  )
  .filter(({ state, yours }) => yours !== 0 || state === 'Down' || state === 'AdminDown');

const packet = suite('bfd packet');

packet('as RFC 5880 draws it', () => {
  assert.is(toHex(encodeControl(PACKET)), IMAGE);
  assert.equal(decodeControl(fromHex(IMAGE)), { ok: true, packet: PACKET });
});

packet('what is written is read', () => {
  fc.assert(
    fc.property(packets, (each) => {
      assert.equal(decodeControl(encodeControl(each)), { ok: true, packet: each });
    }),
  );
});

const spoilt = (...changes: readonly (readonly [number, number])[]): Uint8Array => {
  const bytes = fromHex(IMAGE);
  for (const [at, value] of changes) bytes[at] = value;
  return bytes;
};
const noYours = [8, 9, 10, 11].map((at) => [at, 0] as const);

/** The rules of RFC 5880, 6.8.6, in its order. */
const DISCARDED: readonly (readonly [string, DiscardReason, Uint8Array])[] = [
  ['nothing', 'short', new Uint8Array()],
  ['a byte too few', 'short', fromHex(IMAGE).subarray(0, 23)],
  ['version 0', 'version', spoilt([0, 0x03])],
  ['version 2', 'version', spoilt([0, 0x43])],
  ['a length below the header', 'length', spoilt([3, 23])],
  ['a length below header and authentication', 'length', spoilt([1, 0xe4], [3, 25])],
  ['a length beyond the payload', 'length', spoilt([3, 25])],
  ['multiplier 0', 'multiplier', spoilt([2, 0])],
  ['multipoint', 'multipoint', spoilt([1, 0xe1])],
  ['no discriminator of its own', 'discriminator', spoilt([4, 0], [5, 0], [6, 0], [7, 0])],
  ['none of ours, and Up', 'discriminator', spoilt(...noYours)],
  ['none of ours, and Init', 'discriminator', spoilt(...noYours, [1, 0x80])],
  ['authentication', 'authentication', Uint8Array.of(...spoilt([1, 0xe4], [3, 26]), 0, 0)],
];
for (const [what, reason, payload] of DISCARDED) {
  packet(`discards ${what}`, () => assert.equal(decodeControl(payload), { ok: false, reason }));
}

packet('takes more than the header, and a neighbour that does not know us yet', () => {
  assert.ok(decodeControl(Uint8Array.of(...fromHex(IMAGE), 1, 2, 3)).ok);
  assert.ok(decodeControl(spoilt(...noYours, [1, 0x40])).ok);
  assert.ok(decodeControl(spoilt(...noYours, [1, 0x00])).ok);
});

packet('a diagnostic that nobody has defined is none', () => {
  const decoded = decodeControl(spoilt([0, 0x3f]));
  assert.is(decoded.ok && decoded.packet.diagnostic, 'no diagnostic');
});

packet('any bytes give an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
      const decoded = decodeControl(payload);
      if (decoded.ok) assert.ok(decoded.packet.mine > 0 && decoded.packet.multiplier > 0);
    }),
    { numRuns: 2000 },
  );
});

packet.run();
