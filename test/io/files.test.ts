import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { load } from '../../src/core/config/load.ts';
import { fileReader } from '../../src/io/files.ts';
import { suite } from '../suite.ts';

const test = suite('configuration files');
let folder = '';

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipkeeper-files-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const put = (folder: string, name: string, text: string): void => writeFileSync(join(folder, name), text);

test('text, and why there is none', () => {
  put(folder, 'a.conf', 'x\n');
  assert.equal(fileReader.read(join(folder, 'a.conf')), { kind: 'text', text: 'x\n', executable: false });
  assert.equal(fileReader.read(join(folder, 'b.conf')), { kind: 'missing', problem: 'does not exist' });
  assert.is(fileReader.read(join(folder, 'a.conf/b')).kind, 'missing');
  assert.equal(fileReader.read(folder), { kind: 'unreadable', problem: 'is not a regular file' });
  assert.equal(fileReader.read('/dev/zero'), { kind: 'unreadable', problem: 'is not a regular file' });
});

test('patterns give files in order, without folders and hidden files', () => {
  for (const name of ['b.conf', 'a.conf', 'ab.conf', '.c.conf', 'd.txt']) put(folder, name, '');
  mkdirSync(join(folder, 'e.conf'));
  const names = (pattern: string) =>
    fileReader.glob(join(folder, pattern)).map((path) => path.slice(folder.length + 1));
  assert.equal(names('*.conf'), ['a.conf', 'ab.conf', 'b.conf']);
  assert.equal(names('?.conf'), ['a.conf', 'b.conf']);
  assert.equal(names('[!a]*'), ['b.conf', 'd.txt']);
  assert.equal(names('none*'), []);
});

const INSTANCE =
  'vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n';

test('a configuration in several real files; an executable one is left out', () => {
  mkdirSync(join(folder, 'conf.d'));
  put(folder, 'main.conf', 'include conf.d/*.conf\n');
  put(folder, 'conf.d/1.conf', 'global_defs {\nrouter_id lb\n}\n');
  put(folder, 'conf.d/3.conf', INSTANCE);
  put(folder, 'conf.d/2.conf', 'nonsense\n');
  chmodSync(join(folder, 'conf.d/2.conf'), 0o755);
  const loaded = load({ file: join(folder, 'main.conf'), reader: fileReader, configId: 'x' });
  assert.is(loaded.configuration?.global.routerId, 'lb');
  assert.equal(loaded.diagnostics.length, 1);
  assert.match(loaded.diagnostics[0]?.message ?? '', /2\.conf is not included: it is executable/);
});

test.run();
