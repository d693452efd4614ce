import type { Findings } from './findings.ts';
import type { Token } from './lex.ts';
import type { Span } from './source.ts';
import { nearest } from './spelling.ts';

/**
 * The language of the keyword tables. A keyword is one line of a table: its doc text, its arguments, and what
 * else is special about it. Parser, man page and completion read the same tables, and `build` gets the values
 * with the types that the arguments have.
 */

/** The words that a keyword's arguments are read from. */
export class Words {
  failed = false;
  /** The statement is as if it were not there. */
  ignored = false;
  readonly keyword: Token;
  readonly #words: readonly Token[];
  readonly #findings: Findings;
  readonly #beyond: Beyond;
  #next = 0;

  constructor(keyword: Token, words: readonly Token[], findings: Findings, beyond: Beyond = 'error') {
    this.keyword = keyword;
    this.#words = words;
    this.#findings = findings;
    this.#beyond = beyond;
  }

  peek(): Token | undefined {
    return this.#words[this.#next];
  }

  take(): Token | undefined {
    const word = this.#words[this.#next];
    if (word !== undefined) this.#next++;
    return word;
  }

  /** Reports that the arguments are wrong, at `at` or at the keyword. Always `undefined`, to be returned. */
  fault(message: string, at?: Span, hint?: string): undefined {
    this.failed = true;
    this.#findings.error(at ?? this.keyword, `${this.keyword.text}: ${message}`, { hint });
    return undefined;
  }

  /** Reports something that keepalived lets pass. */
  doubt(message: string, at: Span, hint?: string): void {
    this.#findings.warning(at, `${this.keyword.text}: ${message}`, { hint });
  }

  /** What is used instead of a number that is beyond `range`; `undefined` when it fails or is ignored. */
  beyond(word: Token, argument: Pick<Argument<unknown>, 'expects'>, range: Range): number | undefined {
    if (this.#beyond === 'error') return unexpected(this, word, argument);
    const value = instead(this.#beyond, Number(word.text), range);
    const what = value === undefined ? 'it has no effect' : `${value} is used`;
    this.doubt(`expected ${argument.expects}, found '${word.text}': ${what}, as in keepalived`, word);
    if (value === undefined) this.failed = this.ignored = true;
    return value;
  }

  /** Where the last word taken stands. */
  get last(): Token {
    return this.#words[this.#next - 1] ?? this.keyword;
  }
}

/** From the least number to the greatest. */
export type Range = readonly [least: number, greatest: number];

/**
 * What a keyword's number means that is beyond its range. keepalived reports it and goes on, as a rule as if the
 * keyword were not there.
 */
export type Beyond = 'error' | 'ignored' | 'nearest' | number;

function instead(beyond: Beyond, value: number, [least, greatest]: Range): number | undefined {
  if (beyond === 'nearest') return Math.min(greatest, Math.max(least, value));
  return typeof beyond === 'number' ? beyond : undefined;
}

/** One argument, or a group of them: how it is written and how it is read. */
export interface Argument<T> {
  /** As in a synopsis: `SECS`, `[BOOL]`, `MASTER|BACKUP`. */
  readonly syntax: string;
  /** What is accepted, completing "expected ...". */
  readonly expects: string;
  /** The words to offer, for completion. */
  readonly choices?: readonly string[];
  /** Reads its words. A problem goes to `words.fault`. */
  read(words: Words): T | undefined;
  /** Read with the tokeniser that knows escapes and single quotes. */
  readonly escapes?: boolean;
}

/** What stands between a keyword's braces: more keywords, or lines of one form. */
export interface KeywordsBody<T extends Table> {
  readonly kind: 'keywords';
  readonly table: T;
}
export interface LinesBody<L> {
  readonly kind: 'lines';
  readonly line: Argument<L>;
  /** Several entries may share a line: `group { A B }`. */
  readonly several: boolean;
}
export type Body = KeywordsBody<Table> | LinesBody<unknown>;

/** What may be said of a keyword beyond its arguments. */
export interface KeywordNotes {
  /** As text, for the man page. */
  readonly default?: string;
  /** May stand more than once in its block. Otherwise the last one counts, with a warning. */
  readonly repeat?: boolean;
  /** A keyword of this project that keepalived does not know. */
  readonly ours?: boolean;
  /** Parsed and checked, not acted on: why. Said once, as a warning. */
  readonly inert?: string;
  /** An old spelling: what to write instead. */
  readonly deprecated?: string;
  /** What it says from this word on (0: its first argument) is a secret: nobody is shown it. */
  readonly secret?: number;
  /** Stands for this keyword of the same table. */
  readonly alias?: string;
  /** What a number beyond its range means, where that is not to be ignored. */
  readonly beyond?: Beyond;
}

export interface Keyword<V extends readonly unknown[] = readonly unknown[], B = Body | undefined>
  extends KeywordNotes {
  readonly doc: string;
  readonly args: { readonly [I in keyof V]: Argument<V[I]> };
  readonly body: B;
}

export type Table = { readonly [name: string]: Keyword };
// The constraint uses the erased keyword: tables keep the exact types of their values.

/** A keyword with arguments: `priority: keyword('base priority', [integer('N', 1, 255)])`. */
export const keyword = <const V extends readonly unknown[]>(
  doc: string,
  args: { readonly [I in keyof V]: Argument<V[I]> },
  notes: KeywordNotes = {},
): Keyword<V, undefined> => ({ doc, args, body: undefined, ...notes });

/** A keyword without arguments. */
export const flag = (doc: string, notes: KeywordNotes = {}): Keyword<readonly [], undefined> => ({
  doc,
  args: [],
  body: undefined,
  ...notes,
});

/** A keyword whose braces hold keywords. */
export const block = <const V extends readonly unknown[], T extends Table>(
  doc: string,
  args: { readonly [I in keyof V]: Argument<V[I]> },
  table: T,
  notes: KeywordNotes = {},
): Keyword<V, KeywordsBody<T>> => ({ doc, args, body: { kind: 'keywords', table }, ...notes });

/** A keyword whose braces hold lines of one form. */
export const lines = <L>(
  doc: string,
  line: Argument<L>,
  notes: KeywordNotes & { several?: boolean } = {},
): Keyword<readonly [], LinesBody<L>> => {
  const { several = false, ...rest } = notes;
  return { doc, args: [], body: { kind: 'lines', line, several }, ...rest };
};

/** The same for a keyword with arguments of its own. */
export const namedLines = <const V extends readonly unknown[], L>(
  doc: string,
  args: { readonly [I in keyof V]: Argument<V[I]> },
  line: Argument<L>,
  notes: KeywordNotes = {},
): Keyword<V, LinesBody<L>> => ({ doc, args, body: { kind: 'lines', line, several: false }, ...notes });

/** The fault "expected ..., found ..." with the nearest choice as hint. */
export function unexpected(
  words: Words,
  word: Token,
  argument: Pick<Argument<unknown>, 'expects' | 'choices'>,
): undefined {
  const near = nearest(word.text, argument.choices ?? []);
  const hint = near === undefined ? undefined : `did you mean ${near}?`;
  return words.fault(`expected ${argument.expects}, found '${word.text}'`, word, hint);
}
