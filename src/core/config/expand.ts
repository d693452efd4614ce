import type { Findings } from './findings.ts';
import { generatorParameters, generatorRounds } from './generate.ts';
import {
  ALL_CHECKS,
  changedChecks,
  INCLUDES,
  type IncludeChecks,
  NO_CHECKS,
  type Reader,
  readIncluded,
} from './include.ts';
import { isQuoted, nesting, stripComment, type Uncommented } from './lex.ts';
import { type Line, type Passage, type Piece, type SourceFile, type Span, substitute } from './source.ts';
import { unfilledTemplate } from './template.ts';
import { type Environment, type Replaced, Variables } from './variables.ts';

const DEPTH_LIMIT = 32;
const LINES_LIMIT = 1_000_000;
const FILES_LIMIT = 10_000;
/** Lines of variables and generators, each with what it gave: also those that give no text have an end. */
const PASSAGES_LIMIT = 2_000_000;
/** keepalived's MAXBUF: it drops the beginning of a longer line. */
const KEEPALIVED_LINE = 1023;

export interface ExpandOptions {
  readonly reader: Reader;
  readonly environment: Environment;
  /** `-e`: every include must succeed. */
  readonly allIncludes: boolean;
  /** Read definitions that end within a block as if the `\` that is missing stood there. */
  readonly isMending?: boolean;
}

/** A file that the configuration begins with. */
export interface MainFile {
  readonly name: string;
  readonly text: string;
}

/** What is left for the parser. */
export interface Expanded {
  /** Every line keeps the file, number and columns where it was written. */
  readonly lines: Line[];
  /** Whether a definition ends within a block, and text follows at once: a `\` may be missing. */
  readonly isCutShort: boolean;
}

/**
 * The lines that are left for the parser, in order: comments, `@id` conditions, `$VARIABLES`, `~` generators
 * and includes are done. Several files are one text.
 */
export function expand(files: readonly MainFile[], options: ExpandOptions, findings: Findings): Expanded {
  const expansion = new Expansion(options, findings);
  for (const { name, text } of files) expansion.file({ name }, text, 0);
  return { lines: expansion.lines, isCutShort: expansion.isCutShort };
}

/** A line of a file on its way through the expansion. */
interface Raw {
  readonly file: SourceFile;
  readonly number: number;
  readonly written: string;
  readonly depth: number;
}

/** A variable's definition that goes on in the next line. */
interface Pending {
  readonly name: string;
  readonly lines: string[];
  readonly wanted: boolean;
}

const NO_PIECES: readonly Piece[] = [];
const BYTE_ORDER_MARK = '\ufeff';
const DEFINITION = /^[ \t]*\$([A-Za-z_]\w*)=[ \t]*(.*)$/;
/** After a brace begins a line of its own: one with more than text. */
const BEGINS_ANEW = /[{}][ \t]*(?=@|~|\$\w+=|include[a-z]?[ \t])/;

class Expansion {
  readonly lines: Line[] = [];
  isCutShort = false;
  readonly #options: ExpandOptions;
  readonly #findings: Findings;
  readonly #variables: Variables;
  /** What `include_check` asks of a plain `include`, in the file that is read. */
  #checks: IncludeChecks = NO_CHECKS;
  #files = 0;
  #passages = 0;
  /** How deep values of several lines and generators are within each other. */
  #depth = 0;
  #isUnfilled = false;
  #full = false;

  constructor(options: ExpandOptions, findings: Findings) {
    this.#options = options;
    this.#findings = findings;
    this.#variables = new Variables(options.environment);
  }

  file(file: SourceFile, text: string, depth: number): void {
    const outer = this.#checks;
    let pending: Pending | undefined;
    let number = 0;
    for (const ended of text.split('\n')) {
      number++;
      const written = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
      const raw: Raw = { file, number, written, depth };
      if ((written.length > KEEPALIVED_LINE || written.includes('\0')) && !this.#readable(raw)) continue;
      const content = stripComment(number === 1 ? this.#unmarked(raw) : written);
      if (content.escaped !== undefined) this.#escaped(raw, content.escaped);
      if (content.continues) this.#continues(raw, content, pending);
      if (pending === undefined) pending = this.#fromFile(raw, content);
      else pending = this.#continued(raw, pending, content);
      if (this.#full) break;
    }
    if (pending !== undefined) this.#define(pending);
    this.#checks = outer;
  }

  /** Complains of a line that keepalived would not read; whether it can be used. */
  #readable(raw: Raw): boolean {
    const span = spanOf(raw);
    if (raw.written.includes('\0')) {
      this.#findings.error({ ...span, end: 1 }, 'this line holds a NUL byte: is this a text file?');
      return false;
    }
    if (raw.written.length > KEEPALIVED_LINE) {
      const message = `this line is longer than ${KEEPALIVED_LINE} characters: keepalived cannot read it`;
      this.#findings.warning({ ...span, start: KEEPALIVED_LINE }, message);
    }
    return true;
  }

  /** A file's first line without the mark that editors of other systems write before it. */
  #unmarked(raw: Raw): string {
    const { written } = raw;
    if (!written.startsWith(BYTE_ORDER_MARK)) return written;
    const message = 'a byte order mark begins the file: it has no effect';
    const hint = 'keepalived reads it as part of the first word: save the file as UTF-8 without a BOM';
    this.#findings.warning({ ...spanOf(raw), end: 1 }, message, { hint });
    return ` ${written.slice(1)}`;
  }

  #escaped(raw: Raw, at: number): void {
    const sign = raw.written.slice(at, at + 2);
    const hint = 'put the word in double quotes: "a#b"';
    const span = { ...spanOf(raw), start: at, end: at + 2 };
    this.#findings.warning(span, `${sign} begins a comment, as in keepalived's processes`, { hint });
  }

  /** A `\` at the end of a line: what keepalived does with it depends on what it follows. */
  #continues(raw: Raw, { text, isCommented }: Uncommented, pending: Pending | undefined): void {
    const span = { ...spanOf(raw), start: raw.written.trimEnd().length - 1 };
    if (pending === undefined && !DEFINITION.test(conditionless(text))) {
      if (isCommented) return;
      const hint = 'only the definition of a variable goes on in the next line';
      this.#findings.warning(span, 'this \\ continues nothing: it has no effect', { hint });
    } else if (isCommented) {
      const hint = 'keepalived 2.4 does not see it, and ends the definition here: put the comment elsewhere';
      this.#findings.warning(span, 'a comment stands before this \\', { hint });
    }
  }

  /** A line of a file outside a definition; returns the definition that it begins, when that goes on. */
  #fromFile(raw: Raw, content: Uncommented): Pending | undefined {
    const { text } = content;
    const definition = text.includes('$') && DEFINITION.exec(conditionless(text));
    if (!definition) {
      this.#line(raw, this.#filled(raw, text));
      return undefined;
    }
    const wanted = this.#condition(raw, text) !== undefined;
    const pending: Pending = { name: definition[1] ?? '', lines: [], wanted };
    return this.#continued(raw, pending, { ...content, text: definition[2] ?? '' });
  }

  #continued(raw: Raw, pending: Pending, { text, continues }: Uncommented): Pending | undefined {
    if (text.trim() !== '') pending.lines.push(text.trim());
    if (continues) return pending;
    if (pending.lines.reduce((depth, line) => depth + nesting(line), 0) > 0) {
      this.isCutShort = true;
      if (this.#options.isMending && text.trim() !== '') {
        const message = `the definition of $${pending.name} ends within a block`;
        const hint =
          "is a '\\' missing at the end of this line? Each line but the last of a definition has one";
        this.#findings.error({ ...spanOf(raw), start: raw.written.trimEnd().length - 1 }, message, { hint });
        return pending;
      }
    }
    this.#define(pending);
    return undefined;
  }

  #define({ name, lines, wanted }: Pending): void {
    if (wanted) this.#variables.define(name, lines.length === 0 ? [''] : lines);
  }

  /** The text without what a program should have filled in: that is said once, not what follows from it. */
  #filled(raw: Raw, text: string): Passage & { readonly isFaulty?: boolean } {
    const unfilled = unfilledTemplate(text);
    if (unfilled === undefined) return { text, pieces: NO_PIECES };
    if (!this.#isUnfilled) {
      const hint = 'run the program that fills it in, and use what that writes';
      const span = { ...spanOf(raw), start: unfilled.start, end: unfilled.end };
      this.#findings.error(span, 'this looks like an unfilled template', { hint });
    }
    this.#isUnfilled = true;
    return { text: unfilled.rest, pieces: NO_PIECES, isFaulty: true };
  }

  /** `@ID` and `@^ID`: the line with the prefix blanked, or nothing when it is for others. */
  #condition(raw: Raw, content: string): string | undefined {
    const match = content.includes('@') && CONDITION.exec(content);
    if (!match) return content;
    const [prefix = '', , negated, id, blank] = match;
    if (blank === '') {
      this.#findings.warning(spanOf(raw), 'nothing follows the condition: the line is dropped', {
        hint: 'a condition is @ID, a blank, and the text',
      });
      return undefined;
    }
    const wanted = (id === this.#options.environment.configId) !== (negated === '^');
    return wanted ? ' '.repeat(prefix.length) + content.slice(prefix.length) : undefined;
  }

  /**
   * A line, wherever it is from. What a variable stands for is read as a line again: it may be a condition, a
   * definition, a generator or a comment. The further lines of a value follow when the first is done.
   */
  #line(raw: Raw, line: Passage & { readonly isFaulty?: boolean }): void {
    if (this.#full || line.text.trim() === '') return;
    if (++this.#passages > PASSAGES_LIMIT || this.#depth > DEPTH_LIMIT) {
      this.#overflow(raw, 'this variable refers to itself, or nests too deeply');
      return;
    }
    this.#depth++;
    const further: { readonly text: string; readonly pieces: readonly Piece[] }[] = [];
    for (let now: Passage | undefined = line; now !== undefined; ) {
      const text = this.#condition(raw, now.text);
      const kept: Passage | undefined = text === undefined ? undefined : { ...now, text };
      now = kept && this.#step(raw, kept, further, line.isFaulty);
    }
    for (const { text, pieces } of further) this.#line(raw, { text, pieces });
    this.#depth--;
  }

  /** One look at a line: the line that it became, when it has to be looked at again. */
  #step(raw: Raw, line: Passage, further: Passage[], isFaulty = false): Passage | undefined {
    const { text } = line;
    const definition = text.includes('$') && DEFINITION.exec(text);
    if (definition) {
      this.#variables.define(definition[1] ?? '', [definition[2] ?? '']);
      return undefined;
    }
    if (text.trimStart().startsWith('~')) {
      this.#generate(raw, line);
      return undefined;
    }
    const replaced = text.includes('$') ? this.#replaced(raw, line) : line;
    if (replaced === undefined) return undefined;
    if (replaced === line) {
      this.#emit(raw, line, isFaulty);
      return undefined;
    }
    const { reference } = replaced as Replaced;
    const more = (replaced as Replaced).further.map((value) => ({
      text: value,
      pieces: reference === undefined ? NO_PIECES : [{ ...reference, start: 0, end: value.length }],
    }));
    further.unshift(...more);
    return { text: stripComment(replaced.text, 'variable').text, pieces: replaced.pieces };
  }

  /** The line itself when there is nothing to replace; nothing when that has no end. */
  #replaced(raw: Raw, line: Passage): Passage | undefined {
    try {
      return this.#variables.replace(line, raw.file.name) ?? line;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#findings.error(spanOf(raw), error.message);
      return undefined;
    }
  }

  /** The text after a generator, once for each of its rounds; its variables keep their last values. */
  #generate(raw: Raw, { text, pieces }: Passage): void {
    const found = generatorParameters(text);
    if (found === undefined) return;
    if ('fault' in found) {
      this.#findings.error(spanOf(raw), found.fault);
      return;
    }
    const parameters = { text: text.slice(found.start, found.end), pieces: NO_PIECES };
    const given = found.kind === 'LST' ? parameters : this.#replaced(raw, parameters);
    const rounds = generatorRounds(found.kind, given?.text ?? '');
    if ('fault' in rounds) {
      const { line } = spanOf(raw);
      const span = { line: { ...line, text, pieces }, start: text.indexOf('~'), end: found.end + 1 };
      this.#findings.error(span, rounds.fault);
      return;
    }
    const repeated = ' '.repeat(found.end + 1) + text.slice(found.end + 1);
    for (const round of rounds) {
      for (const [name, value] of round) this.#variables.define(name, [value]);
      this.#line(raw, { text: repeated, pieces });
    }
  }

  /** Text that is complete. What begins a line after a brace is looked at by itself. */
  #emit(raw: Raw, line: Passage, isFaulty: boolean): void {
    const { text, pieces } = line;
    const anew = BEGINS_ANEW.exec(text);
    if (anew === null || isQuoted(text, anew.index)) {
      this.#add(raw, line, isFaulty);
      return;
    }
    const end = anew.index + anew[0].length;
    this.#add(raw, { text: text.slice(0, end), pieces }, isFaulty);
    this.#line(raw, { text: ' '.repeat(end) + text.slice(end), pieces });
  }

  #add(raw: Raw, { text, pieces }: Passage, isFaulty: boolean): void {
    if (text.trim() === '') return;
    const { file, number, written } = raw;
    const line: Line = { file, number, written, text, pieces, ...(isFaulty && { isFaulty }) };
    const first = !text.includes('include')
      ? null
      : /^[ \t]*(include[a-z]?|include_check)[ \t]+(.*)$/.exec(text);
    const seed = /^[ \t]*random_seed[ \t]+(\d{1,10})\b/.exec(text.includes('random_seed') ? text : '');
    if (seed !== null) this.#variables.seed(Number(seed[1]));
    const checks = first === null ? undefined : INCLUDES.get(first[1] ?? '');
    if (first?.[1] === 'include_check')
      this.#checks = changedChecks(this.#checks, (first[2] ?? '').split(/\s+/));
    if (checks !== undefined) {
      this.#include(raw, line, first?.[2] ?? '', first?.[1] === 'include' ? this.#checks : checks);
    } else if (this.lines.length >= LINES_LIMIT) {
      this.#overflow(raw, `the configuration has more than ${LINES_LIMIT} lines`);
    } else {
      this.lines.push(text.includes('$') ? this.#leftovers(line) : line);
    }
  }

  #overflow(raw: Raw, why: string): void {
    this.#full = true;
    this.#findings.error(spanOf(raw), why);
  }

  /**
   * Complains of what looks like a variable and is none. keepalived leaves it as text. The braces of a `${NAME}`
   * would then open a block and start a cascade of brace errors, so that is an error here, and the line goes on
   * without the braces.
   */
  #leftovers(line: Line): Line {
    let { text, pieces, isFaulty = false } = line;
    for (const { kind, name, braced, start, end } of this.#variables.leftovers(text).reverse()) {
      const here = { line: { ...line, isFaulty: false }, start, end };
      const hint = `define it ${braced ? 'above ' : ''}with $${name}=VALUE`;
      const isWrong = kind === 'several' || braced;
      if (kind === 'glued')
        this.#findings.warning(here, `$${name} is not replaced within a word`, { hint: `write \${${name}}` });
      else if (kind === 'several')
        this.#findings.error(here, `$${name} has several lines: it must stand last on its line`);
      else if (braced) this.#findings.error(here, `$${name} is not defined`, { hint });
      else this.#findings.warning(here, `$${name} is not defined: it stays as text`, { hint });
      if (!isWrong) continue;
      isFaulty = true;
      ({ text, pieces } = substitute({ text, pieces }, start, end, name));
    }
    return { ...line, text, pieces, ...(isFaulty && { isFaulty }) };
  }

  #include(raw: Raw, line: Line, pattern: string, checks: IncludeChecks): void {
    const start = line.text.length - pattern.length;
    const span = { line, start, end: line.text.length };
    if (raw.depth >= DEPTH_LIMIT) {
      this.#findings.error(span, `includes nest more than ${DEPTH_LIMIT} deep`);
      return;
    }
    const wanted = this.#options.allIncludes ? ALL_CHECKS : checks;
    const from = { file: raw.file, line: raw.number };
    const { reader } = this.#options;
    for (const { path, text } of readIncluded(pattern, wanted, raw.file.name, reader, span, this.#findings)) {
      if (++this.#files > FILES_LIMIT) {
        this.#full = true;
        this.#findings.error(span, `more than ${FILES_LIMIT} files are included`);
        return;
      }
      if (isWithin(raw.file, path)) this.#findings.error(span, `${path} includes itself`);
      else this.file({ name: path, includedFrom: from }, text, raw.depth + 1);
    }
  }
}

const CONDITION = /^([ \t]*)@(\^?)([^ \t]*)([ \t]?)/;
const conditionless = (text: string): string => text.replace(CONDITION, '');

/** The whole written line. */
function spanOf({ file, number, written }: Raw): Span {
  return { line: { file, number, written, text: written, pieces: [] }, start: 0, end: written.length };
}

/** Whether `path` is the file, or one of those that led to it. */
function isWithin(file: SourceFile, path: string): boolean {
  for (let at: SourceFile | undefined = file; at !== undefined; at = at.includedFrom?.file) {
    if (at.name === path) return true;
  }
  return false;
}
