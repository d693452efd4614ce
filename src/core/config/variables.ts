import { Prng } from '../prng.ts';
import type { Findings } from './findings.ts';
import { directoryOf } from './include.ts';
import type { Piece, Span } from './source.ts';

/** Values nested deeper than this refer to themselves. */
const DEPTH_LIMIT = 32;
/** An expanded line is never longer than this: doubling definitions would fill the memory. */
export const EXPANDED_LIMIT = 65_536;
const LONGEST_NAME = 128;
/** Lines of values that one line may use, nested ones included. */
const LINES_LIMIT = 20_000;
const RANDOM_MAX = 32_767;

/** What the outside supplies to the predefined variables. */
export interface Environment {
  /** `-i ID`, or the node's name up to its first dot: `${_INSTANCE}` and `@ID` lines. */
  readonly configId: string;
  /** An environment variable, for `${_ENV NAME}`. */
  variable(name: string): string | undefined;
  /** Seed of `${_RANDOM}`. */
  readonly seed: number;
}

/** Text after replacement and the stretches of it that stand for references. */
export interface Expanded {
  readonly text: string;
  readonly pieces: readonly Piece[];
}

/** Variables that a line generator steps, by name. */
export type Locals = ReadonlyMap<string, string>;

/** A reference in a text: `$NAME` or `${NAME arguments}`. */
interface Reference {
  readonly name: string;
  readonly words: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly braced: boolean;
}

// Sticky: tried at each `$`. A bare `$NAME` counts only before a blank, `,`, `)` or the end of the line.
const REFERENCE = /\$(?:\{([A-Za-z_]\w*)((?:[ \t]+[^{}]*)?)\}|([A-Za-z_]\w*)(?=[ \t,)]|$))/y;

function referenceAt(text: string, at: number): Reference | undefined {
  REFERENCE.lastIndex = at;
  const match = REFERENCE.exec(text);
  if (match === null) return undefined;
  const words = (match[2] ?? '').split(/[ \t]+/).filter((word) => word !== '');
  const braced = match[1] !== undefined;
  return { name: match[1] ?? match[3] ?? '', words, start: at, end: REFERENCE.lastIndex, braced };
}

/** The `$VARIABLES` of one load. A value is one line or several; it is expanded when used. */
export class Variables {
  readonly #values = new Map<string, readonly string[]>();
  readonly #environment: Environment;
  #random: Prng;
  readonly #findings: Findings;
  #linesLeft = 0;
  #exhausted = false;

  constructor(environment: Environment, findings: Findings) {
    this.#environment = environment;
    this.#random = new Prng(environment.seed);
    this.#findings = findings;
  }

  /** `random_seed`: what is drawn from here on. */
  seed(seed: number): void {
    this.#random = new Prng(seed);
  }

  define(name: string, lines: readonly string[]): void {
    this.#values.set(name, lines);
  }

  /**
   * The line or lines that `text` stands for. A value of several lines must stand last on its line, as in
   * keepalived. `span` makes the place of a reference for messages.
   */
  replace(
    text: string,
    file: string,
    locals: Locals,
    span: (start: number, end: number) => Span,
  ): Expanded[] {
    this.#linesLeft = LINES_LIMIT;
    this.#exhausted = false;
    return this.#replace(text, file, locals, span, 0);
  }

  #replace(
    text: string,
    file: string,
    locals: Locals,
    span: (start: number, end: number) => Span,
    depth: number,
  ): Expanded[] {
    let out = '';
    let copied = 0;
    let quoted = false;
    const pieces: Piece[] = [];
    const further: Expanded[] = [];
    for (let i = 0; i < text.length; i++) {
      const c = text.charAt(i);
      if (c === '"') quoted = !quoted;
      if (c !== '$') continue;
      const reference = referenceAt(text, i);
      if (reference === undefined) {
        if (!quoted) this.#almost(text, i, locals, span);
        continue;
      }
      const here = span(reference.start, reference.end);
      const value = this.#value(reference, file, locals, quoted) ?? this.#undefined(reference, quoted, here);
      if (value === undefined) continue;
      const lines = this.#nested(value, file, locals, here, depth);
      if (lines.length > 1 && text.slice(reference.end).trim() !== '') {
        this.#findings.error(here, `$${reference.name} has several lines: it must stand last on its line`);
      }
      out += text.slice(copied, i);
      const written = { writtenStart: reference.start, writtenEnd: reference.end };
      pieces.push({ start: out.length, end: out.length + (lines[0] ?? '').length, ...written });
      out += lines[0] ?? '';
      for (const line of lines.slice(1)) {
        further.push({ text: line, pieces: [{ start: 0, end: line.length, ...written }] });
      }
      copied = reference.end;
      i = reference.end - 1;
    }
    out += text.slice(copied);
    if (out.length > EXPANDED_LIMIT) {
      this.#findings.error(
        span(0, text.length),
        `this line expands to more than ${EXPANDED_LIMIT} characters`,
      );
      out = '';
    }
    return [{ text: out, pieces }, ...further];
  }

  /** `$NAME` glued to other text is no reference, but when the name is defined it was meant as one. */
  #almost(text: string, at: number, locals: Locals, span: (start: number, end: number) => Span): void {
    const name = /^\$([A-Za-z_]\w*)/.exec(text.slice(at, at + LONGEST_NAME))?.[1];
    if (name === undefined || !(locals.has(name) || this.#values.has(name))) return;
    const hint = `write \${${name}}`;
    this.#findings.warning(span(at, at + 1 + name.length), `$${name} is not replaced within a word`, {
      hint,
    });
  }

  #nested(value: readonly string[], file: string, locals: Locals, here: Span, depth: number): string[] {
    this.#linesLeft -= value.length;
    if (depth >= DEPTH_LIMIT || this.#linesLeft < 0) {
      if (!this.#exhausted) this.#findings.error(here, 'this variable refers to itself, or nests too deeply');
      this.#exhausted = true;
      this.#linesLeft = 0;
      return [''];
    }
    return value.flatMap((line) => {
      if (!line.includes('$')) return [line];
      return this.#replace(line, file, locals, () => here, depth + 1).map((expanded) => expanded.text);
    });
  }

  #value(reference: Reference, file: string, locals: Locals, quoted: boolean): readonly string[] | undefined {
    const local = locals.get(reference.name);
    if (local !== undefined) return [local];
    return this.#values.get(reference.name) ?? this.#predefined(reference, file, quoted);
  }

  #predefined(reference: Reference, file: string, quoted: boolean): readonly string[] | undefined {
    const guard = quoted ? '' : '\\';
    switch (reference.name) {
      case '_PWD':
        return [directoryOf(file).replace(/(.)\/$/, '$1') || '.'];
      case '_INSTANCE':
        return [this.#environment.configId];
      case '_ENV':
        return [this.#environment.variable(reference.words[0] ?? '') ?? ''];
      case '_HASH':
        return [`${guard}#`];
      case '_BANG':
        return [`${guard}!`];
      case '_RANDOM':
        return [String(this.#draw(reference.words))];
      default:
        return undefined;
    }
  }

  /** `${_RANDOM}`, `${_RANDOM MAX}`, `${_RANDOM MIN MAX}`; reversed bounds give MIN. */
  #draw(words: readonly string[]): number {
    const numbers = words.map((word) => (/^\d{1,9}$/.test(word) ? Number(word) : 0));
    const low = numbers.length > 1 ? (numbers[0] ?? 0) : 0;
    const high = numbers.at(-1) ?? RANDOM_MAX;
    return high < low ? low : this.#random.between(low, high);
  }

  /**
   * keepalived leaves an unknown name as text. Outside quotes the braces of `${NAME}` would then open a block
   * and start a cascade of brace errors, so that is an error here and the text goes on without braces.
   */
  #undefined(reference: Reference, quoted: boolean, here: Span): readonly string[] | undefined {
    if (quoted) return undefined;
    const what = `$${reference.name} is not defined`;
    if (!reference.braced) {
      this.#findings.warning(here, `${what}: it stays as text`, {
        hint: `define it with $${reference.name}=VALUE`,
      });
      return undefined;
    }
    this.#findings.error(here, what, { hint: `define it above with $${reference.name}=VALUE` });
    return [reference.name];
  }
}
