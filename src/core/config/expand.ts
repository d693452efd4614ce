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
import { stripComment } from './lex.ts';
import type { Line, Piece, SourceFile, Span } from './source.ts';
import { type Environment, type Locals, Variables } from './variables.ts';

const DEPTH_LIMIT = 32;
const LINES_LIMIT = 1_000_000;
const FILES_LIMIT = 10_000;
/** keepalived's MAXBUF: it drops the beginning of a longer line. */
const KEEPALIVED_LINE = 1023;

export interface ExpandOptions {
  readonly reader: Reader;
  readonly environment: Environment;
  /** `-e`: every include must succeed. */
  readonly allIncludes: boolean;
}

/**
 * The lines that are left for the parser, in order: comments, `@id` conditions, `$VARIABLES`, `~` generators
 * and includes are done. Every line keeps the file, number and columns where it was written.
 */
export function expand(file: string, text: string, options: ExpandOptions, findings: Findings): Line[] {
  const expansion = new Expansion(options, findings);
  expansion.file({ name: file }, text, 0);
  return expansion.lines;
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

const NO_LOCALS: Locals = new Map();
const NO_PIECES: readonly Piece[] = [];

class Expansion {
  readonly lines: Line[] = [];
  readonly #options: ExpandOptions;
  readonly #findings: Findings;
  readonly #variables: Variables;
  /** What `include_check` asks of a plain `include`, in the file that is read. */
  #checks: IncludeChecks = NO_CHECKS;
  #files = 0;
  #full = false;

  constructor(options: ExpandOptions, findings: Findings) {
    this.#options = options;
    this.#findings = findings;
    this.#variables = new Variables(options.environment, findings);
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
      const content = stripComment(written).trimEnd();
      pending = pending === undefined ? this.#line(raw, content) : this.#continued(pending, content);
      if (this.#full) break;
    }
    if (pending?.wanted) this.#variables.define(pending.name, pending.lines);
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

  /** One line outside a definition; returns the definition that it begins, when that goes on. */
  #line(raw: Raw, content: string): Pending | undefined {
    const kept = this.#condition(raw, content);
    const definition = kept.text.includes('$') && /^[ \t]*\$([A-Za-z_]\w*)=(.*)$/.exec(kept.text);
    if (!definition) {
      if (kept.wanted) this.#text(raw, kept.text, NO_LOCALS);
      return undefined;
    }
    const pending: Pending = { name: definition[1] ?? '', lines: [], wanted: kept.wanted };
    return this.#continued(pending, definition[2] ?? '');
  }

  #continued(pending: Pending, content: string): Pending | undefined {
    const more = content.endsWith('\\');
    pending.lines.push((more ? content.slice(0, -1) : content).trim());
    if (more) return pending;
    if (pending.wanted) this.#variables.define(pending.name, pending.lines);
    return undefined;
  }

  /** `@ID` and `@^ID`: whether the line is wanted, and the line with the prefix blanked. */
  #condition(raw: Raw, content: string): { wanted: boolean; text: string } {
    if (!content.includes('@')) return { wanted: true, text: content };
    const match = /^([ \t]*)@(\^?)([^ \t]*)([ \t]?)/.exec(content);
    if (match === null) return { wanted: true, text: content };
    const [prefix = '', , negated, id, blank] = match;
    if (blank === '') {
      this.#findings.warning(spanOf(raw), 'nothing follows the condition: the line is dropped', {
        hint: 'a condition is @ID, a blank, and the text',
      });
    }
    const wanted = (id === this.#options.environment.configId) !== (negated === '^');
    return { wanted, text: ' '.repeat(prefix.length) + content.slice(prefix.length) };
  }

  /** A line of text: generators first, then variables, then includes. */
  #text(raw: Raw, text: string, locals: Locals): void {
    if (this.#full) return;
    if (text.trimStart().startsWith('~')) {
      this.#generate(raw, text, locals);
      return;
    }
    if (!text.includes('$')) {
      this.#emit(raw, text);
      return;
    }
    const span = (start: number, end: number): Span => ({ line: spanOf(raw).line, start, end });
    for (const { text: replaced, pieces } of this.#variables.replace(text, raw.file.name, locals, span)) {
      if (pieces.length === 0) this.#emit(raw, replaced);
      else this.#emit(raw, stripComment(replaced).trimEnd(), pieces);
    }
  }

  #generate(raw: Raw, text: string, locals: Locals): void {
    const found = generatorParameters(text);
    if (found === undefined) return;
    if ('fault' in found) {
      this.#findings.error(spanOf(raw), found.fault);
      return;
    }
    const span = (): Span => spanOf(raw);
    const parameters = text.slice(found.start, found.end);
    const expanded = this.#variables.replace(parameters, raw.file.name, locals, span);
    const rounds = generatorRounds(found.kind, expanded[0]?.text ?? '');
    if ('fault' in rounds) {
      this.#findings.error({ ...spanOf(raw), start: text.indexOf('~'), end: found.end + 1 }, rounds.fault);
      return;
    }
    const repeated = ' '.repeat(found.end + 1) + text.slice(found.end + 1);
    for (const round of rounds) this.#text(raw, repeated, new Map([...locals, ...round]));
  }

  #emit(raw: Raw, text: string, pieces = NO_PIECES): void {
    if (text === '' || text.trim() === '') return;
    const { file, number, written } = raw;
    const line: Line = { file, number, written, text, pieces };
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
      this.#full = true;
      this.#findings.error(spanOf(raw), `the configuration has more than ${LINES_LIMIT} lines`);
    } else {
      this.lines.push(line);
    }
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
