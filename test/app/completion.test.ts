import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from '../lab/engine/root.ts';
import { run } from '../lab/scene/run.ts';

const test = suite('completion for bash');
const script = run([join(ROOT, 'bin/vipkeeper'), 'completion']);

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  const [program = ''] = words;
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _${program}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run(['bash', '-uc', `${script}${ask}`])
    .split('\n')
    .filter(Boolean);
}

test('commands, their words and their options', () => {
  assert.equal(offered('vipkeeper', 'rel'), ['reload']);
  assert.ok(offered('vipkeeper', '').includes('status'));
  assert.equal(offered('vipkeeper', 'maintenance', 'o'), ['on', 'off']);
  assert.equal(offered('vipkeeper', 'status', '--j'), ['--json']);
  assert.equal(offered('vipkeeper', 'check', '--s'), ['--strict']);
  assert.equal(offered('vipkeeper', 'director', 'pre'), ['prepare']);
  assert.equal(offered('vipkeeper', 'director', 'prepare', '--mas'), ['--masquerade']);
});

test('options of the daemon', () => {
  assert.equal(offered('vipkeeperd', '--use'), ['--use-file']);
  assert.equal(offered('vipkeeperd', '-n', '--no'), ['--no_bfd', '--no-syslog']);
});

test('where nothing fits, file names', () => {
  assert.equal(offered('vipkeeper', 'check', '/et'), []);
  assert.match(script, 'complete -o default -F _vipkeeper vipkeeper\n');
});

test.run();
