import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { VERSION } from '../../src/app/version.ts';
import { ROOT } from '../lab/engine/root.ts';
import { run } from '../lab/scene/run.ts';
import { suite } from '../suite.ts';

const test = suite('the manual and the help');
const MAN = join(ROOT, 'man/vipkeeperd.8');
const manual = readFileSync(MAN, 'utf8');
const program = (name: string, ...words: string[]): string => run([join(ROOT, 'bin', name), ...words]);

/** The options that begin a paragraph of the manual, `-f, --use-file`, sorted. */
function inManual(): string[] {
  const heads = manual.matchAll(/^\.TP\n\.B[RI]* (\\-.*)$/gm);
  return Array.from(heads, ([, head = '']) => optionsOf(head.replaceAll('\\', ''))).sort();
}

const optionsOf = (text: string): string =>
  Array.from(text.matchAll(/(?<![\w-])--?[a-zA-Z][\w-]*/g), ([option]) => option).join(', ');

test('every option of --help is in the manual, and no other', () => {
  const help = program('vipkeeperd', '--help').split('\n');
  const listed = help
    .filter((line) => /^ {2}-/.test(line))
    .map((line) => optionsOf(line.split(/ {2,}/)[1] ?? ''));
  assert.ok(listed.length > 15);
  assert.equal(inManual(), listed.sort());
});

test('every command of the operator is in the synopsis of its manual', () => {
  const page = readFileSync(join(ROOT, 'man/vipkeeper.8'), 'utf8');
  const [, synopsis = ''] = /\.SH SYNOPSIS\n([\s\S]*?)\.SH/.exec(page) ?? [];
  const [, list = ''] = /Commands:\n([\s\S]*?)\n\n/.exec(program('vipkeeper', '--help')) ?? [];
  const commands = Array.from(list.matchAll(/^ {2}([a-z]+)/gm), ([, name = '']) => name);
  assert.ok(commands.length > 10);
  const isTold = (name: string): boolean =>
    new RegExp(`(^|\\|)\\\\fB(vipkeeper )?${name}( |\\\\)`, 'm').test(synopsis);
  assert.equal(
    commands.filter((name) => name !== 'help' && !isTold(name)),
    [],
  );
});

test('help fits a terminal of 100 columns', () => {
  for (const [name = '', ...words] of [
    ['vipkeeperd'],
    ['vipkeeper'],
    ['vipkeeper', 'realserver'],
    ['vipkeeper', 'director', 'prepare'],
  ]) {
    const wide = program(name, ...words, '--help')
      .split('\n')
      .filter((line) => line.length > 100);
    assert.equal(wide, []);
  }
});

for (const page of readdirSync(join(ROOT, 'man'))) {
  test(`groff and mandoc have nothing to say about ${page}`, () => {
    const path = join(ROOT, 'man', page);
    const script = `groff -ww -man -Tutf8 -z ${path} 2>&1; mandoc -Tlint ${path}; true`;
    assert.is(run(['sh', '-c', script]), '');
  });
}

test('the version is one: package, programs, manual', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.is(VERSION, version);
  assert.is(program('vipkeeperd', '--version'), `${version}\n`);
  assert.is(program('vipkeeper', '--version'), `${version}\n`);
  assert.match(manual, `"vipkeeper ${version}"`);
});

test('the exit statuses of the manual are those of the unit', () => {
  const unit = readFileSync(join(ROOT, 'systemd/vipkeeper.service'), 'utf8');
  const prevented = /^RestartPreventExitStatus=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  const [, section = ''] = /\.SH EXIT STATUS\n([\s\S]*?)\.SH/.exec(manual) ?? [];
  for (const status of prevented) assert.match(section, new RegExp(`^\\.B ${status}$`, 'm'));
});

test.run();
