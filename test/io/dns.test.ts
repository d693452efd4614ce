import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { encodeQuery, readReply } from '../../src/io/dns.ts';
import { suite } from '../suite.ts';

const test = suite('dns messages');

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const reply = (text: string) => readReply(Buffer.from(text, 'hex'));

test('queries as keepalived sends them: one question, recursion desired (RFC 1035, 4.1)', () => {
  const header = 'abcd01000001000000000000';
  assert.is(hex(encodeQuery({ name: '.', record: 'SOA' }, 0xabcd)), `${header}0000060001`);
  assert.is(hex(encodeQuery({ name: 'a.bc', record: 'AAAA' }, 0xabcd)), `${header}016102626300001c0001`);
  assert.is(hex(encodeQuery({ name: 'a.bc.', record: 'A' }, 0xabcd)), `${header}01610262630000010001`);
});

test('the header of a reply, whatever follows', () => {
  assert.equal(reply('abcd81800001000000000000'), { id: 0xabcd, response: true, status: 'NOERROR' });
  assert.equal(reply('abcd81820001ffffffffffffff'), { id: 0xabcd, response: true, status: 'SERVFAIL' });
  assert.equal(reply('abcd01000001000000000000'), { id: 0xabcd, response: false, status: 'NOERROR' });
  assert.is(reply('abcd8180'), undefined);
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const read = readReply(bytes);
      assert.is(read === undefined, bytes.length < 12);
    }),
  );
});

test.run();
