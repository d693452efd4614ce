import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex, Writer } from '../../../src/core/bytes.ts';
import {
  Attributes,
  BodyWriter,
  decodeOutcome,
  encodeBatch,
  encodeDump,
  FLAG,
  listAttributes,
  type Message,
  splitDatagram,
  writeMessage,
} from '../../../src/core/netlink/message.ts';
import { suite } from '../../suite.ts';

const message = suite('netlink message');

const datagrams = fc.uint8Array({ maxLength: 300 });

/** The first message of a datagram written in hexadecimal. */
function one(hex: string): Message {
  const [first] = splitDatagram(fromHex(hex)).messages;
  if (first === undefined) throw new RangeError(`no message in ${hex}`);
  return first;
}

message('a datagram splits into its messages, padding between them', () => {
  const writer = new Writer();
  const header = { type: 20, flags: 2, sequence: 7, port: 9 };
  writeMessage(writer, { ...header, body: fromHex('010203') });
  writeMessage(writer, { ...header, sequence: 8, body: fromHex('') });
  const { messages, leftover } = splitDatagram(writer.finish());
  assert.is(leftover, 0);
  assert.equal(
    messages.map(({ sequence, body }) => [sequence, toHex(body)]),
    [
      [7, '010203'],
      [8, ''],
    ],
  );
});

message('a length that makes no sense ends the datagram and is reported', () => {
  const good = '14000000 1400 0000 01000000 00000000 aabbccdd';
  assert.is(splitDatagram(fromHex(`${good} 0f000000 1400 0000 01000000 00000000`)).messages.length, 1);
  assert.is(splitDatagram(fromHex(`${good} 0f000000 1400 0000 01000000 00000000`)).leftover, 16);
  assert.is(splitDatagram(fromHex(`${good} ffffffff 1400 0000 01000000 00000000`)).leftover, 16);
  assert.is(splitDatagram(fromHex(`${good} 0000`)).leftover, 2);
});

message('requests of a batch have their own numbers and ask to be acknowledged', () => {
  const request = { type: 21, flags: FLAG.replace, body: fromHex('01'), asked: 'x' };
  const { messages } = splitDatagram(encodeBatch([request, request], 0xffffffff));
  assert.equal(
    messages.map(({ sequence, flags }) => [sequence, flags]),
    [
      [0xffffffff, 0x105],
      [0, 0x105],
    ],
  );
  assert.is(one(toHex(encodeDump({ ...request, flags: 0 }, 5))).flags, 0x301);
});

message(
  'an acknowledgement, an error with the whole request, a capped one with the kernel\u2019s text',
  () => {
    const header = '68000000 1c000500 4c2f016b d9020074';
    const ack = one(`24000000 0200 0001 4c2f016b d9020074 00000000 ${header}`);
    assert.equal(decodeOutcome(ack), { errno: 0 });
    const refused = one(`24000000 0200 0000 4c2f016b d9020074 fdffffff ${header}`);
    assert.equal(decodeOutcome(refused), { errno: 3 });

    const attributes = '0a000100 62616420 7800 0000 08000200 18000000';
    const capped = one(`38000000 0200 0003 4c2f016b d9020074 eaffffff ${header} ${attributes}`);
    assert.equal(decodeOutcome(capped), { errno: 22, text: 'bad x', offset: 24 });
    // Not capped: the request of 20 bytes is repeated before the attributes.
    const request = '14000000 1400 0500 01000000 00000000 aabbccdd';
    const whole = one(`3c000000 0200 0002 01000000 00000000 eaffffff ${request} ${attributes}`);
    assert.equal(decodeOutcome(whole), { errno: 22, text: 'bad x', offset: 24 });
  },
);

message('the end of a dump carries how it went', () => {
  assert.equal(decodeOutcome(one('14000000 0300 0200 01000000 00000000 00000000')), { errno: 0 });
  assert.equal(decodeOutcome(one('14000000 0300 0200 01000000 00000000 f0ffffff')), { errno: 16 });
  assert.is(decodeOutcome(one('10000000 1400 0000 01000000 00000000')), undefined);
});

message('attributes: with and without the nested mark, repeated ones count once, short ones not', () => {
  const inner = '08000100 2a000000';
  assert.is(
    Attributes.of(fromHex(`0c000280 ${inner}`))
      .nest(2)
      .u32(1),
    42,
  );
  assert.is(
    Attributes.of(fromHex(`0c000200 ${inner}`))
      .nest(2)
      .u32(1),
    42,
  );
  const twice = Attributes.of(fromHex('05000100 01000000 05000100 02000000'));
  assert.is(twice.u8(1), 2);
  assert.is(twice.u16(1), undefined);
  assert.is(twice.u32(9), undefined);
  assert.is(Attributes.of(fromHex('08000300 65300000')).text(3), 'e0');
});

message('an attribute that claims more than there is ends the list', () => {
  assert.is(listAttributes(fromHex('08000100 2a000000 ff000200 00000000')).length, 1);
  assert.is(listAttributes(fromHex('03000100 2a000000')).length, 0);
});

message('what is written is read back', () => {
  const value = fc.record({
    byte: fc.nat(0xff),
    short: fc.nat(0xffff),
    word: fc.nat(0xffffffff),
    bytes: fc.uint8Array({ maxLength: 40 }),
    text: fc.stringMatching(/^[a-z0-9.]{0,20}$/),
  });
  fc.assert(
    fc.property(value, ({ byte, short, word, bytes, text }) => {
      const body = new BodyWriter().u8(1, byte).text(2, text);
      body.nest(3, (nest) => nest.u16(1, short).u16be(2, short).bytes(3, bytes).u32(4, word).u32be(5, word));
      const attributes = Attributes.of(body.finish());
      const nest = attributes.nest(3);
      assert.is(attributes.u8(1), byte);
      assert.is(attributes.text(2), text);
      assert.is(nest.u16(1), short);
      assert.is(nest.u16be(2), short);
      assert.equal(nest.bytes(3), bytes);
      assert.is(nest.u32(4), word);
      assert.is(nest.u32be(5), word);
    }),
  );
});

message('reading is total', () => {
  fc.assert(
    fc.property(datagrams, (bytes) => {
      const { messages, leftover } = splitDatagram(bytes);
      for (const found of messages) {
        decodeOutcome(found);
        listAttributes(found.body);
      }
      for (const type of [2, 3]) {
        for (const flags of [0, 0x200, 0x300])
          decodeOutcome({ type, flags, sequence: 0, port: 0, body: bytes });
      }
      assert.ok(leftover >= 0 && leftover <= bytes.length);
    }),
    { numRuns: 2_000 },
  );
});

message.run();
