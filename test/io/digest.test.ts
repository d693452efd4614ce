import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { digest } from '../../src/io/digest.ts';
import { suite } from '../suite.ts';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const repeated = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte);
const LONG_KEY = text('Test Using Larger Than Block-Size Key - Hash Key First');

const hmac = suite('digest');

/** RFC 2202, section 2: keys shorter than, as long as, and longer than a block. */
const MD5: readonly (readonly [Uint8Array, Uint8Array, string])[] = [
  [repeated(0x0b, 16), text('Hi There'), '9294727a3638bb1c13f48ef8158bfc9d'],
  [text('Jefe'), text('what do ya want for nothing?'), '750c783e6ab0b503eaa86e310a5db738'],
  [repeated(0xaa, 16), repeated(0xdd, 50), '56be34521d144c88dbb8c733f0e8b3f6'],
  [repeated(0xaa, 80), LONG_KEY, '6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd'],
];

/** RFC 4231, section 4, test cases 1, 2, 3, 4 and 6. */
const SHA256: readonly (readonly [Uint8Array, Uint8Array, string])[] = [
  [repeated(0x0b, 20), text('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    text('Jefe'),
    text('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    repeated(0xaa, 20),
    repeated(0xdd, 50),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    fromHex('0102030405060708090a0b0c0d0e0f10111213141516171819'),
    repeated(0xcd, 50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [repeated(0xaa, 131), LONG_KEY, '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'],
];

hmac('HMAC-MD5: the vectors of RFC 2202', () => {
  for (const [key, data, expected] of MD5) assert.is(toHex(digest.hmac('md5', key, data)), expected);
});

hmac('HMAC-SHA-256: the vectors of RFC 4231', () => {
  for (const [key, data, expected] of SHA256) assert.is(toHex(digest.hmac('sha256', key, data)), expected);
});

hmac.run();
