import type { Findings } from './findings.ts';
import type { Span } from './source.ts';

/** How files reach the core: injected, synchronous, without decisions. */
export interface Reader {
  /** The paths that a pattern of shell wildcards (`*`, `?`, `[a-z]`; no braces) matches, sorted. */
  glob(pattern: string): readonly string[];
  read(path: string): FileText;
}

/** A file's text, or why there is none: `problem` completes the sentence "FILE ...". */
export type FileText =
  | { readonly kind: 'text'; readonly text: string; readonly executable: boolean }
  | { readonly kind: 'missing' | 'unreadable'; readonly problem: string };

/** Which failures of an include are errors: the letters of includer, includem, includew and includeb. */
export interface IncludeChecks {
  readonly read: boolean;
  readonly match: boolean;
  readonly wildcard: boolean;
  readonly brace: boolean;
}

const checks = (letters: string): IncludeChecks => ({
  read: letters.includes('r'),
  match: letters.includes('m'),
  wildcard: letters.includes('w'),
  brace: letters.includes('b'),
});

/** keepalived's include family. `include` itself checks nothing unless the daemon is started with `-e`. */
export const INCLUDES: ReadonlyMap<string, IncludeChecks> = new Map([
  ['include', checks('')],
  ['includer', checks('r')],
  ['includem', checks('rm')],
  ['includeb', checks('rb')],
  ['includew', checks('rmw')],
  ['includea', checks('rmwb')],
]);
export const ALL_CHECKS = checks('rmwb');
export const NO_CHECKS = checks('');

const NAMED = { read: 'read', match: 'match', wildcard_match: 'wildcard', brace_match: 'brace' } as const;

/**
 * The checks of a plain `include` after a line `include_check WORDS`: `all`, `none`, a check's name to add
 * it, with a `-` to take it away. What is none of these is the parser's to report.
 */
export function changedChecks(from: IncludeChecks, words: readonly string[]): IncludeChecks {
  let now = from;
  for (const word of words) {
    const name = word.replace(/^[+-]/, '');
    if (word === 'all') now = ALL_CHECKS;
    else if (word === 'none') now = NO_CHECKS;
    else if (Object.hasOwn(NAMED, name)) {
      now = { ...now, [NAMED[name as keyof typeof NAMED]]: !word.startsWith('-') };
    }
  }
  return now;
}

const ALTERNATIVES_LIMIT = 1000;

/**
 * The patterns that csh braces stand for: `a{b,c}d` gives `abd` and `acd`; they nest. Text whose braces do
 * not match stands for itself. At most 1,000 patterns.
 */
export function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf('{');
  if (open < 0) return [pattern];
  let depth = 0;
  let from = open + 1;
  const parts: string[] = [];
  for (let i = open; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    if (c === '{') depth++;
    if (c === ',' && depth === 1) {
      parts.push(pattern.slice(from, i));
      from = i + 1;
    }
    if (c !== '}' || --depth > 0) continue;
    parts.push(pattern.slice(from, i));
    const head = pattern.slice(0, open);
    const tails = expandBraces(pattern.slice(i + 1));
    const middles = parts.flatMap(expandBraces);
    return middles.flatMap((m) => tails.map((t) => head + m + t)).slice(0, ALTERNATIVES_LIMIT);
  }
  return [pattern];
}

/** `path` as seen from the directory of `file`. */
export const relativeTo = (file: string, path: string): string =>
  path.startsWith('/') ? path : directoryOf(file) + path;
/** The directory of a file with its last slash; empty for a bare name. */
export const directoryOf = (file: string): string => file.slice(0, file.lastIndexOf('/') + 1);

/** A file to include. */
export interface Included {
  readonly path: string;
  readonly text: string;
}

/**
 * The files of one include statement, in order. What fails a check is an error. What keepalived passes over
 * in silence is a warning here: a part of the configuration may be missing.
 */
export function readIncluded(
  pattern: string,
  wanted: IncludeChecks,
  from: string,
  reader: Reader,
  span: Span,
  findings: Findings,
): Included[] {
  const alternatives = expandBraces(relativeTo(from, pattern));
  const several = alternatives.length > 1;
  const complain = (isError: boolean, message: string, hint?: string) =>
    isError ? findings.error(span, message, { hint }) : findings.warning(span, message, { hint });
  const found: Included[] = [];
  for (const alternative of alternatives) {
    const wild = /[*?[]/.test(alternative);
    const paths = wild ? reader.glob(alternative) : [alternative];
    if (paths.length === 0) {
      const isError = wanted.wildcard || (several && wanted.brace);
      complain(isError, `no file matches ${alternative}`, quoteHint(pattern));
    }
    for (const path of paths) {
      const file = reader.read(path);
      if (file.kind === 'text') {
        if (file.executable) findings.warning(span, `${path} is not included: it is executable`);
        else found.push({ path, text: file.text });
        continue;
      }
      const isError =
        file.kind === 'missing' ? (several ? wanted.brace : wanted.match || wanted.read) : wanted.read;
      complain(isError, `${path} is not included: it ${file.problem}`, quoteHint(pattern));
    }
  }
  return found;
}

const quoteHint = (pattern: string): string | undefined =>
  pattern.includes('"')
    ? 'the rest of the line is the name, quotes included: write it without quotes'
    : undefined;
