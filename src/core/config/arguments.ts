import {
  type Family,
  familyBits,
  familyOf,
  type Ip,
  isMulticast,
  type Prefix,
  parseIp,
  parsePrefix,
} from '../ip.ts';
import { type Duration, micros, parseTime } from '../time.ts';
import { type Argument, type Range, unexpected, type Words } from './schema.ts';

/** The kinds of arguments that keyword tables are made of. */

/** An argument of one word, read by `parse`: `undefined` is "not that". */
function word<T>(
  syntax: string,
  expects: string,
  parse: (text: string) => T | undefined,
  choices?: readonly string[],
): Argument<T> {
  const argument: Argument<T> = {
    syntax,
    expects,
    ...(choices === undefined ? {} : { choices }),
    read(words) {
      const token = words.take();
      if (token === undefined) return words.fault(`needs ${syntax}: ${expects}`);
      return parse(token.text) ?? unexpected(words, token, argument);
    },
  };
  return argument;
}

/** A number of a form, in a range. */
function number(syntax: string, kind: string, form: RegExp, range: Range): Argument<number> {
  const [low, high] = range;
  const argument: Argument<number> = {
    syntax,
    expects: kind.replace('RANGE', `from ${low} to ${high}`),
    read(words) {
      const token = words.take();
      if (token === undefined) return words.fault(`needs ${syntax}: ${argument.expects}`);
      const value = Number(token.text);
      if (form.test(token.text) && value >= low && value <= high) return value;
      const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(token.text) && !(value >= low && value <= high);
      return isNumber ? words.beyond(token, argument, range) : unexpected(words, token, argument);
    },
  };
  return argument;
}

/** The same as a length of time. */
const duration = (seconds: Argument<number>): Argument<Duration> => ({
  ...seconds,
  read(words) {
    const value = seconds.read(words);
    return value === undefined ? undefined : micros(value * 1e6);
  },
});

/** A decimal whole number in `low..high`. */
export const integer = (syntax: string, low: number, high: number): Argument<number> =>
  number(syntax, 'a whole number RANGE', /^[+-]?\d{1,15}$/, [low, high]);

/** A decimal whole number in `low..high`, or one of some words. */
export const integerOr = <const W extends string>(
  syntax: string,
  low: number,
  high: number,
  wordsToo: readonly W[],
): Argument<number | W> =>
  word<number | W>(
    `${syntax}|${wordsToo.join('|')}`,
    `a whole number from ${low} to ${high}, or ${wordsToo.join(', ')}`,
    (text) => {
      const value = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= low && value <= high ? value : wordsToo.find((w) => w === text);
    },
    wordsToo,
  );

/** keepalived's TIMER: decimal seconds with up to six decimals, `low..high` seconds. */
export const timer = (low: number, high: number, syntax = 'SECS'): Argument<Duration> => {
  const form = /^\+?(\d{1,12}(\.\d{0,6})?|\.\d{1,6})$/;
  return duration(number(syntax, 'seconds RANGE, with up to 6 decimals', form, [low, high]));
};

/** Whole seconds. */
export const wholeSeconds = (low: number, high: number): Argument<Duration> =>
  duration(number('SECS', 'whole seconds RANGE', /^\+?\d{1,12}$/, [low, high]));

/** A length of time in units of its own, `shortest..longest` as `parseTime` reads them. */
export const lengthOfTime = (shortest: string, longest: string): Argument<Duration> =>
  word('TIME', `a time such as 90s, 45m, 1h30m or 2d, from ${shortest} to ${longest}`, (text) => {
    const value = parseTime(text);
    const [least = 0, most = 0] = [parseTime(shortest), parseTime(longest)];
    return value !== undefined && value >= least && value <= most ? value : undefined;
  });

const TRUE = ['true', 'on', 'yes'];
const FALSE = ['false', 'off', 'no'];

/** keepalived's BOOL: `true on yes` or `false off no`; nothing means true. */
export const bool: Argument<boolean> = {
  syntax: '[BOOL]',
  expects: 'true, on, yes, false, off or no',
  choices: [...TRUE, ...FALSE],
  read(words) {
    const token = words.take();
    if (token === undefined || TRUE.includes(token.text)) return true;
    return FALSE.includes(token.text) ? false : unexpected(words, token, bool);
  },
};

/** One of some words, as they are spelt. */
export const choice = <const W extends string>(...choices: readonly W[]): Argument<W> =>
  word<W>(choices.join('|'), oneOf(choices), (text) => choices.find((w) => w === text), choices);

/** One of some words in any case; gives the table's spelling. */
export const anyCase = <const W extends string>(...choices: readonly W[]): Argument<W> =>
  word<W>(
    choices.join('|'),
    oneOf(choices),
    (text) => choices.find((w) => w.toLowerCase() === text.toLowerCase()),
    choices,
  );

const oneOf = (choices: readonly string[]): string =>
  choices.length < 2 ? choices.join('') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;

/** Any one word of at most `longest` characters. */
export const text = (syntax: string, longest = 1023): Argument<string> =>
  word(syntax, `a word of 1 to ${longest} characters`, (t) =>
    t.length >= 1 && t.length <= longest ? t : undefined,
  );

/** A name that is a file's, in a folder that is known. */
export const fileName: Argument<string> = word('NAME', 'a name without /', (t) =>
  /^[^/\s]{1,255}$/.test(t) && t !== '.' && t !== '..' ? t : undefined,
);

/** A name as nftables takes it. */
export const identifier = (syntax: string): Argument<string> =>
  word(syntax, 'a letter, then at most 30 letters, digits, _ or -', (t) =>
    /^[a-z][a-z0-9_-]{0,30}$/i.test(t) ? t : undefined,
  );

/** One word of a form that `pattern` says. */
export const matching = (syntax: string, expects: string, pattern: RegExp): Argument<string> =>
  word(syntax, expects, (t) => (pattern.test(t) ? t : undefined));

/** A network interface's name, as the kernel allows it. */
export const interfaceName: Argument<string> = word(
  'IF',
  'an interface name of at most 15 characters, without / and :',
  (t) => (/^[^\s/:]{1,15}$/.test(t) && t !== '.' && t !== '..' ? t : undefined),
);

export const address: Argument<Ip> = word('ADDR', 'an IPv4 or IPv6 address', parseIp);
export const addressOf = (family: Family): Argument<Ip> =>
  word('ADDR', `an IPv${family} address`, (t) => {
    const parsed = parseIp(t);
    return parsed !== undefined && familyOf(parsed) === family ? parsed : undefined;
  });
export const multicast: Argument<Ip> = word('ADDR', 'a multicast address', (t) => {
  const parsed = parseIp(t);
  return parsed !== undefined && isMulticast(parsed) ? parsed : undefined;
});
export const prefix: Argument<Prefix> = word(
  'ADDR[/LEN]',
  'an address, with a prefix length or without',
  parsePrefix,
);
/** `30%`: a whole number of percent, 1 to 100; the sign may be left out. */
export const percent: Argument<number> = word('N%', 'a share from 1% to 100%', (text) => {
  const value = /^(\d{1,3})%?$/.exec(text)?.[1];
  return value !== undefined && Number(value) >= 1 && Number(value) <= 100 ? Number(value) : undefined;
});
export const port: Argument<number> = integer('PORT', 1, 65_535);

/** A prefix length, or an IPv4 netmask; gives the length with the family it fits, if only one. */
export const granularity: Argument<{ readonly length: number; readonly family?: Family }> = word(
  'MASK|LEN',
  'an IPv4 netmask such as 255.255.255.0, or an IPv6 prefix length from 1 to 128',
  (t) => {
    if (/^\d{1,3}$/.test(t)) return Number(t) >= 1 && Number(t) <= 128 ? { length: Number(t) } : undefined;
    const mask = parseIp(t);
    if (mask === undefined || familyOf(mask) === 6) return undefined;
    const bits = mask
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
    return /^1+0*$/.test(bits) ? { length: bits.lastIndexOf('1') + 1, family: 4 } : undefined;
  },
);

/** Present or not. */
export const optional = <T>(argument: Argument<T>): Argument<T | undefined> => ({
  ...argument,
  syntax: `[${argument.syntax}]`,
  read: (words) => (words.peek() === undefined ? undefined : argument.read(words)),
});

/** All the words that are left, at least `least`. */
export const rest = <T>(argument: Argument<T>, least = 0): Argument<readonly T[]> => ({
  ...argument,
  syntax: `${least === 0 ? `[${argument.syntax}]` : argument.syntax} ...`,
  read(words) {
    const values: T[] = [];
    while (words.peek() !== undefined || values.length < least) {
      const value = argument.read(words);
      if (value === undefined || words.failed) return undefined;
      values.push(value);
    }
    return values;
  },
});

/** The values of `options`: what was written. */
export type Options<T> = { readonly [K in keyof T]?: T[K] extends Argument<infer V> ? V : never };
type OptionTable = { readonly [name: string]: Argument<unknown> };

/** The option without a value: its presence is all. */
export const present: Argument<true> = { syntax: '', expects: 'nothing', read: () => true };

/**
 * Named options in any order, to the end of the line: `id N`, `port N`. A word that is none of them is an
 * error: keepalived refuses it too, where it has options. `bare` is the option whose name may be left out
 * when it comes first.
 */
export function options<const T extends OptionTable>(
  table: T,
  bare?: keyof T & string,
): Argument<Options<T>> {
  const names = Object.keys(table);
  return {
    syntax: names.map((name) => `[${`${name} ${table[name]?.syntax ?? ''}`.trim()}]`).join(' '),
    expects: oneOf(names),
    choices: names,
    read(words: Words) {
      const found: Record<string, unknown> = {};
      const first = words.peek();
      if (bare !== undefined && first !== undefined && !Object.hasOwn(table, first.text)) {
        found[bare] = table[bare]?.read(words);
      }
      for (let name = words.take(); name !== undefined; name = words.take()) {
        const argument = Object.hasOwn(table, name.text) ? table[name.text] : undefined;
        if (argument === undefined) return unexpected(words, name, { expects: oneOf(names), choices: names });
        if (Object.hasOwn(found, name.text)) return words.fault(`${name.text} is given twice`, name);
        found[name.text] = argument.read(words);
        if (words.failed) return undefined;
      }
      return found as Options<T>;
    },
  };
}

/** `[all] SECS`: a period of whole seconds, for some interfaces or for all. */
export const extraInterfaces = (
  low: number,
): Argument<{ readonly all: boolean; readonly period: Duration }> => {
  const period = wholeSeconds(low, 86_400);
  return {
    syntax: `[all] ${period.syntax}`,
    expects: period.expects,
    choices: ['all'],
    read(words) {
      const all = words.peek()?.text === 'all';
      if (all) words.take();
      const value = period.read(words);
      return value === undefined ? undefined : { all, period: value };
    },
  };
};

/** What may follow the forwarding method TUN; the kernel's plain IPIP is the only one that is set up yet. */
export const tunnelOptions = options({
  type: choice('ipip', 'gue', 'gre'),
  port,
  nocsum: present,
  csum: present,
  remcsum: present,
});

/** The prefix lengths that an address has: for messages and for defaults. */
export const fullLength = (ip: Ip): number => familyBits(familyOf(ip));

/** A script keyword's value: the command as one word, and who runs it. */
export interface ScriptSetting {
  readonly command: string;
  readonly user?: string;
  readonly group?: string;
}

/** SCRIPT alone; the command must be quoted to hold arguments. */
export const command: Argument<ScriptSetting> = {
  syntax: 'SCRIPT',
  expects: 'a command, in quotes when it has arguments',
  escapes: true,
  read(words) {
    const program = words.take();
    if (program === undefined || program.text === '') return words.fault('needs a command');
    const further = words.peek();
    while (words.take() !== undefined);
    if (further !== undefined) {
      const hint = `put the command in quotes if they are its arguments: "${program.text} ${further.text} ..."`;
      words.doubt('the words after the command have no effect, as in keepalived', further, hint);
    }
    return { command: program.text };
  },
};

/** SCRIPT [USER [[:]GROUP]]: the command must be quoted to hold arguments. */
export const script: Argument<ScriptSetting> = {
  syntax: 'SCRIPT [USER [[:]GROUP]]',
  expects: 'a command, in quotes when it has arguments',
  escapes: true,
  read(words) {
    const command = words.take();
    if (command === undefined || command.text === '') return words.fault('needs a command');
    const user = words.take()?.text;
    const group = user === undefined ? undefined : words.take()?.text.replace(/^:/, '');
    return {
      command: command.text,
      ...(user === undefined ? {} : { user }),
      ...(group === undefined ? {} : { group }),
    };
  },
};
