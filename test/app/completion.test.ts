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
  assert.equal(offered('vipkeeper', 'switchover', '--'), ['--json', '--help']);
  assert.ok(offered('vipkeeper', '').includes('status'));
  assert.equal(offered('vipkeeper', 'maintenance', 'o'), ['on', 'off']);
  assert.equal(offered('vipkeeper', 'status', '--j'), ['--json']);
  assert.equal(offered('vipkeeper', 'check', '--st'), ['--strict']);
  assert.equal(offered('vipkeeper', 'director', 'pre'), ['prepare']);
  assert.equal(offered('vipkeeper', 'director', 'prepare', '--mas'), ['--masquerade']);
});

test('the options of the command only, and none twice unless it may be said again', () => {
  const director = offered('vipkeeper', 'director', '');
  assert.equal(director.slice(0, 3), ['show', 'undo', 'prepare']);
  assert.not.ok(director.includes('--dry-run') || director.includes('--ipv6'));
  const prepare = offered('vipkeeper', 'director', 'prepare', '--');
  assert.equal(prepare.length, new Set(prepare).size);
  assert.ok(prepare.includes('--ipv6') && !prepare.includes('--json'));
  assert.not.ok(offered('vipkeeper', 'director', 'prepare', '--ipv6', '--').includes('--ipv6'));
  assert.ok(offered('vipkeeper', 'director', 'prepare', '--vs', 'a=1', '--').includes('--vs'));
  assert.equal(offered('vipkeeper', 'realserver', 'prepare', '10.0.0.1', '--method', ''), ['dr', 'tun']);
  assert.equal(offered('vipkeeper', 'weight', '10.0.0.1', 'd'), ['default']);
});

test('keywords of the configuration', () => {
  const run = 'vipkeeper() { node bin/vipkeeper "$@"; }; ';
  assert.ok(offeredBy(run, ['vipkeeper', 'keywords', 'virtual_s']).includes('virtual_server'));
});

test('lvsadm: commands first, then what may stand beside them, and the values of options', () => {
  assert.ok(offered('lvsadm', '--add').includes('--add-service'));
  const beside = offered('lvsadm', '-A', '--');
  assert.ok(beside.includes('--tcp-service') && beside.includes('--scheduler'));
  assert.not.ok(beside.includes('--real-server') || beside.includes('--add-service'));
  assert.equal(offered('lvsadm', '-A', '-t', '10.0.0.1:80', '-s', 'wl'), ['wlc']);
  assert.ok(offered('lvsadm', '-a', '--gat').includes('--gatewaying'));
  assert.equal(offered('lvsadm', '-L', '--stat'), ['--stats']);
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
