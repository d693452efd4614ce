import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip, isLoopback, parseIp } from '../../src/core/ip.ts';
import { suite } from '../suite.ts';

const test = suite('addresses');

/** Parts that are numbers, nearly so, or not at all. */
const part = fc.oneof(
  fc.integer({ min: 0, max: 300 }).map(String),
  fc.constantFrom('', '00', '01', '010', '256', '1e1', '+1', ' 1', '1\n', '٣', '0x7f'),
);
const isOctet = (text: string): boolean => String(Number(text)) === text && Number(text) <= 255;

test('four decimal parts up to 255 are an IPv4 address, as they stand; nothing else of numbers and dots is', () => {
  const texts = fc.oneof(
    fc.array(part, { minLength: 4, maxLength: 4 }),
    fc.array(part, { minLength: 1, maxLength: 6 }),
  );
  fc.assert(
    fc.property(texts, (parts) => {
      const text = parts.join('.');
      assert.is(parseIp(text), parts.length === 4 && parts.every(isOctet) ? text : undefined);
    }),
    { numRuns: 2000 },
  );
  for (const text of ['1.2.3.4.', '.1.2.3.4', '1.2.3.4\n', '1.2.3.4 ']) assert.is(parseIp(text), undefined);
});

test('loopback addresses', () => {
  const of = (text: string): boolean => isLoopback(ip(text));
  assert.ok(['127.0.0.1', '127.255.1.2', '::1', '0:0:0:0:0:0:0:1'].every(of));
  assert.not.ok(['128.0.0.1', '12.7.0.1', '::', '::2', '::ffff:127.0.0.1', '1::1'].some(of));
});

test.run();
