import * as assert from 'uvu/assert';
import { load } from '../../../src/core/config/load.ts';
import { suite } from '../../suite.ts';
import { memoryReader } from './memory.ts';
import { samples } from './samples.ts';

const test = suite('samples');

for (const { name, text } of samples) {
  test(`${name} has nothing to complain about, on either director`, () => {
    for (const configId of ['one', 'two']) {
      const loaded = load({ file: name, reader: memoryReader({ [name]: text }), configId });
      assert.equal(loaded.diagnostics, []);
      const { instances = [], virtualServers = [] } = loaded.configuration ?? {};
      assert.ok(instances.length + virtualServers.length > 0);
    }
  });
}

test.run();
