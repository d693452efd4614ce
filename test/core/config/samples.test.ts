import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadText } from './memory.ts';

/** Every sample that we ship is right, for both directors of the pair. */
const ROOT = join(import.meta.dirname, '../../../..');
const folder = join(ROOT, 'etc/samples');
const samples = [
  join(ROOT, 'etc/vipkeeper.conf.sample'),
  ...readdirSync(folder).map((name) => join(folder, name)),
];

const test = suite('samples');

for (const path of samples) {
  test(`${path.slice(ROOT.length + 1)} has nothing to complain about`, () => {
    const { configuration, diagnostics } = loadText(readFileSync(path, 'utf8'));
    assert.equal(diagnostics, []);
    assert.ok(configuration !== undefined);
    assert.ok(configuration.instances.length + configuration.virtualServers.length > 0);
  });
}

test.run();
