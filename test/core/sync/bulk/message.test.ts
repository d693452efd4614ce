import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { toHex } from '../../../../src/core/bytes.ts';
import type { Seal } from '../../../../src/core/sealed.ts';
import {
  type BulkMessage,
  type BulkWord,
  decodeBulk,
  encodeBulk,
  MOST_FINGERPRINTS,
  NO_NONCE,
  nonceOf,
} from '../../../../src/core/sync/bulk/message.ts';
import { BulkPost } from '../../../../src/core/sync/bulk/post.ts';
import { repetitions } from '../../../repetitions.ts';
import { suite } from '../../../suite.ts';

const test = suite('bulk messages');

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const round = fc.integer({ min: 1, max: 0xffff_ffff });
const nonce = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(toHex);
const name = fc.string({ maxLength: 40 });
const word: fc.Arbitrary<BulkWord> = fc.oneof(
  fc.constantFrom<BulkWord>({ type: 'request' }, { type: 'offer' }, { type: 'accept' }),
  fc.record({ type: fc.constant('progress' as const), records: u32, datagrams: u32 }),
  fc
    .record({
      type: fc.constant('list' as const),
      round,
      chunk: fc.integer({ min: 0, max: 1000 }),
      more: fc.integer({ min: 1, max: 1000 }),
      connections: u32,
      lacks: fc.record({ marks: u32, sequences: u32, left: u32 }, { noNullPrototype: true }),
      fingerprints: fc.array(u32, { maxLength: MOST_FINGERPRINTS }),
    })
    .map(({ more, ...list }) => ({ ...list, chunks: list.chunk + more })),
  fc.record({
    type: fc.constant('missing' as const),
    round,
    chunk: u32,
    places: fc
      .uniqueArray(fc.integer({ min: 0, max: MOST_FINGERPRINTS - 1 }), { maxLength: MOST_FINGERPRINTS })
      .map((places) => places.sort((a, b) => a - b)),
  }),
  fc.record({ type: fc.constant('done' as const), missing: u32 }),
  fc.record({
    type: fc.constant('survey' as const),
    covered: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant('counts' as const), sent: u32, maxlen: u32, mtu: u32, connections: u32 }),
  fc.record({ type: fc.constant('choose' as const), slots: fc.integer({ min: 1, max: 256 }) }),
  fc
    .record({
      type: fc.constant('sample' as const),
      chunk: fc.integer({ min: 0, max: 1000 }),
      more: fc.integer({ min: 1, max: 1000 }),
      connections: u32,
      fingerprints: fc.array(u32, { maxLength: MOST_FINGERPRINTS }),
    })
    .map(({ more, ...sample }) => ({ ...sample, chunks: sample.chunk + more })),
);
const message: fc.Arbitrary<BulkMessage> = fc
  .record({
    word,
    syncId: fc.integer({ min: 0, max: 255 }),
    recipient: nonce,
    donor: nonce,
    from: name,
    to: name,
  })
  .map(({ word: said, ...head }) => ({ ...said, ...head }));

test('what is written is read again, and nothing that is cut or longer', () => {
  fc.assert(
    fc.property(message, fc.nat(), (said, at) => {
      const body = encodeBulk(said);
      assert.equal(decodeBulk(body), said);
      assert.is(decodeBulk(body.subarray(0, at % body.length)), undefined);
      assert.is(decodeBulk(Uint8Array.of(...body, 0)), undefined);
    }),
    { numRuns: repetitions(500) },
  );
});

test('any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 11 }), (bytes, kind) => {
      bytes[0] = kind;
      const read = decodeBulk(bytes);
      if (read !== undefined) assert.equal(encodeBulk(read), bytes);
    }),
    { numRuns: repetitions(3000) },
  );
});

test('the longest fits into a datagram of 1472 bytes, with names of 60 letters', () => {
  const long = 'n'.repeat(60);
  const fingerprints = Array(MOST_FINGERPRINTS).fill(7);
  const lacks = { marks: 0, sequences: 0, left: 0 };
  const list = {
    type: 'list' as const,
    round: 1,
    chunk: 0,
    chunks: 1,
    connections: 240,
    lacks,
    fingerprints,
  };
  const body = encodeBulk({ ...list, syncId: 1, recipient: NO_NONCE, donor: NO_NONCE, from: long, to: long });
  assert.ok(body.length + 5 + 60 + 32 <= 1472, `${body.length}`);
});

const sealOf = (key: string): Seal => ({
  sign: (data) => createHmac('sha256', key).update(data).digest(),
  isGenuine: (data, mac) => toHex(createHmac('sha256', key).update(data).digest()) === toHex(mac),
});
const postOf = (own: string, key = 'a key', more: Partial<ConstructorParameters<typeof BulkPost>[0]> = {}) =>
  new BulkPost(
    {
      cluster: 'web',
      name: own,
      others: ['a', 'b', 'c'].filter((each) => each !== own),
      syncId: 51,
      ...more,
    },
    sealOf(key),
  );
const REQUEST: BulkMessage = {
  type: 'request',
  syncId: 51,
  recipient: nonceOf('00112233445566778899aabb', 7),
  donor: NO_NONCE,
  from: 'b',
  to: '',
};
const OFFER: BulkMessage = { ...REQUEST, type: 'offer', from: 'a', to: 'b' };

test('the post: for whom a datagram is, and what is nobody’s', () => {
  const request = postOf('b').close(REQUEST);
  const rejection = (post: BulkPost, datagram: Uint8Array) => {
    const opened = post.open(datagram);
    return 'rejection' in opened ? opened.rejection : 'message' in opened ? opened.message : 'elsewhere';
  };
  assert.equal(rejection(postOf('a'), request), REQUEST);
  assert.is(rejection(postOf('a', 'another'), request), 'wrong key');
  assert.is(rejection(postOf('a', 'a key', { cluster: 'mail' }), request), 'foreign');
  assert.is(rejection(postOf('a', 'a key', { others: ['c'] }), request), 'unknown sender');
  assert.is(rejection(postOf('b'), request), 'unknown sender', 'our own, sent back to us');
  assert.is(rejection(postOf('a', 'a key', { syncId: 52 }), request), 'elsewhere');
  assert.is(rejection(postOf('c'), postOf('a').close(OFFER)), 'elsewhere');
  const survey: BulkMessage = { ...REQUEST, type: 'survey', covered: 1000 };
  assert.equal(rejection(postOf('a'), postOf('b').close(survey)), survey);
  const strange = postOf('a', 'a key', { syncId: 52 });
  assert.equal(rejection(strange, postOf('b').close(survey)), survey, 'it is to learn of the other syncid');
  const choose: BulkMessage = { ...survey, type: 'choose', slots: 1, to: 'a' };
  assert.is(rejection(strange, postOf('b').close(choose)), 'elsewhere');
  assert.is(rejection(postOf('a'), postOf('b').close({ ...survey, type: 'choose', slots: 1 })), 'elsewhere');
  assert.equal(rejection(postOf('b'), postOf('a').close(OFFER)), OFFER);
});

test('the post: one bit changed, or a byte less, and it is none', () => {
  const datagram = postOf('b').close(REQUEST);
  const post = postOf('a');
  for (let at = 0; at < datagram.length; at++) {
    const changed = datagram.slice();
    changed[at] = (changed[at] as number) ^ 1;
    assert.ok('rejection' in post.open(changed), `byte ${at}`);
    assert.ok('rejection' in post.open(datagram.subarray(0, at)), `${at} bytes`);
  }
});

test.run();
