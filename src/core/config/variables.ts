import { Prng } from '../prng.ts';
import { directoryOf } from './include.ts';
import { type Passage, substitute } from './source.ts';

/** An expanded line is never longer than this: doubling definitions would fill the memory. */
export const EXPANDED_LIMIT = 65_536;
/** A line that replaces more is one of variables that refer to themselves. */
const REPLACED_LIMIT = 10_000;
const LONGEST_NAME = 128;
const RANDOM_MAX = 32_767;

/** What the outside supplies to the predefined variables. */
export interface Environment {
  /** `-i ID`, or the node's name up to its first dot: `${_INSTANCE}` and `@ID` lines. */
  readonly configId: string;
  /** The working folder, absolute: that of a file whose name has none. */
  readonly folder?: string;
  /** An environment variable, for `${_ENV NAME}`. */
  variable(name: string): string | undefined;
  /** Seed of `${_RANDOM}`. */
  readonly seed: number;
}

/** A line after its variables were replaced. */
export interface Replaced extends Passage {
  /** The further lines of a value of several lines that stood last. */
  readonly further: readonly string[];
  /** Where the reference of that value was written; absent without one. */
  readonly reference?: { readonly writtenStart: number; readonly writtenEnd: number };
}

/** A reference in a text: `$NAME` or `${NAME arguments}`. */
export interface Reference {
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

/** What stays behind as text although it looks like a variable. */
export interface Leftover {
  /** Several lines can stand only last on a line; `glued`: `$NAME` within a word is none. */
  readonly kind: 'undefined' | 'several' | 'glued';
  readonly name: string;
  readonly braced: boolean;
  readonly start: number;
  readonly end: number;
}

/** The `$VARIABLES` of one load. A value is one line or several; it is expanded when used. */
export class Variables {
  readonly #values = new Map<string, readonly string[]>();
  readonly #environment: Environment;
  #random: Prng;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#random = new Prng(environment.seed);
  }

  /** `random_seed`: what is drawn from here on. */
  seed(seed: number): void {
    this.#random = new Prng(seed);
  }

  define(name: string, lines: readonly string[]): void {
    this.#values.set(name, lines);
  }

  /**
   * The line with its variables replaced, and the variables in their values: what was put in is looked through again.
   * A value of several lines must stand last; then its first line is put in, and the others follow. What begins with
   * a generator ends it: the rest is for the generator. `undefined` when there was nothing to replace.
   *
   * @throws {RangeError} with the reason when it has no end.
   */
  replace(line: Passage, file: string): Replaced | undefined {
    let now = line;
    let further: readonly string[] = [];
    let reference: Replaced['reference'];
    let replaced = 0;
    for (let at = now.text.indexOf('$'); at >= 0; at = now.text.indexOf('$', at)) {
      const found = referenceAt(now.text, at);
      const value = found && this.#value(found, file);
      if (found === undefined || value === undefined || (value.length > 1 && found.end < now.text.length)) {
        at++;
        continue;
      }
      if (++replaced > REPLACED_LIMIT)
        throw new RangeError('this variable refers to itself, or nests too deeply');
      const [first = '', ...others] = value;
      now = substitute(now, found.start, found.end, first);
      if (now.text.length > EXPANDED_LIMIT)
        throw new RangeError(`this line expands to more than ${EXPANDED_LIMIT} characters`);
      if (others.length > 0) {
        further = [...others, ...further];
        reference = now.pieces.findLast((piece) => piece.start <= found.start);
      }
      if (first.startsWith('~')) break;
    }
    if (replaced === 0) return undefined;
    return { ...now, further, ...(reference && { reference }) };
  }

  /** What looks like a variable in a line whose variables have been replaced, outside quotes. */
  leftovers(text: string): Leftover[] {
    const found: Leftover[] = [];
    let quoted = false;
    for (let i = 0; i < text.length; i++) {
      const c = text.charAt(i);
      if (c === '"') quoted = !quoted;
      if (c !== '$' || quoted) continue;
      const reference = referenceAt(text, i);
      const name = reference?.name ?? /^\$([A-Za-z_]\w*)/.exec(text.slice(i, i + LONGEST_NAME))?.[1];
      if (name === undefined) continue;
      const isKnown = this.#values.has(name);
      if (reference === undefined) {
        if (isKnown) found.push({ kind: 'glued', name, braced: false, start: i, end: i + 1 + name.length });
      } else {
        found.push({ ...reference, kind: isKnown ? 'several' : 'undefined' });
        i = reference.end - 1;
      }
    }
    return found;
  }

  #value(reference: Reference, file: string): readonly string[] | undefined {
    const given = this.#values.get(reference.name);
    if (given !== undefined) return reference.words.length === 0 ? given : undefined;
    const predefined = this.#predefined(reference, file);
    return predefined === undefined ? undefined : [predefined];
  }

  #predefined({ name, words }: Reference, file: string): string | undefined {
    switch (name) {
      case '_PWD':
        return this.#folderOf(file);
      case '_INSTANCE':
        return this.#environment.configId;
      case '_ENV':
        return this.#environment.variable(words[0] ?? '') ?? '';
      case '_HASH':
        return '#';
      case '_BANG':
        return '!';
      case '_RANDOM':
        return String(this.#draw(words));
      default:
        return undefined;
    }
  }

  /** The folder of the file that is read, absolute: `include ${_PWD}/x` is no name within that folder. */
  #folderOf(file: string): string {
    const folder = directoryOf(file).replace(/(.)\/$/, '$1');
    const { folder: working } = this.#environment;
    if (folder.startsWith('/') || working === undefined) return folder || '.';
    return folder === '' ? working : `${working === '/' ? '' : working}/${folder}`;
  }

  /** `${_RANDOM}`, `${_RANDOM MAX}`, `${_RANDOM MIN MAX}`; reversed bounds give MIN. */
  #draw(words: readonly string[]): number {
    const numbers = words.map((word) => (/^\d{1,9}$/.test(word) ? Number(word) : 0));
    const low = numbers.length > 1 ? (numbers[0] ?? 0) : 0;
    const high = numbers.at(-1) ?? RANDOM_MAX;
    return high < low ? low : this.#random.between(low, high);
  }
}
