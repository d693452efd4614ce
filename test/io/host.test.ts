import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ip } from '../../src/core/ip.ts';
import { hostFacts } from '../../src/io/host.ts';
import { suite } from '../suite.ts';

const test = suite('what is known of the host');
const folder = mkdtempSync(join(tmpdir(), 'vk-host-'));
chmodSync(folder, 0o755);
const file = join(folder, 'script');
writeFileSync(file, '#!/bin/sh\n');
test.after(() => rmSync(folder, { recursive: true }));

test('users and groups by name', () => {
  assert.equal(hostFacts.user('root'), { uid: 0, gid: 0 });
  assert.is(hostFacts.group('root'), 0);
  assert.is(hostFacts.user('nobody here'), undefined);
  assert.is(hostFacts.group('nobody here'), undefined);
});

test('programs: by path and by name, executable or not', () => {
  chmodSync(file, 0o644);
  assert.equal(hostFacts.program(file), { kind: 'found', executable: false });
  chmodSync(file, 0o755);
  assert.equal(hostFacts.program(file), { kind: 'found', executable: true });
  assert.is(hostFacts.program('sh').kind, 'found');
  assert.equal(hostFacts.program(join(folder, 'gone')), { kind: 'missing' });
  assert.equal(hostFacts.program(folder), { kind: 'missing' });
});

test('what others can write: the file, or a folder above it', () => {
  chmodSync(file, 0o757);
  assert.equal(hostFacts.program(file), { kind: 'found', executable: true, writable: file });
  chmodSync(file, 0o755);
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  writeFileSync(join(open, 'script'), '', { mode: 0o755 });
  assert.equal(hostFacts.program(join(open, 'script')), { kind: 'found', executable: true, writable: open });
});

test('keys that others can read', () => {
  chmodSync(file, 0o600);
  assert.is(hostFacts.isExposed(file), false);
  chmodSync(file, 0o640);
  assert.is(hostFacts.isExposed(file), true);
  assert.is(hostFacts.isExposed(join(folder, 'gone')), false);
});

test('own addresses', () => {
  assert.is(hostFacts.isOwnAddress(ip('203.0.113.77')), false);
});

test.run();
