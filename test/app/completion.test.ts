import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ROOT } from '../lab/engine/root.ts';
import { run } from '../lab/scene/run.ts';
import { suite } from '../suite.ts';

const test = suite('completion for bash');
const script = run([join(ROOT, 'bin/vipkeeper'), 'completion']);

/** What bash offers for the last of these words. */
const offered = (...words: string[]): string[] => offeredBy('', words);

function offeredBy(before: string, words: readonly string[]): string[] {
  const [program = ''] = words;
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _${program}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run(['bash', '-uc', `${script}${before}${ask}`])
    .split('\n')
    .filter(Boolean);
}

test('commands, their words and their options', () => {
  assert.equal(offered('vipkeeper', 'rel'), ['reload']);
  assert.ok(offered('vipkeeper', '').includes('status'));
  assert.equal(offered('vipkeeper', 'maintenance', 'o'), ['on', 'off']);
  assert.equal(offered('vipkeeper', 'status', '--j'), ['--json']);
  assert.equal(offered('vipkeeper', 'check', '--st'), ['--strict']);
  assert.equal(offered('vipkeeper', 'director', 'pre'), ['prepare']);
  assert.equal(offered('vipkeeper', 'director', 'prepare', '--mas'), ['--masquerade']);
});

test('real servers are asked of the daemon, and colons end no word', () => {
  const names = ['10.0.0.11:80', '10.0.0.12:80', '[2001:db8::1]:80'];
  const daemon = `vipkeeper() { printf '%s\\n' ${names.map((name) => `'${name}'`).join(' ')}; }; `;
  const ask = (line: string, ...words: string[]): string[] =>
    offeredBy(`${daemon}COMP_LINE='${line}'; COMP_POINT=${line.length}; `, words);
  assert.equal(ask('vipkeeper drain 10.0.0.1', 'vipkeeper', 'drain', '10.0.0.1'), names.slice(0, 2));
  assert.equal(ask('vipkeeper undrain 10.0.0.12:', 'vipkeeper', 'undrain', '10.0.0.12', ':', ''), ['80']);
  assert.equal(ask('vipkeeper weight [20', 'vipkeeper', 'weight', '[20'), names.slice(2));
  assert.equal(ask('vipkeeper explain --j', 'vipkeeper', 'explain', '--j'), ['--json']);
  assert.equal(ask('vipkeeper reload 10', 'vipkeeper', 'reload', '10'), []);
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
