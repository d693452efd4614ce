import { root } from '../../../src/core/config/grammar/root.ts';
import type { Table } from '../../../src/core/config/schema.ts';
import type { Prng } from '../../../src/core/prng.ts';

/** Ways to break a configuration in one place, so that an error must name one line. */

/** A broken text, what was done to it, and the line that an error must name. */
export interface Mutation {
  readonly text: string;
  readonly what: string;
  readonly line: number;
  /** A number beyond its range is ignored, as in keepalived: a warning will do. */
  readonly isDoubt?: boolean;
}

/** Each keyword of the language, wherever it may stand. */
function keywordsOf(table: Table): string[] {
  return Object.entries(table).flatMap(([name, { body }]) => [
    name,
    ...(body?.kind === 'keywords' ? keywordsOf(body.table) : []),
  ]);
}
const KEYWORDS = new Set(keywordsOf(root));
/** The lines by number, without comments. */
const linesOf = (text: string): string[] =>
  text.split('\n').map((line) => (/^\s*[!#]/.test(line) ? '' : line));

function replaceLine(text: string, number: number, line: string): string {
  const lines = text.split('\n');
  lines[number - 1] = line;
  return lines.join('\n');
}

/** Without one brace: the error names the line on which the block began. */
function dropBrace(text: string, random: Prng): Mutation {
  const lines = linesOf(text);
  const open: number[] = [];
  const braces: { line: number; column: number; began: number; brace: string }[] = [];
  lines.forEach((line, i) => {
    for (const { 0: brace, index: column } of line.matchAll(/(?<!\$)\{|(?<!\w)\}/g)) {
      const began = brace === '{' ? i + 1 : (open.pop() ?? 0);
      if (brace === '{') open.push(i + 1);
      braces.push({ line: i + 1, column, began, brace });
    }
  });
  const { line, column, began, brace } = random.pick(braces);
  const old = lines[line - 1] ?? '';
  const broken = old.slice(0, column) + old.slice(column + 1);
  return { text: replaceLine(text, line, broken), what: `without ${brace} in line ${line}`, line: began };
}

/** One letter of a keyword dropped, doubled, replaced or swapped. */
function misspell(text: string, random: Prng): Mutation {
  const lines = linesOf(text);
  const candidates = lines.flatMap((line, i) => {
    const match = /^(\s*(?:@\w+ )?)([A-Za-z_-]+)(?=[ {]|$)/.exec(line);
    return match !== null && KEYWORDS.has(match[2] ?? '') ? [{ number: i + 1, line, match }] : [];
  });
  const { number, line, match } = random.pick(candidates);
  const [, head = '', word = ''] = match;
  const i = random.between(0, word.length - 1);
  const wrong = random.pick([
    word.slice(0, i) + word.slice(i + 1),
    word.slice(0, i) + word.charAt(i) + word.slice(i),
    `${word.slice(0, i)}z${word.slice(i + 1)}`,
    word.slice(0, i) +
      word
        .slice(i, i + 2)
        .split('')
        .reverse()
        .join('') +
      word.slice(i + 2),
    word.toUpperCase() === word ? word.toLowerCase() : word.toUpperCase(),
  ]);
  if (KEYWORDS.has(wrong) || wrong === '') return misspell(text, random);
  const broken = head + wrong + line.slice(head.length + word.length);
  return {
    text: replaceLine(text, number, broken),
    what: `${word} as ${wrong} in line ${number}`,
    line: number,
  };
}

/** A number far out of its range. */
function overflow(text: string, random: Prng): Mutation {
  const lines = linesOf(text);
  const candidates = lines.flatMap((line, i) => {
    const match = /^(\s*(?:@\w+ )?([a-z_]+) )([\d.]+)$/.exec(line);
    return match !== null && !['auth_pass', 'mcast_src_ip', 'smtp_server'].includes(match[2] ?? '')
      ? [{ number: i + 1, match }]
      : [];
  });
  if (candidates.length === 0) return misspell(text, random);
  const { number, match } = random.pick(candidates);
  const wrong = random.pick(['99999999999', '-5', '1e3', '0x10', '12abc', '1.2.3']);
  const broken = (match[1] ?? '') + wrong;
  return {
    text: replaceLine(text, number, broken),
    what: `${broken.trim()} in line ${number}`,
    line: number,
    isDoubt: /^-?\d+$/.test(wrong),
  };
}

/** One break of any kind. */
export const mutate = (text: string, random: Prng): Mutation =>
  random.pick([dropBrace, misspell, overflow])(text, random);
