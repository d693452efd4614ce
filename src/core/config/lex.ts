import type { Findings } from './findings.ts';
import type { Line, Span } from './source.ts';

/** A word or a brace. Its text has no quotes and no escapes left. */
export interface Token extends Span {
  readonly kind: 'word' | 'open' | 'close';
  readonly text: string;
  readonly quoted: boolean;
}

const isBlank = (c: string | undefined): boolean => c === ' ' || c === '\t';
const startsComment = (c: string): boolean => c === '#' || c === '!';

/** A line without its comment. */
export interface Uncommented {
  /** Columns stay what they are; no blanks at the end. */
  readonly text: string;
  /** It ends with a backslash, the comment included: a definition goes on in the next line. */
  readonly continues: boolean;
  /** There was a comment. */
  readonly isCommented: boolean;
  /** Where a `\#` or `\!` began the comment. */
  readonly escaped?: number;
}

/**
 * The line up to its comment. `#` and `!` begin one anywhere outside double quotes, also within a word, as
 * keepalived has it. `\#` and `\!` begin one too when they are read from a file: keepalived takes the backslash away,
 * hands the text to its processes, and those cut it there. In what variables gave, they stand for the sign.
 */
export function stripComment(line: string, from: 'file' | 'variable' = 'file'): Uncommented {
  if (!/["#!\\]/.test(line)) return { text: line.trimEnd(), continues: false, isCommented: false };
  let quoted = false;
  let cut: number | undefined;
  let escaped: number | undefined;
  let continues = false;
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (c === '"' && cut === undefined) quoted = !quoted;
    else if (c === '\\') {
      continues = i + 1 === line.length;
      if (from === 'file' && !quoted && cut === undefined && escapesComment(line, i)) cut = escaped = i;
      i++;
    } else if (!quoted && startsComment(c)) cut ??= i;
  }
  const text = line.slice(0, cut ?? (continues ? line.length - 1 : line.length)).trimEnd();
  const isCommented = cut !== undefined;
  return { text, continues, isCommented, ...(escaped !== undefined && { escaped }) };
}

const escapesComment = (text: string, backslash: number): boolean =>
  startsComment(text.charAt(backslash + 1)) && backslash + 1 < text.length;

/**
 * Appends the tokens of one line. Words end at blanks; double quotes group; a quote, and what touches it, are
 * words of their own; braces outside quotes are tokens wherever they stand (keepalived's plain tokeniser).
 */
export function lexLine(line: Line, tokens: Token[], findings: Findings): void {
  const { text } = line;
  let i = 0;
  while (i < text.length) {
    const c = text.charAt(i);
    if (isBlank(c)) {
      i++;
    } else if (c === '{' || c === '}') {
      const kind = c === '{' ? 'open' : 'close';
      tokens.push({ kind, text: c, quoted: false, line, start: i, end: i + 1 });
      i++;
    } else {
      const token = c === '"' ? quotedWord(line, i, findings) : plainWord(line, i);
      tokens.push(token);
      i = token.end;
    }
  }
}

function quotedWord(line: Line, start: number, findings: Findings): Token {
  const close = line.text.indexOf('"', start + 1);
  const end = close < 0 ? line.text.length : close + 1;
  if (close < 0) {
    findings.error({ line, start, end: start + 1 }, 'this double quote is never closed', {
      hint: 'a quoted word ends on its own line',
    });
  }
  const text = line.text.slice(start + 1, close < 0 ? end : close);
  return { kind: 'word', text, quoted: true, line, start, end };
}

function plainWord(line: Line, start: number): Token {
  const source = line.text;
  let end = start;
  let escaped = false;
  for (; end < source.length; end++) {
    const c = source.charAt(end);
    if (isBlank(c) || c === '{' || c === '}' || c === '"') break;
    if (c !== '\\' || !escapesComment(source, end)) continue;
    escaped = true;
    end++;
  }
  const written = source.slice(start, end);
  const text = escaped ? written.replace(/\\([#!])/g, '$1') : written;
  return { kind: 'word', text, quoted: false, line, start, end };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * The words of a stretch of a line, read as script keywords read them (keepalived's quoted tokeniser): single
 * and double quotes both group and may touch other text; a backslash escapes (`\n`, octal, `\xHH`, `\cC`).
 */
export function lexQuoted(span: Span, findings: Findings): Token[] {
  const { line } = span;
  const words: Token[] = [];
  let i = span.start;
  while (i < span.end) {
    if (isBlank(line.text.charAt(i))) {
      i++;
      continue;
    }
    const word = escapedWord(line, i, span.end, findings);
    words.push(word);
    i = word.end;
  }
  return words;
}

function escapedWord(line: Line, start: number, limit: number, findings: Findings): Token {
  const source = line.text;
  let text = '';
  let quote = '';
  let quoted = false;
  let i = start;
  while (i < limit) {
    const c = source.charAt(i);
    if (quote === '' && isBlank(c)) break;
    if (c === quote) {
      quote = '';
      i++;
    } else if (quote === '' && (c === '"' || c === "'")) {
      quote = c;
      quoted = true;
      i++;
    } else if (c === '\\' && i + 1 < limit) {
      const found = readEscape(source, i + 1);
      text += found.text;
      i = Math.min(limit, found.end);
    } else {
      text += c;
      i++;
    }
  }
  if (quote !== '') findings.error({ line, start, end: i }, `this ${quote} is never closed`);
  return { kind: 'word', text, quoted, line, start, end: i };
}

/** What follows a backslash at `at - 1`. */
function readEscape(source: string, at: number): { text: string; end: number } {
  const number = /^(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3}))/.exec(source.slice(at, at + 3));
  if (number !== null) {
    const code =
      number[1] === undefined ? Number.parseInt(number[2] ?? '0', 8) : Number.parseInt(number[1], 16);
    return { text: String.fromCharCode(code & 0xff), end: at + number[0].length };
  }
  const c = source.charAt(at);
  if (c === 'c' && at + 1 < source.length) {
    return { text: String.fromCharCode(source.charCodeAt(at + 1) & 0x1f), end: at + 2 };
  }
  return { text: ESCAPES[c] ?? c, end: at + 1 };
}

/** Opening braces minus closing ones, outside double quotes. */
export function nesting(text: string): number {
  let depth = 0;
  let quoted = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    else if (!quoted) depth += c === '{' ? 1 : c === '}' ? -1 : 0;
  }
  return depth;
}

/** Whether a place of a text is within double quotes. */
export const isQuoted = (text: string, at: number): boolean => text.slice(0, at).split('"').length % 2 === 0;
