import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { readLedger, writeLedger } from '../../src/io/ledger.ts';
import { suite } from '../suite.ts';

const test = suite('ledger');
const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
const file = join(folder, 'state/services');
test.after(() => rmSync(folder, { recursive: true }));

test('what is written is read; nothing before, and nothing after there is none', () => {
  assert.equal(readLedger(file), []);
  writeLedger(file, ['tcp 10.0.0.1:80', 'fwmark 7 inet']);
  assert.equal(readLedger(file), ['tcp 10.0.0.1:80', 'fwmark 7 inet']);
  writeLedger(file, []);
  assert.equal(readLedger(file), []);
  assert.throws(() => readFileSync(file), /ENOENT/);
});

test('what another boot wrote, or somebody else, is of no use', () => {
  writeLedger(file, ['tcp 10.0.0.1:80']);
  const [boot = '', ...names] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, [boot.replace(/./g, '0'), ...names].join('\n'));
  assert.equal(readLedger(file), []);
  writeFileSync(file, Buffer.from([0, 1, 2, 255]));
  assert.equal(readLedger(file), []);
});

test('a file that cannot be read or written is an error for who asks', () => {
  assert.throws(() => readLedger(folder), /EISDIR/);
  assert.throws(() => writeLedger(join(file, 'services'), ['x']));
});

test.run();
