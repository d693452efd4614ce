import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { KeptFiles } from '../../src/io/kept.ts';
import { Store } from '../../src/io/store.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

const test = suite("the store of the operator's decisions");
let folder: string;
let complaints: string[];
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
  complaints = [];
});
test.after.each(() => {
  files?.close();
  rmSync(folder, { recursive: true, force: true });
});

let files: KeptFiles | undefined;
/** The next life of the daemon: there is one at a time. */
function open(at = folder): Store {
  files?.close();
  files = new KeptFiles((_level, message) => complaints.push(message), 10);
  return new Store(at, files, (message) => complaints.push(message));
}
const file = (): string => join(folder, 'operator.json');

test('a decision outlives the process, for root only', () => {
  assert.is(open().maintenance, false);
  open().maintenance = true;
  assert.is(open().maintenance, true);
  assert.is(statSync(file()).mode & 0o777, 0o600);
  assert.equal(complaints, []);
});

test('drains and weights are kept, and what is none of them is left out', () => {
  const place = { service: 'tcp 10.0.0.1:80', server: '10.0.0.2:80' };
  const decisions = [
    { ...place, drain: { since: 1, until: 2 } },
    { ...place, server: '10.0.0.3:80', weight: 5 },
  ];
  assert.equal(open().decisions, []);
  open().decisions = decisions;
  assert.equal(open().decisions, decisions);
  const wrong = [null, 7, {}, { ...place, weight: 'x' }, { ...place, drain: {} }, { ...place, drain: true }];
  writeFileSync(file(), JSON.stringify({ decisions: [...wrong, ...decisions] }));
  assert.equal(open().decisions, decisions);
  writeFileSync(file(), '{"decisions": "all"}');
  assert.equal(open().decisions, []);
  writeFileSync(file(), 'null');
  assert.equal(open().decisions, []);
});

test('a file that makes no sense is put aside and said', () => {
  const garbage = '{"maintenance": tr';
  writeFileSync(file(), garbage);
  const store = open();
  assert.is(store.maintenance, false);
  assert.is(complaints.length, 1);
  assert.match(complaints[0] ?? '', `${file()}: `);
  assert.match(complaints[0] ?? '', 'put aside as operator.json.broken');
  assert.is(readFileSync(`${file()}.broken`, 'utf8'), garbage);
  store.maintenance = true;
  assert.is(open().maintenance, true);
});

test('a decision of the wrong type is none', () => {
  writeFileSync(file(), '{"maintenance": "off"}');
  assert.is(open().maintenance, false);
});

test('a folder that cannot be used is an error that names it', () => {
  writeFileSync(file(), '{}');
  const below = join(file(), 'deeper');
  assert.throws(() => open(below), new RegExp(`cannot keep the operator's decisions in ${below}: ENOTDIR`));
  assert.not.ok(existsSync(`${file()}.broken`));
});

test('what is damaged or deleted while the daemon runs is written again from memory', async () => {
  const store = open();
  store.maintenance = true;
  const whole = readFileSync(file(), 'utf8');
  for (const harm of [
    () => rmSync(file()),
    () => writeFileSync(file(), '{'),
    () => rmSync(folder, { recursive: true }),
  ]) {
    harm();
    assert.is(store.maintenance, true);
    await eventually(
      () => (existsSync(file()) && readFileSync(file(), 'utf8') === whole) || undefined,
      'it is written again',
    );
  }
  assert.match(complaints.join(), /operator\.json is gone, by somebody else: writing it again/);
});

test('a file that cannot be read at this time is said and left alone until something is decided', () => {
  open().maintenance = true;
  const before = readFileSync(file(), 'utf8');
  rmSync(file());
  // As a disk error would.
  mkdirSync(file());
  assert.throws(() => open(), /EISDIR/);
  rmSync(file(), { recursive: true });
  writeFileSync(file(), before);
  assert.is(open().maintenance, true);
});

test.run();
