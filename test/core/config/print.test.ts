import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { print } from '../../../src/core/config/print.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { configuration } from './arbitrary.ts';
import { configured } from './memory.ts';
import { samples } from './samples.ts';

const test = suite('print');

test('what is printed means the same: any configuration', () => {
  const same = fc.property(configuration, (wanted) => assert.equal(configured(print(wanted)), wanted));
  fc.assert(same, { numRuns: repetitions(500) });
});

for (const sample of samples) {
  test(`what is printed means the same: ${sample.name}`, () => {
    const wanted = configured(sample.text);
    const printed = print(wanted);
    assert.equal(configured(printed), wanted);
    assert.is(print(configured(printed)), printed);
  });
}

test('a name that would be a condition at the beginning of its line is quoted', () => {
  const wanted = configured('garp_group {\ngna_interval 2\ninterfaces {\neth0 @one ~two\n}\n}');
  assert.equal(wanted.pacing.groups[0]?.interfaces, ['eth0', '@one', '~two']);
  assert.equal(configured(print(wanted)), wanted);
});

test.run();
