import type { BodyPattern } from './settings.ts';

/**
 * PCRE2's language as JavaScript's: what keepalived's `regex` may say, in the terms of the engine that we have. The
 * data are bytes, each a character. What has no counterpart is refused when the configuration is read.
 */

/** Options of PCRE2 that change nothing here: about speed, limits, or Unicode in patterns that have none. */
const WITHOUT_EFFECT = new Set([
  ...['auto_callout', 'never_backslash_c', 'never_ucp', 'never_utf', 'no_auto_capture', 'no_auto_possess'],
  ...['no_dotstar_anchor', 'no_start_optimize', 'use_offset_limit', 'dupnames', 'alt_verbnames'],
]);
const FLAGS: Readonly<Record<string, string>> = {
  caseless: 'i',
  dotall: 's',
  multiline: 'm',
  utf: 'u',
  ucp: 'u',
};

const POSIX: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: 'A-Fa-f0-9',
};
/** Escapes outside of brackets, and those that mean the same within. */
const ANCHORS: Readonly<Record<string, string>> = {
  A: '(?<![\\s\\S])',
  Z: '(?=\\n?(?![\\s\\S]))',
  z: '(?![\\s\\S])',
  R: '(?:\\r\\n|[\\n\\v\\f\\r\\x85])',
  N: '[^\\n]',
  X: '[\\s\\S]',
  h: '[ \\t\\xa0]',
  H: '[^ \\t\\xa0]',
  V: '[^\\n\\v\\f\\r\\x85]',
};
const CLASS_ESCAPES: Readonly<Record<string, string>> = { h: ' \\t\\xa0', a: '\\x07', e: '\\x1b' };
const NOT_HERE: readonly (readonly [RegExp, string])[] = [
  [/^\(\?>/, 'atomic groups'],
  [/^\(\?\|/, 'groups that share numbers'],
  [/^\(\?(R|\d|&|P>)/, 'recursion'],
  [/^\(\?\(/, 'conditions'],
  [/^\(\*/, 'verbs'],
  [/^\\[KGC]/, 'this escape'],
  [/^(?:[*+?]|\{\d+(?:,\d*)?\})\+/, 'possessive quantifiers'],
];

/** Why a pattern cannot be used, in words for the one who wrote it. */
export class PatternError extends Error {
  override name = 'PatternError';
}

/** Compiles a pattern to search with; it finds the first match from `lastIndex` on. Throws PatternError. */
export function compilePattern({ pattern, options }: Pick<BodyPattern, 'pattern' | 'options'>): RegExp {
  const set = new Set(options);
  const inline = /^\(\?([imsx]+)\)/.exec(pattern);
  const letters = inline?.[1] ?? '';
  const body = pattern.slice(inline?.[0].length ?? 0);
  const flags = new Set(['g']);
  for (const option of options) {
    const flag = FLAGS[option];
    if (flag !== undefined) flags.add(flag);
    else if (!WITHOUT_EFFECT.has(option) && !TRANSLATED.has(option))
      throw new PatternError(`this version does not have the option ${option}`);
  }
  for (const letter of letters) if (letter !== 'x') flags.add(letter);
  if (letters.includes('x')) set.add('extended');
  const source = new Translation(body, set).all();
  try {
    return new RegExp(
      set.has('firstline') ? `(?<=^[^\\n]*)(?:${source})` : source,
      Array.from(flags).join(''),
    );
  } catch (error) {
    throw new PatternError((error as Error).message.replace(/^Invalid regular expression: /, ''));
  }
}

/** What `Translation` sees to. */
const TRANSLATED = new Set([
  ...[
    'extended',
    'ungreedy',
    'dollar_endonly',
    'firstline',
    'allow_empty_class',
    'alt_bsux',
    'alt_circumflex',
  ],
  'match_unset_backref',
]);

/** One pattern on its way from the one language to the other. */
class Translation {
  #rest: string;
  readonly #options: ReadonlySet<string>;

  constructor(pattern: string, options: ReadonlySet<string>) {
    this.#rest = pattern;
    this.#options = options;
  }

  all(): string {
    let out = '';
    while (this.#rest !== '') out += this.#next();
    return out;
  }

  #next(): string {
    for (const [what, name] of NOT_HERE) {
      if (what.test(this.#rest))
        throw new PatternError(`this version does not have ${name} (${this.#rest.slice(0, 6)})`);
    }
    const literal = this.#eat(/^\\Q([\s\S]*?)(?:\\E|$)/);
    if (literal !== undefined) return (literal[1] ?? '').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    if (this.#options.has('extended') && this.#eat(/^(?:\s+|#[^\n]*\n?)/) !== undefined) return '';
    if (this.#eat(/^\(\?#[^)]*\)/) !== undefined) return '';
    const named = this.#eat(/^\(\?P?(?:<(\w+)>|'(\w+)')/);
    if (named !== undefined) return `(?<${named[1] ?? named[2]}>`;
    const back = this.#eat(/^(?:\(\?P=(\w+)\)|\\k[{'](\w+)[}']|\\g\{?(\d+)\}?)/);
    if (back !== undefined) return back[3] === undefined ? `\\k<${back[1] ?? back[2]}>` : `\\${back[3]}`;
    if (this.#rest.startsWith('[')) return this.#brackets();
    const quantifier = this.#eat(/^([*+?]|\{\d+(?:,\d*)?\})(\??)/);
    if (quantifier !== undefined) return this.#quantifier(quantifier[1] ?? '', quantifier[2] === '?');
    if (this.#rest.startsWith('$')) {
      this.#rest = this.#rest.slice(1);
      if (this.#options.has('multiline')) return '$';
      return this.#options.has('dollar_endonly') ? (ANCHORS.z ?? '') : (ANCHORS.Z ?? '');
    }
    const escaping = this.#eat(/^\\([\s\S])/);
    if (escaping !== undefined) return ANCHORS[escaping[1] ?? ''] ?? escaped(escaping[1] ?? '', escaping[0]);
    const [char = ''] = this.#rest;
    this.#rest = this.#rest.slice(char.length);
    return char === '{' || char === '}' || char === ']' ? `\\${char}` : char;
  }

  #quantifier(text: string, marked: boolean): string {
    const lazy = this.#options.has('ungreedy') ? !marked : marked;
    return `${text}${lazy ? '?' : ''}`;
  }

  /** A class; a `]` that comes first is a member. */
  #brackets(): string {
    let out = this.#eat(/^\[\^?/)?.[0] ?? '';
    if (this.#rest.startsWith(']') && !this.#options.has('allow_empty_class')) {
      out += '\\]';
      this.#rest = this.#rest.slice(1);
    }
    for (;;) {
      const posix = this.#eat(/^\[:(\^?)(\w+):\]/);
      if (posix !== undefined) {
        const members = POSIX[posix[2] ?? ''];
        if (members === undefined || posix[1] === '^')
          throw new PatternError(`this version does not have ${posix[0]}`);
        out += members;
        continue;
      }
      const escaping = this.#eat(/^\\([\s\S])/);
      if (escaping !== undefined) {
        out += CLASS_ESCAPES[escaping[1] ?? ''] ?? escaping[0];
        continue;
      }
      const [char] = this.#rest;
      if (char === undefined) throw new PatternError('a class [ is not closed');
      this.#rest = this.#rest.slice(char.length);
      out += char === '[' ? '\\[' : char;
      if (char === ']') return out;
    }
  }

  #eat(what: RegExp): RegExpExecArray | undefined {
    const match = what.exec(this.#rest) ?? undefined;
    if (match !== undefined) this.#rest = this.#rest.slice(match[0].length);
    return match;
  }
}

const escaped = (char: string, whole: string): string => CLASS_ESCAPES[char] ?? whole;
