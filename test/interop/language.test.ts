import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { LANGUAGE, LANGUAGE_FILES } from '../core/config/language.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';

/**
 * The table of the language's rules, as keepalived reads it. keepalived has no way to print what a text expands to, but
 * its messages tell: of each unknown keyword its first word, and of each unknown name in a list the name.
 */
await enclose();

let folder: string;

/** What `keepalived -t` says of a text. */
function messages(text: string): string[] {
  const file = join(folder, 'main.conf');
  writeFileSync(file, `${text}\n`);
  const { stderr } = spawnSync('keepalived', ['-t', '-i', 'h1', '-f', file], { encoding: 'utf8' });
  return stderr.split('\n').filter((line) => line !== '');
}

/**
 * The beginnings of the lines, and braces. Four processes read the text one after the other: the first from the file,
 * and what counts is what the three others, which do the work, read from the copy that it wrote.
 */
function beginnings(text: string): string[] {
  const UNKNOWN = /(?:Unknown keyword '(.*)'|Unexpected '({)' - ignoring)$/;
  const END = 'this_is_the_end';
  const found = messages(`${text}\n${END}`).flatMap((line) => {
    const match = UNKNOWN.exec(line);
    return match === null ? [] : [match[1] ?? match[2] ?? ''];
  });
  const passes: string[][] = [[]];
  for (const word of found) {
    if (word === END) passes.push([]);
    else passes.at(-1)?.push(word);
  }
  const [, , third, last = []] = passes;
  assert.equal([passes.length, third], [5, last], text);
  return last;
}

/** All words of a text without braces. */
function words(text: string): string[] {
  const said = messages(`vrrp_sync_group G {\ngroup {\n${text}\n}\n}`);
  return said.flatMap((line) => /^Virtual router (.*) specified in sync group G /.exec(line)?.[1] ?? []);
}

const blanks = (word: string): string => word.replaceAll(' ', '_');

/** The words that begin lines, and braces: a brace ends the line before it, and what follows it is another. */
function expectedBeginnings(text: string): string[] {
  return text
    .split(' | ')
    .flatMap((line) => line.split(/([{}])/))
    .map((part) => part.trim().split(' ')[0] ?? '')
    .filter((word) => word !== '');
}

const test = suite('the language in small cases, as keepalived reads it');

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'language-'));
  for (const [name, text] of Object.entries(LANGUAGE_FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

const alike = LANGUAGE.filter(({ differs }) => differs === undefined);

test('lines begin with the same words', () => {
  const read = (text: string): string => beginnings(text).map(blanks).join(' | ');
  const wrong = alike.filter(
    ({ text, words: expected }) => read(text) !== expectedBeginnings(expected).join(' | '),
  );
  assert.equal(
    wrong.map(({ text }) => `${text}\n=> ${read(text)}`),
    [],
  );
});

test('lines have the same words', () => {
  const read = (text: string): string => words(text).map(blanks).join(' ');
  const wrong = alike.filter(({ text, words: expected }) => {
    return !/[{}]/.test(expected) && read(text) !== expected.replaceAll(' | ', ' ');
  });
  assert.equal(
    wrong.map(({ text }) => `${text}\n=> ${read(text)}`),
    [],
  );
});

test('what is said to differ does differ', () => {
  for (const { text, words: expected } of LANGUAGE) {
    if (alike.some((same) => same.text === text)) continue;
    assert.not.equal(beginnings(text).map(blanks), expectedBeginnings(expected), text);
  }
});

test.run();
