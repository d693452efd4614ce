import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { type Ip, ip, ipFromBytes } from '../../../src/core/ip.ts';
import {
  type SequenceShift,
  SYNC_FLAG,
  type SyncedConnection,
  stateName,
  whyNotTaken,
} from '../../../src/core/sync/connection.ts';
import {
  decodeMessage,
  encodeMessage,
  type FaultyRecord,
  MOST_RECORDS,
  packMessages,
  type SyncMessage,
} from '../../../src/core/sync/message.ts';
import { fitsRecord0 } from '../../../src/core/sync/record0.ts';
import { connectionColumns } from '../../../src/core/sync/shown.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';

interface Vector {
  readonly name: string;
  readonly payload: string;
  readonly version: 0 | 1;
  readonly syncId: number;
  /** As `connectionColumns` shows them. */
  readonly connections: readonly string[];
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../../../../test/vectors/sync.json', import.meta.url), 'utf8'),
) as Vector[];

const message = suite('sync message');

for (const { name, payload, version, syncId, connections } of VECTORS) {
  message(`captured: ${name}`, () => {
    const decoded = decodeMessage(fromHex(payload));
    assert.ok(decoded.ok);
    const { message: read, count, faulty } = decoded;
    assert.equal([read.version, read.syncId, count, faulty], [version, syncId, connections.length, []]);
    assert.equal(
      read.connections.map((each) => connectionColumns(each).join(' ')),
      connections,
    );
    assert.is(toHex(encodeMessage(read)), payload);
    for (const connection of read.connections) assert.is(whyNotTaken(connection), undefined);
  });
}

const CONNECTION: SyncedConnection = {
  protocol: 6,
  flags: 0,
  state: 1,
  client: { address: ip('10.1.0.2'), port: 40080 },
  virtual: { address: ip('192.168.100.1'), port: 80 },
  destination: { address: ip('10.0.0.3'), port: 8080 },
  fwmark: 0,
  timeout: 900,
};
/** Laid out by hand after the table of the kernel's ip_vs_sync.c. */
const RECORD = '0006002400000000' + '00019c9000501f90' + '0000000000000384' + '0a010002c0a864010a000003';

message('every field, as it stands in a record', () => {
  const data = new TextEncoder().encode('a\x1b');
  const shift = (from: number): SequenceShift => ({ from, delta: from + 1, previous: from + 2 });
  const sequence = { in: shift(1), out: shift(4) };
  const full: SyncedConnection = {
    ...CONNECTION,
    flags: 0x1181,
    fwmark: 5,
    sequence,
    engine: { name: 'sip', data },
  };
  const options = '0118000000010000000200000003000000040000000500000006' + '0202611b' + '0303736970';
  const record = `00060047000011810001${'9c9000501f90'}0000000500000384${RECORD.slice(48)}${options}`;
  assert.is(
    toHex(encodeMessage({ version: 1, syncId: 10, connections: [full] })),
    `000a004f01010000${record}`,
  );
  assert.is(
    connectionColumns(full).join(' '),
    'TCP 10.1.0.2:40080 192.168.100.1:80 10.0.0.3:8080 ASSURED 900s local, template, inactive, fwmark 5, ' +
      'sequence numbers, sip a\\x1b',
  );
});

/** A datagram of version 1 with these bytes behind the header; the count is that of the argument. */
function datagram(count: number, ...records: readonly string[]): Uint8Array {
  const body = records.join('').replace(/ /g, '');
  const size = (8 + body.length / 2).toString(16).padStart(4, '0');
  return fromHex(`000a${size}${count.toString(16).padStart(2, '0')}010000${body}`);
}

/** A record of IPv4 with options, and zeros up to a multiple of four. */
function withOptions(options: string): string {
  const bytes = options.replace(/ /g, '').length / 2;
  const size = (36 + bytes).toString(16).padStart(4, '0');
  return `0006${size}${RECORD.slice(8)}${options}${'00'.repeat((4 - (bytes % 4)) % 4)}`;
}

const patched = (at: number, hex: string): string =>
  RECORD.slice(0, at * 2) + hex + RECORD.slice(at * 2 + hex.length);
const SEQUENCE_OPTION = `01 18 ${'00000001'.repeat(6)}`;

/** What is wrong, where, and how many connections are taken although it is. */
const FAULTY: readonly (readonly [string, FaultyRecord['fault'], Uint8Array, number])[] = [
  ['a record that is not there', 'short', datagram(2, RECORD), 1],
  ['half a record', 'short', datagram(2, RECORD, RECORD.slice(0, 70)), 1],
  ['a size beyond the end', 'size', datagram(2, RECORD, patched(2, '0028')), 1],
  ['no padding before a record', 'short', datagram(2, withOptions('49 01 00').slice(0, -2), RECORD), 1],
  ['version 1 of a record', 'version', datagram(2, patched(2, '1024'), RECORD), 0],
  ['type 2', 'type', datagram(2, patched(0, '02'), RECORD), 0],
  ['size 0', 'fixed', datagram(2, patched(2, '0000'), RECORD), 0],
  ['size 20', 'fixed', datagram(2, patched(2, '0014'), RECORD), 0],
  ['IPv6 in the size of IPv4', 'fixed', datagram(2, patched(0, '01'), RECORD), 0],
  ['half the header of an option', 'option-header', datagram(2, withOptions('41'), RECORD), 0],
  ['an empty option', 'option-length', datagram(2, withOptions('41 00'), RECORD), 0],
  ['an option beyond the record', 'option-length', datagram(2, withOptions('41 03 00'), RECORD), 0],
  [
    'sequence numbers of 23 bytes',
    'sequence',
    datagram(2, withOptions(`01 17 ${'00'.repeat(23)}`), RECORD),
    0,
  ],
  ['sequence numbers twice', 'sequence', datagram(2, withOptions(SEQUENCE_OPTION.repeat(2)), RECORD), 0],
  ['data of an engine twice', 'engine-data', datagram(2, withOptions('02 01 61 02 01 61'), RECORD), 0],
  ['a name of 17 characters', 'engine-name', datagram(2, withOptions(`03 11 ${'61'.repeat(17)}`), RECORD), 0],
  ['an option that must be known', 'option-unknown', datagram(2, withOptions('09 01 00'), RECORD), 1],
  ['data without a name', 'engine', datagram(2, withOptions('02 01 61'), RECORD), 1],
  ['a name that ends at once', 'engine', datagram(2, withOptions('02 01 61 03 02 0061'), RECORD), 1],
];

for (const [name, fault, bytes, taken] of FAULTY) {
  message(`${name}: ${fault}`, () => {
    const decoded = decodeMessage(bytes);
    assert.ok(decoded.ok);
    assert.equal(
      decoded.faulty.map((each) => each.fault),
      [fault],
    );
    assert.equal(
      decoded.message.connections,
      Array.from({ length: taken }, () => CONNECTION),
    );
  });
}

message(
  'what a receiver passes over: an option with its bit, one of a known kind with it, bytes at the end',
  () => {
    for (const options of ['49 01 00', '42 01 61 43 01 62', '03 01 62', SEQUENCE_OPTION]) {
      const decoded = decodeMessage(datagram(1, withOptions(options), 'ffffff'));
      assert.ok(
        decoded.ok && decoded.faulty.length === 0 && decoded.message.connections.length === 1,
        options,
      );
    }
  },
);

message('a type with more bits than that of IPv6 is IPv6', () => {
  const six = VECTORS.find(({ name }) => name.includes('IPv6'))?.payload ?? '';
  const decoded = decodeMessage(fromHex(`${six.slice(0, 16)}03${six.slice(18)}`));
  assert.ok(decoded.ok && decoded.message.connections[0]?.client.address.includes(':'));
});

message('datagrams that are dropped whole', () => {
  assert.equal(decodeMessage(new Uint8Array()), { ok: false, fault: 'short' });
  assert.equal(decodeMessage(fromHex('000a00')), { ok: false, fault: 'short' });
  const good = datagram(1, RECORD);
  assert.equal(decodeMessage(good.subarray(0, 43)), { ok: false, fault: 'size' });
  assert.equal(decodeMessage(Uint8Array.of(...good, 0)), { ok: false, fault: 'size' });
});

message('version 0 in a datagram of four bytes, and one that is cut', () => {
  assert.equal(decodeMessage(fromHex('000a0004')), {
    ok: true,
    message: { version: 0, syncId: 10, connections: [] },
    count: 0,
    faulty: [],
  });
  const record = '00069c9200501f900a010002c0a864010a00000302000001';
  const decoded = decodeMessage(fromHex(`010a001c${record}`));
  assert.ok(decoded.ok);
  assert.equal(decoded.faulty, [{ index: 0, fault: 'size' }], 'sequence numbers are said to follow');
});

message('what no record can say', () => {
  const send = (version: 0 | 1, ...connections: readonly SyncedConnection[]): (() => void) => {
    return () => void encodeMessage({ version, syncId: 1, connections });
  };
  const mixed = { ...CONNECTION, client: { address: ip('fd00::1'), port: 1 } };
  assert.throws(send(1, mixed), /two families in a sync record: fd00::1/);
  assert.throws(send(0, CONNECTION), /no sync record of version 0/);
  assert.throws(send(1, ...Array.from({ length: 256 }, () => CONNECTION)), /256 records/);
  const data = Uint8Array.of(1);
  for (const name of ['', 'seventeen letters', '\u0100', 'a\0b'])
    assert.throws(send(1, { ...CONNECTION, engine: { name, data } }), /name of a persistence engine/);
  const engine = { name: 'sip', data: new Uint8Array(256) };
  assert.throws(send(1, { ...CONNECTION, engine }), /256 bytes/);
  assert.throws(() => encodeMessage({ version: 1, syncId: 256, connections: [] }), /syncid 256/);
});

message('what a kernel can read and does not take', () => {
  const why = (more: Partial<SyncedConnection>): string | undefined =>
    whyNotTaken({ ...CONNECTION, ...more });
  assert.is(why({ state: 10 }), undefined);
  assert.is(why({ state: 11 }), 'TCP has no state 11');
  assert.is(why({ protocol: 47 }), 'IPVS has no protocol 47');
  assert.is(why({ flags: SYNC_FLAG.template, protocol: 0 }), undefined);
  assert.is(why({ flags: SYNC_FLAG.template, state: 2 }), 'a template has no state 2');
  assert.is(why({ flags: SYNC_FLAG.onePacket }), 'a connection of one packet');
  const noPort = SYNC_FLAG.template | SYNC_FLAG.noClientPort;
  assert.is(why({ flags: noPort }), 'a template without a client port');
  assert.is(stateName({ protocol: 132, flags: 0, state: 13 }), 'CLOSED');
  assert.is(stateName({ protocol: 6, flags: SYNC_FLAG.template, state: 1 }), 'ASSURED');
  assert.is(stateName({ protocol: 47, flags: 0, state: 1 }), 'state 1');
});

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const shift = fc.record({ from: u32, delta: u32, previous: u32 }, { noNullPrototype: true });
const address = (bytes: number): fc.Arbitrary<Ip> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(ipFromBytes);
const character = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));

const connections: fc.Arbitrary<SyncedConnection> = fc.constantFrom(4, 16).chain((bytes) => {
  const endpoint = fc.record({ address: address(bytes), port: u16 }, { noNullPrototype: true });
  const engine = fc.record(
    {
      name: fc.array(character, { minLength: 1, maxLength: 16 }).map((each) => each.join('')),
      data: fc.uint8Array({ minLength: 1, maxLength: 255 }),
    },
    { noNullPrototype: true },
  );
  return fc.record(
    {
      protocol: fc.integer({ min: 0, max: 255 }),
      flags: u32,
      state: u16,
      client: endpoint,
      virtual: endpoint,
      destination: endpoint,
      fwmark: u32,
      timeout: u32,
      sequence: fc.record({ in: shift, out: shift }, { noNullPrototype: true }),
      engine,
    },
    {
      requiredKeys: ['protocol', 'flags', 'state', 'client', 'virtual', 'destination', 'fwmark', 'timeout'],
      noNullPrototype: true,
    },
  );
});

/** The connection as far as version 0 can say it. */
function asVersion0(connection: SyncedConnection): SyncedConnection | undefined {
  const { engine: _, sequence, ...rest } = connection;
  const flags = (rest.flags & 0xf9ff) | (sequence === undefined ? 0 : SYNC_FLAG.inSequence);
  const less = { ...rest, flags, fwmark: 0, timeout: 0, ...(sequence !== undefined && { sequence }) };
  return fitsRecord0(less) ? less : undefined;
}

const messages: fc.Arbitrary<SyncMessage> = fc
  .tuple(
    fc.constantFrom<0 | 1>(0, 1),
    fc.integer({ min: 0, max: 255 }),
    fc.array(connections, { maxLength: 8 }),
  )
  .map(([version, syncId, each]) => ({
    version,
    syncId,
    connections: version === 1 ? each : each.map(asVersion0).filter((less) => less !== undefined),
  }));

message('what is written is read', () => {
  fc.assert(
    fc.property(messages, (each) => {
      const decoded = decodeMessage(encodeMessage(each));
      assert.equal(decoded, { ok: true, message: each, count: each.connections.length, faulty: [] });
    }),
    { numRuns: repetitions(300) },
  );
});

/** The bytes inside of a larger buffer of other bytes, as a socket gives them. */
function within(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 600).fill(0x41);
  all.set(bytes, 100);
  return all.subarray(100, 100 + bytes.length);
}

message(
  'any bytes: nothing is thrown, nothing is read beyond, and what was understood can be written',
  () => {
    const broken = fc
      .tuple(
        messages,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        fc.nat(40),
      )
      .map(([each, changes, less]) => {
        const bytes = encodeMessage(each);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const cut = bytes.slice(0, Math.max(0, bytes.length - less));
        // Without the right size nothing behind it would be read.
        if (cut.length >= 4) new DataView(cut.buffer).setUint16(2, cut.length);
        return cut;
      });
    fc.assert(
      fc.property(fc.oneof(broken, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const decoded = decodeMessage(within(bytes));
        assert.equal(decoded, decodeMessage(bytes), 'what stands around it does not matter');
        if (!decoded.ok) return;
        assert.ok(decoded.message.connections.length + decoded.faulty.length <= decoded.count);
        const { message: understood } = decoded;
        const again = decodeMessage(encodeMessage(understood));
        assert.ok(again.ok);
        assert.equal(again.message, understood);
      }),
      { numRuns: repetitions(1000, 100_000) },
    );
  },
);

message('packed: all in their order, none too long, none with a count that the byte cannot say', () => {
  const some = fc.array(connections, { maxLength: 40 });
  fc.assert(
    fc.property(some, fc.integer({ min: 100, max: 3000 }), (each, maxlen) => {
      const packed = Array.from(packMessages(each, { version: 1, syncId: 7, maxlen }));
      assert.equal(
        packed.flatMap((one) => one.connections),
        each,
      );
      for (const one of packed)
        assert.ok(one.connections.length === 1 || encodeMessage(one).length <= maxlen);
    }),
    { numRuns: repetitions(200) },
  );
  const many = Array.from({ length: 600 }, () => CONNECTION);
  const lengths = (maxlen: number): number[] =>
    Array.from(packMessages(many, { version: 1, syncId: 7, maxlen }), (one) => one.connections.length);
  assert.equal(lengths(60_000), [MOST_RECORDS, MOST_RECORDS, 90]);
  assert.is(lengths(1472)[0], 40, 'as many as the kernel');
});

message.run();
