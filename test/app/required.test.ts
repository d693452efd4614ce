import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { isTooOld } from '../../src/io/required.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';

const test = suite('the Node that is needed');

test('which version is too old', () => {
  for (const old of ['18.20.4', '20.0.0', '20.11.1']) assert.ok(isTooOld(old, '>=20.12'), old);
  for (const good of ['20.12.0', '20.20.2', '22.0.0', '24.1.0'])
    assert.not.ok(isTooOld(good, '>=20.12'), good);
});

for (const program of readdirSync(join(ROOT, 'bin'))) {
  test(`${program} says what it needs before it loads anything that an older one can't read`, () => {
    // The module loader of an old Node fails at the first import of a name that is not there.
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '18.19.0' });
      import { syncBuiltinESMExports } from 'node:module';
      import util from 'node:util'; delete util.styleText; syncBuiltinESMExports();`;
    const url = `data:text/javascript,${encodeURIComponent(pretend)}`;
    const words = ['--import', url, join(ROOT, 'bin', program), '--version'];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    assert.equal([status, stdout], [1, '']);
    const { node } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).engines;
    assert.is(stderr, `this needs Node ${node.slice(2)} or later, and ${process.execPath} is 18.19.0\n`);
  });
}

test.run();
