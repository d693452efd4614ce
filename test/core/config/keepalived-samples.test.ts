import * as assert from 'uvu/assert';
import { load } from '../../../src/core/config/load.ts';
import { print } from '../../../src/core/config/print.ts';
import { suite } from '../../suite.ts';
import { keepalivedSamples } from './keepalived-samples.ts';
import { configured, memoryReader } from './memory.ts';

/** Samples that keepalived itself complains about, and one that needs what is not built: the lines. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  // keepalived: "Unknown keyword": the names stand outside `group { }`.
  'keepalived.conf.vrrp.lvs_syncd': [
    "4 unknown keyword 'VI_2' in vrrp_sync_group VG1",
    "5 unknown keyword 'VI_3' in vrrp_sync_group VG1",
  ],
  // keepalived: "Invalid rule to address 192.168.100./24".
  'keepalived.conf.vrrp.rules': [
    "11 static_rules: expected a prefix such as 192.0.2.0/24, or all, found '192.168.100./24'",
    "26 virtual_rules: expected a prefix such as 192.0.2.0/24, or all, found '192.168.200./24'",
  ],
};
/** Warnings that samples may give besides "not acted on": each has a reason in keepalived's own behaviour. */
const EXPECTED = [
  /is accepted, not acted on: /,
  /is an old (key)?word$/,
  /^protocol has no effect here: the service is a mark$/,
  /^each of the 13 addresses and marks of VSG_1 is a service$/,
  /^192\.168\.200\.18 is there twice: the first counts$/,
  /^script: nothing is run: it is good when the file can be opened$/,
  /^with auth_type AH it begins as BACKUP$/,
  /a rule without a priority gets one from 16384 downward$/,
  // Ours: the samples leave the addresses of some virtual servers to others.
  /^no vrrp_instance holds /,
];

const test = suite("keepalived's samples");

for (const { name, text } of keepalivedSamples) {
  test(`${name} loads, is printed, and is read again as the same`, () => {
    const loaded = load({ file: name, reader: memoryReader({ [name]: text }), configId: 'high' });
    const { diagnostics, configuration } = loaded;
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    assert.equal(
      errors.map(({ at, message }) => `${at.line} ${message}`),
      WRONG[name] ?? [],
    );
    const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
    const unexpected = warnings.filter(({ message }) => !EXPECTED.some((known) => known.test(message)));
    assert.equal(unexpected, []);
    if (configuration === undefined) return;
    assert.equal(configured(print(configuration)), configuration);
  });
}

test('there are as many as the package has', () => assert.ok(keepalivedSamples.length >= 25));

test.run();
