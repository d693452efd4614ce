/** More repetitions than this are a mistake. */
const REPEAT_LIMIT = 100_000;

/** The variables of one repetition, by name. */
export type Round = ReadonlyMap<string, string>;

/** Why a generator was not understood. */
export interface GeneratorFault {
  readonly fault: string;
}

/** Where the parameters of the generator at the start of `text` stand; `undefined` when it is none. */
export function generatorParameters(
  text: string,
): { kind: string; start: number; end: number } | GeneratorFault | undefined {
  const head = /^[ \t]*~(\w*)[ \t]*\(?/.exec(text);
  if (head === null) return undefined;
  const kind = head[1] ?? '';
  if (!['SEQ', 'SEQx', 'LST'].includes(kind))
    return { fault: `~${kind} is no generator: there are ~SEQ, ~SEQx, ~LST` };
  const end = text.indexOf(')');
  if (!head[0].endsWith('(') || end < 0) return { fault: `~${kind} needs its parameters in parentheses` };
  return { kind, start: head[0].length, end };
}

/**
 * `~SEQ(var, [start, [step,]] end)`, `~SEQx` (the same in hexadecimal) and `~LST(var, v1, v2 ...)` or
 * `~LST({a,b}, {1,2}, {3,4})`: the variables of every repetition.
 */
export function generatorRounds(kind: string, parameters: string): readonly Round[] | GeneratorFault {
  const parts = splitParameters(parameters);
  return kind === 'LST' ? listRounds(parts) : sequenceRounds(parts, kind === 'SEQx' ? 16 : 10);
}

/** Splits at commas outside braces. */
function splitParameters(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const c of text) {
    if (c === '{') depth++;
    if (c === '}') depth--;
    if (c === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else {
      part += c;
    }
  }
  parts.push(part.trim());
  return parts;
}

/** C's base 0: decimal, 0x hexadecimal, leading-0 octal. */
function parseNumber(text: string): number | undefined {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]{1,8})|0([0-7]{1,10})|(\d{1,10}))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, octal, decimal] = match;
  const size =
    hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? decimal ?? '', octal ? 8 : 10);
  return sign === '-' ? -size : size;
}

function sequenceRounds(parts: readonly string[], base: number): readonly Round[] | GeneratorFault {
  const [name = '', ...rest] = parts;
  const numbers = rest.map(parseNumber);
  if (!/^[A-Za-z_]\w*$/.test(name)) return { fault: `${name || 'nothing'} is no variable name` };
  if (rest.length < 1 || rest.length > 3 || numbers.includes(undefined)) {
    return { fault: '~SEQ takes (var, [start, [step,]] end) with whole numbers' };
  }
  const end = numbers.at(-1) ?? 0;
  const start = numbers.length > 1 ? (numbers[0] ?? 1) : end < 0 ? -1 : 1;
  const step = numbers.length > 2 ? (numbers[1] ?? 1) : end < start ? -1 : 1;
  if (step === 0 || Math.sign(end - start) === -Math.sign(step))
    return { fault: `the step ${step} never reaches ${end}` };
  if (base === 16 && Math.min(start, end) < 0) return { fault: '~SEQx counts from 0 upward only' };
  if ((end - start) / step > REPEAT_LIMIT) return { fault: `more than ${REPEAT_LIMIT} repetitions` };
  const rounds: Round[] = [];
  for (let n = start; step > 0 ? n <= end : n >= end; n += step)
    rounds.push(new Map([[name, n.toString(base)]]));
  return rounds;
}

function listRounds(parts: readonly string[]): readonly Round[] | GeneratorFault {
  const [head = '', ...values] = parts;
  const names = tuple(head) ?? [head];
  if (!names.every((name) => /^[A-Za-z_]\w*$/.test(name)))
    return { fault: `${head || 'nothing'} is no variable name` };
  if (values.length === 0) return { fault: '~LST needs at least one value' };
  const rounds: Round[] = [];
  for (const value of values) {
    const items = (names.length > 1 || tuple(head) ? tuple(value) : undefined) ?? [value];
    if (items.some((item) => /[ \t{}()]/.test(item)))
      return { fault: `the value '${value}' has blanks or brackets: ~LST takes words` };
    if (items.length > names.length) return { fault: `${value} has more values than there are variables` };
    rounds.push(new Map(names.map((name, i) => [name, items[i] ?? ''])));
  }
  return rounds;
}

/** `{a,b}` as a list; `undefined` for text without braces around it. */
function tuple(text: string): string[] | undefined {
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  return text
    .slice(1, -1)
    .split(',')
    .map((item) => item.trim());
}
