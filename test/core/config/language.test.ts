import * as assert from 'uvu/assert';
import { expand } from '../../../src/core/config/expand.ts';
import { Findings } from '../../../src/core/config/findings.ts';
import { lexLine, type Token } from '../../../src/core/config/lex.ts';
import { suite } from '../../suite.ts';
import { LANGUAGE, LANGUAGE_FILES } from './language.ts';
import { memoryReader } from './memory.ts';

const FOLDER = '/etc/director/';
const files = Object.fromEntries(
  Object.entries(LANGUAGE_FILES).map(([name, text]) => [`${FOLDER}${name}`, text]),
);

/** The lines of words that a text stands for, as the table has them. */
function read(text: string): string {
  const environment = { configId: 'h1', variable: () => undefined, seed: 1 };
  const options = { reader: memoryReader(files), environment, allIncludes: false };
  const findings = new Findings();
  const { lines } = expand([{ name: `${FOLDER}main.conf`, text }], options, findings);
  const words = lines.map((line) => {
    const tokens: Token[] = [];
    lexLine(line, tokens, findings);
    return tokens.map((token) => token.text.replaceAll(' ', '_')).join(' ');
  });
  return words.join(' | ');
}

const test = suite('the language in small cases');

test('each text stands for its words', () => {
  const wrong = LANGUAGE.filter(({ text, words }) => read(text) !== words);
  assert.equal(
    wrong.map(({ text }) => `${text}\n=> ${read(text)}`),
    [],
    wrong.map(({ words }) => words).join('\n'),
  );
});

test('there are as many as the rules need', () => assert.ok(LANGUAGE.length >= 150, `${LANGUAGE.length}`));

test.run();
