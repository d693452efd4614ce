import type { Findings } from './findings.ts';
import { foreignWord } from './foreign.ts';
import { lexLine, lexQuoted, type Token } from './lex.ts';
import { type Beyond, type Body, type Keyword, type Table, Words } from './schema.ts';
import type { Line, Span } from './source.ts';
import { nearest } from './spelling.ts';
import { type Item, Section, type Statement } from './tree.ts';

const DEPTH_LIMIT = 32;

/**
 * The statements of a configuration by its keyword tables. Every problem is a finding; what cannot be
 * understood is left out, an unknown keyword together with its whole block. (keepalived applies the lines of
 * an unknown block to the block around it, and lets its `}` close that.)
 */
export function parse(lines: readonly Line[], root: Table, findings: Findings): readonly Statement[] {
  const tokens: Token[] = [];
  for (const line of lines) lexLine(line, tokens, findings);
  return new Parser(tokens, findings).root(root);
}

/** A block that is being read. */
interface Scope {
  readonly body: Body;
  /** The keyword that the braces belong to; absent for the whole file. */
  readonly keyword?: Token;
  /** What follows the keyword. */
  readonly words: readonly Token[];
  /** Of the numbers of its lines. */
  readonly beyond?: Beyond | undefined;
}

/** In messages: a block by its keyword and what follows it. */
const nameOf = ({ keyword, words }: Scope): string =>
  keyword === undefined ? 'the file' : [keyword, ...words].map(({ text }) => text).join(' ');

/** What was between two braces. */
interface Content {
  readonly statements: readonly Statement[];
  readonly items: readonly Item<unknown>[];
  /** There was an error. */
  readonly damaged: boolean;
}

/** Of the many statements without any. */
const NO_WORDS: readonly Token[] = [];
const NO_VALUES: readonly unknown[] = [];

class Parser {
  readonly #tokens: readonly Token[];
  readonly #findings: Findings;
  readonly #scopes: Scope[] = [];
  #next = 0;
  /**
   * Opening braces of the file minus closing ones. While it is not 0 a brace is missing somewhere, and that
   * decides what a keyword in the wrong block means: a missing brace, or just a misplaced keyword.
   */
  #balance: number;
  /** How many blocks are to be closed although their `}` has not come. */
  #unwind = 0;

  constructor(tokens: readonly Token[], findings: Findings) {
    this.#tokens = tokens;
    this.#findings = findings;
    this.#balance = 0;
    for (const { kind } of tokens) this.#balance += kind === 'open' ? 1 : kind === 'close' ? -1 : 0;
  }

  root(table: Table): readonly Statement[] {
    return this.#content({ body: { kind: 'keywords', table }, words: NO_WORDS }, undefined).statements;
  }

  /** Reads to the closing brace of `scope`, or to the end of the file. */
  #content(scope: Scope, open: Token | undefined): Content {
    const statements: Statement[] = [];
    const items: Item<unknown>[] = [];
    const errors = this.#findings.errors;
    this.#scopes.push(scope);
    while (this.#unwind === 0) {
      const token = this.#tokens[this.#next];
      if (token === undefined) {
        if (scope.keyword !== undefined) this.#neverClosed(scope, open ?? scope.keyword);
        break;
      }
      if (token.kind === 'close') {
        if (this.#closesOuter(token)) break;
        this.#next++;
        if (scope.keyword !== undefined) break;
        this.#balance++;
        this.#findings.error(token, "this '}' closes nothing", { hint: "is a '{' missing above?" });
      } else if (token.kind === 'open') {
        this.#findings.error(token, "this '{' belongs to no keyword: its block is skipped");
        this.#skipBlock();
      } else if (scope.body.kind === 'keywords') {
        const statement = this.#statement(scope.body.table, open);
        if (statement === undefined) continue;
        if (statement.spec.repeat !== true) this.#once(statement, statements);
        statements.push(statement);
      } else if (!this.#escapes(token)) {
        this.#items(scope, items);
      }
    }
    if (this.#unwind > 0 && scope.keyword !== undefined) this.#unwind--;
    this.#scopes.pop();
    // Copies without the room that arrays have left for more: there are as many as blocks.
    return { statements: statements.slice(), items: items.slice(), damaged: this.#findings.errors > errors };
  }

  /** A keyword given twice: the last one counts, as in keepalived. Blocks are joined, and so may repeat. */
  #once({ name, keyword, spec }: Statement, before: readonly Statement[]): void {
    if (spec.body !== undefined) return;
    const first = before.findLast((other) => other.name === name && other.spec.repeat !== true);
    if (first === undefined) return;
    const related = { what: 'the first is here', span: first.keyword };
    this.#findings.warning(keyword, `${keyword.text} is given twice: this one counts`, { related });
  }

  #neverClosed(scope: Scope, open: Token): void {
    const message = `the block of ${nameOf(scope)} is never closed: a '}' is missing`;
    const { keyword = open } = scope;
    this.#findings.error(keyword, message, { related: { what: 'the block began here', span: open } });
  }

  /** The words from here to the end of the line or to a brace. */
  #head(line = this.#tokens[this.#next]?.line): readonly Token[] {
    const from = this.#next;
    let token = this.#tokens[from];
    while (token?.kind === 'word' && token.line === line) token = this.#tokens[++this.#next];
    return this.#next === from ? NO_WORDS : this.#tokens.slice(from, this.#next);
  }

  #statement(table: Table, open: Token | undefined): Statement | undefined {
    const keyword = this.#tokens[this.#next];
    if (keyword === undefined) return undefined;
    const found = lookUp(table, keyword.text);
    if (found === undefined) {
      if (this.#escapes(keyword)) return undefined;
      this.#head();
      this.#unknown(keyword, table);
      return undefined;
    }
    this.#next++;
    const words = this.#head(keyword.line);
    const { name, spec } = found;
    this.#remark(name, spec, keyword);
    const values = this.#values(spec, keyword, words, table, open);
    if (values === 'ignored') return undefined;
    const held = this.#body(spec, keyword, words);
    const kind = spec.body?.kind;
    const section =
      kind === 'keywords' ? new Section(held?.statements ?? [], held?.damaged ?? true) : undefined;
    const items = kind === 'lines' ? (held?.items ?? []) : undefined;
    return { name, keyword, spec, words, values, section, items, damaged: held?.damaged ?? false };
  }

  /** Says what the table notes about a keyword that was used. */
  #remark(name: string, spec: Keyword, keyword: Token): void {
    if (spec.deprecated !== undefined) {
      this.#findings.warnOnce(`old ${name}`, keyword, `${keyword.text} is an old keyword`, {
        hint: spec.deprecated,
      });
    }
    if (spec.inert === undefined) return;
    const message = `${keyword.text} is accepted, not acted on: ${spec.inert}`;
    this.#findings.warnOnce(`inert ${name}`, keyword, message);
  }

  #values(
    spec: Keyword,
    keyword: Token,
    plain: readonly Token[],
    table: Table,
    open: Token | undefined,
  ): readonly unknown[] | 'ignored' | undefined {
    if (spec.args.length === 0 && plain.length === 0) return NO_VALUES;
    const escapes = spec.args.some((argument) => argument.escapes === true);
    const isKept = spec.body !== undefined || spec.ours === true;
    const beyond = isKept ? 'error' : (spec.beyond ?? 'ignored');
    const words = new Words(keyword, escapes ? this.#requoted(keyword) : plain, this.#findings, beyond);
    const values = spec.args.map((argument) => (words.failed ? undefined : argument.read(words)));
    if (words.ignored) return 'ignored';
    if (words.failed) return undefined;
    this.#extra(words, keyword, table, open);
    return values;
  }

  /** The statement's words as script keywords read them, up to its brace or the end of its line. */
  #requoted(keyword: Token): Token[] {
    const next = this.#tokens[this.#next];
    const end = next !== undefined && next.line === keyword.line ? next.start : keyword.line.text.length;
    return lexQuoted({ line: keyword.line, start: keyword.end, end }, this.#findings);
  }

  /**
   * Words after the arguments. keepalived ignores them, also another keyword in a block on one line, which was meant
   * to count.
   */
  #extra(words: Words, keyword: Token, table: Table, open: Token | undefined): void {
    const first = words.peek();
    if (first === undefined) return;
    let last = first;
    let lost: Token | undefined;
    for (let word = words.take(); word !== undefined; word = words.take()) {
      last = word;
      if (lost === undefined && !word.quoted && lookUp(table, word.text) !== undefined) lost = word;
    }
    const span: Span = { line: first.line, start: first.start, end: last.end };
    if (lost !== undefined && open?.line === keyword.line) {
      const message = `${lost.text} stands on the line of ${keyword.text}: it has no effect, as in keepalived`;
      this.#findings.warning(lost, message, { hint: 'write each keyword on a line of its own' });
      return;
    }
    const hint = lost === undefined ? undefined : `write ${lost.text} on a line of its own`;
    this.#findings.warning(span, `${keyword.text}: these words have no effect`, { hint });
  }

  /** Whether the next token opens a block: at the end of the keyword's line or first on the next. */
  #opens(): boolean {
    return this.#tokens[this.#next]?.kind === 'open';
  }

  #body(spec: Keyword, keyword: Token, words: readonly Token[]): Content | undefined {
    const { body } = spec;
    if (body === undefined) {
      if (!this.#opens()) return undefined;
      const brace = this.#tokens[this.#next] ?? keyword;
      this.#findings.error(brace, `${keyword.text} has no block: what its braces hold is skipped`);
      this.#skipBlock();
      return undefined;
    }
    let open: Token | undefined;
    if (this.#opens()) {
      open = this.#tokens[this.#next++];
    } else {
      const last = words.at(-1) ?? keyword;
      this.#findings.error(last, `'{' expected after ${keyword.text}`, {
        hint: `${keyword.text} is followed by a block in braces`,
      });
      if (this.#balance >= 0) return undefined;
      this.#balance++;
    }
    if (this.#scopes.length > DEPTH_LIMIT) {
      this.#findings.error(keyword, 'blocks nest too deeply');
      return undefined;
    }
    return this.#content({ body, keyword, words, beyond: spec.beyond }, open);
  }

  /** One line of a block of lines. */
  #items(scope: Scope, items: Item<unknown>[]): void {
    if (scope.body.kind !== 'lines') return;
    const { line, several } = scope.body;
    const head = this.#head();
    const [first] = head;
    if (first === undefined || scope.keyword === undefined) return;
    const { text } = scope.keyword;
    const words = new Words({ ...first, text }, head, this.#findings, scope.beyond);
    do {
      const at = words.peek() ?? first;
      const value = line.read(words);
      if (words.failed) break;
      items.push({ value, at });
    } while (several && words.peek() !== undefined);
    const extra = words.peek();
    if (extra !== undefined && !words.failed)
      words.fault(`'${extra.text}' is not expected here`, extra, 'one entry a line');
    if (this.#opens()) {
      this.#findings.error(first, `${nameOf(scope)} holds no blocks: this one is skipped`);
      this.#skipBlock();
    }
  }

  /**
   * Whether a keyword that this block doesn't know belongs to a block around it, and a `}` is missing: then
   * the blocks in between are closed, with an error, and the reading goes on there.
   */
  #escapes(token: Token): boolean {
    const current = this.#scopes.at(-1);
    if (this.#balance <= 0 || current === undefined) return false;
    for (let level = this.#scopes.length - 2; level >= 0; level--) {
      const outer = this.#scopes[level];
      if (outer?.body.kind !== 'keywords' || lookUp(outer.body.table, token.text) === undefined) continue;
      if (this.#scopes.length - 1 - level > this.#balance) return false;
      this.#unwindTo(level, token, `${token.text} does not belong in ${nameOf(current)}`);
      return true;
    }
    return false;
  }

  /**
   * Whether a `}` is missing and this one, by its indentation, closes a block further out: then the blocks
   * within that are closed, with an error.
   */
  #closesOuter(close: Token): boolean {
    const current = this.#scopes.at(-1);
    if (this.#balance <= 0 || current?.keyword === undefined) return false;
    const column = indentOf(close);
    if (close.line.text.trimStart().charAt(0) !== '}' || indentOf(current.keyword) <= column) return false;
    const level = this.#scopes.findLastIndex(({ keyword }) => keyword && indentOf(keyword) === column);
    const outer = this.#scopes[level];
    if (outer === undefined || this.#scopes.length - 1 - level > this.#balance) return false;
    this.#unwindTo(level, close, `this '}' stands below ${nameOf(outer)}`);
    return true;
  }

  /** Closes the blocks inside the one at `level`, whose `}` are missing. */
  #unwindTo(level: number, at: Token, why: string): void {
    const closed = this.#scopes.length - 1 - level;
    this.#balance -= closed;
    this.#unwind = closed;
    const inner = this.#scopes.at(-1)?.keyword;
    const related = inner && { what: 'the block that is not closed began here', span: inner };
    this.#findings.error(at, `a '}' is missing above: ${why}`, { related });
  }

  #unknown(keyword: Token, table: Table): void {
    const block = this.#opens();
    if (this.#balance === 0 && this.#isTolerated(keyword, block)) {
      if (block) this.#skipBlock();
      return;
    }
    const scope = this.#scopes.at(-1);
    const inside = scope?.keyword === undefined ? '' : ` in ${nameOf(scope)}`;
    const related = scope?.keyword && { what: 'the block began here', span: scope.keyword };
    const message = `unknown keyword '${keyword.text}'${inside}${block ? ': its block is skipped' : ''}`;
    this.#findings.error(keyword, message, { hint: this.#meant(keyword.text, table), related });
    if (block) this.#skipBlock();
  }

  /**
   * Whether keepalived passes over the keyword without harm: one of another version or program, or one that has its
   * place elsewhere. The lines of a block that is in the wrong place would count for the block around it there.
   */
  #isTolerated(keyword: Token, block: boolean): boolean {
    const scope = this.#scopes.at(-1);
    const inside = scope === undefined || scope.keyword === undefined ? 'the file' : nameOf(scope);
    const advice = foreignWord(scope?.keyword?.text ?? '', keyword.text);
    const place = this.#placeOf(keyword.text);
    if (advice === undefined && (place === undefined || block)) return false;
    const hint = advice ?? place;
    const message = `${keyword.text} is no keyword of ${inside}: it has no effect, as in keepalived`;
    this.#findings.warning(keyword, message, { hint });
    return true;
  }

  #meant(word: string, table: Table): string | undefined {
    const near = nearest(word, Object.keys(table));
    return this.#placeOf(word) ?? (near === undefined ? undefined : `did you mean ${near}?`);
  }

  /** Where a known keyword belongs: into a block around this one, or any that knows it. */
  #placeOf(word: string): string | undefined {
    for (const scope of this.#scopes.slice(0, -1).reverse()) {
      if (scope.body.kind !== 'keywords' || lookUp(scope.body.table, word) === undefined) continue;
      return scope.keyword === undefined
        ? `${word} stands outside all blocks`
        : `${word} belongs in ${nameOf(scope)}`;
    }
    const root = this.#scopes[0];
    return root?.body.kind === 'keywords' ? placeOf(word, root.body.table, 'the file') : undefined;
  }

  /** Skips from an opening brace to the one that closes it. */
  #skipBlock(): void {
    const open = this.#tokens[this.#next];
    let depth = 0;
    for (let token = open; token !== undefined; token = this.#tokens[this.#next]) {
      this.#next++;
      if (token.kind === 'open') depth++;
      if (token.kind === 'close' && --depth === 0) return;
    }
    if (open !== undefined) this.#findings.error(open, "this '{' is never closed: a '}' is missing");
  }
}

const TAB = 8;

/** The column of the first character of the token's line, as an editor shows it. */
function indentOf({ line }: Token): number {
  let column = 0;
  for (const c of line.text) {
    if (c === '\t') column += TAB - (column % TAB);
    else if (c === ' ') column++;
    else break;
  }
  return column;
}

/** A keyword of the table, with aliases followed. */
function lookUp(table: Table, word: string): { name: string; spec: Keyword } | undefined {
  const spec = Object.hasOwn(table, word) ? table[word] : undefined;
  return spec && { name: spec.alias ?? word, spec };
}

/** Which block, somewhere below `table`, knows the word. */
function placeOf(word: string, table: Table, name: string): string | undefined {
  if (lookUp(table, word) !== undefined) return `${word} belongs in ${name}`;
  for (const [inner, spec] of Object.entries(table)) {
    if (spec.body?.kind !== 'keywords') continue;
    const place = placeOf(word, spec.body.table, inner);
    if (place !== undefined) return place;
  }
  return undefined;
}
