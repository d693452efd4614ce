import type { Spelling } from './options.ts';

/** What the next step through a command line found. */
export type Step =
  | { readonly kind: 'option'; readonly key: string; readonly argument: string | undefined }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly text: string };

const UNKNOWN = 'unknown option';
const MISSING = 'missing argument';
const UNWANTED = 'option does not take an argument';

/** The spellings by their words. */
export interface Vocabulary {
  readonly byShort: ReadonlyMap<string, Spelling>;
  readonly byLong: ReadonlyMap<string, Spelling>;
}

export function vocabularyOf(spellings: readonly Spelling[]): Vocabulary {
  return {
    byShort: new Map(spellings.flatMap((each) => (each.short === undefined ? [] : [[each.short, each]]))),
    byLong: new Map(spellings.map((each) => [each.long, each])),
  };
}

/**
 * Walks a command line as the popt library does, because scripts rely on its ways: `-At 1.2.3.4:80`,
 * `-t=1.2.3.4:80`, `--tcp-service=1.2.3.4:80`, an optional argument that is taken unless it begins with a dash,
 * a required one that is taken whatever it looks like, words between options kept in `operands`, and `--`.
 */
export class OptionWalk {
  readonly operands: string[] = [];
  readonly #words: readonly string[];
  readonly #vocabulary: Vocabulary;
  #next = 0;
  /** What is left of a group of short options. */
  #group = '';
  #onlyOperands = false;

  constructor(words: readonly string[], vocabulary: Vocabulary) {
    this.#words = words;
    this.#vocabulary = vocabulary;
  }

  /** The word that was taken last: what an error quotes. */
  get last(): string {
    return this.#words[this.#next - 1] ?? '';
  }

  next(): Step {
    while (this.#group === '') {
      const word = this.#words[this.#next];
      if (word === undefined) return { kind: 'end' };
      this.#next++;
      if (this.#onlyOperands || !word.startsWith('-') || word === '-') this.operands.push(word);
      else if (word === '--') this.#onlyOperands = true;
      else if (word.startsWith('--')) return this.#long(word.slice(2));
      else this.#group = word.slice(1);
    }
    return this.#short();
  }

  #long(text: string): Step {
    const equals = text.indexOf('=');
    const spelling = this.#vocabulary.byLong.get(equals < 0 ? text : text.slice(0, equals));
    if (spelling === undefined) return this.#error(UNKNOWN);
    return this.#withArgument(spelling, equals < 0 ? undefined : text.slice(equals + 1));
  }

  #short(): Step {
    const spelling = this.#vocabulary.byShort.get(this.#group.charAt(0));
    const rest = this.#group.slice(1);
    this.#group = '';
    if (spelling === undefined) return this.#error(UNKNOWN);
    if (spelling.argument === 'none' && !rest.startsWith('=')) {
      this.#group = rest;
      return { kind: 'option', key: spelling.key, argument: undefined };
    }
    if (rest === '') return this.#withArgument(spelling, undefined);
    return this.#withArgument(spelling, rest.startsWith('=') ? rest.slice(1) : rest);
  }

  #withArgument(spelling: Spelling, attached: string | undefined): Step {
    const { key } = spelling;
    if (spelling.argument === 'none') {
      return attached === undefined ? { kind: 'option', key, argument: undefined } : this.#error(UNWANTED);
    }
    if (attached !== undefined) return { kind: 'option', key, argument: attached };
    const following = this.#words[this.#next];
    if (spelling.argument === 'optional' && (following === undefined || following.startsWith('-'))) {
      return { kind: 'option', key, argument: undefined };
    }
    if (following === undefined) return this.#error(MISSING);
    this.#next++;
    return { kind: 'option', key, argument: following };
  }

  #error(why: string): Step {
    return { kind: 'error', text: `${this.last}: ${why}` };
  }
}
