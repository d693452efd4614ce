import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';

/** As ipvsadm, which looks at no result of its writes; what needs a kernel with IPVS is in lab/lvsadm. */
const test = suite('lvsadm whose output goes nowhere');
const LVSADM = join(ROOT, 'bin/lvsadm');

const end = (words: string): string => {
  const { stdout } = spawnSync('bash', ['-c', `${LVSADM} ${words}; echo "\${PIPESTATUS[0]}"`], {
    encoding: 'utf8',
  });
  return stdout.trim();
};

test('full, closed or read by nobody: no stack, and the status of ipvsadm', () => {
  assert.is(end('-h 2>&1 >/dev/full'), '0');
  assert.is(end('-h 2>&1 >&-'), '0');
  assert.is(end('-h | true'), '141');
  // Another status where the kernel has no IPVS.
  const refused = end('--nonsense 2>/dev/null');
  assert.is(end('--nonsense 2>/dev/full'), refused);
  assert.is(end('--nonsense 2>&-'), refused);
});

test.run();
