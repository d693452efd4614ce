import { fromHex, toHex } from '../bytes.ts';

/**
 * Plain data as JSON text, and back. Beside what JSON has: Map, Set, Uint8Array, bigint, NaN and the infinities. What
 * is one object in several places is one again when it is read, for machines may ask whether two are the same: objects
 * count in the order in which they are written, and one that comes again is only its number. Values that are
 * `undefined` are left out of objects.
 */

/** Makes something else of a value before it is written; gives it back to leave it as it is. */
export type Change = (value: unknown) => unknown;

/** So deep a text may be cut into pieces; what lies deeper is written in one go. */
const CUT_DEPTH = 6;
/** A piece has at least so many characters. */
const PIECE = 1 << 12;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

export const plainText = (value: unknown, change?: Change): string =>
  [...plainPieces(value, change)].join('');

/** The text in pieces: whoever is in a hurry does other things between them. */
export function* plainPieces(value: unknown, change: Change = (same) => same): Generator<string> {
  const writer = new Writer(change);
  yield* writer.pieces(value, 0);
  yield writer.rest();
}

/** An object as it is written: what comes before, between and behind its parts. */
interface Form {
  readonly open: string;
  readonly close: string;
  readonly parts: readonly (readonly [key: string, value: unknown])[];
}

class Writer {
  readonly #change: Change;
  /** A changed object is one in all its places, too. */
  readonly #changed = new Map<object, unknown>();
  readonly #numbers = new Map<object, number>();
  #text = '';

  constructor(change: Change) {
    this.#change = change;
  }

  /** Writes a value, and gives what is long enough by then. */
  *pieces(raw: unknown, depth: number): Generator<string> {
    const form = this.#begin(raw);
    if (form === undefined) return;
    for (const [i, [key, part]] of form.parts.entries()) {
      this.#text += i === 0 ? key : `,${key}`;
      if (depth < CUT_DEPTH) yield* this.pieces(part, depth + 1);
      else this.#whole(part);
      if (this.#text.length >= PIECE) yield this.rest();
    }
    this.#text += form.close;
  }

  /** What was written since. */
  rest(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  #whole(raw: unknown): void {
    const form = this.#begin(raw);
    if (form === undefined) return;
    for (const [i, [key, part]] of form.parts.entries()) {
      this.#text += i === 0 ? key : `,${key}`;
      this.#whole(part);
    }
    this.#text += form.close;
  }

  /** Writes what has no parts; of what has some, the beginning. */
  #begin(raw: unknown): Form | undefined {
    const value = this.#final(raw);
    if (!isObject(value)) {
      this.#text += scalarText(value);
      return undefined;
    }
    const known = this.#numbers.get(value);
    if (known !== undefined) {
      this.#text += `{"$ref":${known}}`;
      return undefined;
    }
    this.#numbers.set(value, this.#numbers.size);
    const form = formOf(value);
    this.#text += form.open;
    return form;
  }

  #final(raw: unknown): unknown {
    if (!isObject(raw)) return this.#change(raw);
    if (!this.#changed.has(raw)) this.#changed.set(raw, this.#change(raw));
    return this.#changed.get(raw);
  }
}

function scalarText(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : `{"$number":"${value}"}`;
    case 'bigint':
      return `{"$bigint":"${value}"}`;
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    default:
      return value === null ? 'null' : '{"$undefined":true}';
  }
}

function formOf(value: object): Form {
  const list = (values: Iterable<unknown>): Form['parts'] =>
    Array.from(values, (each) => ['', each] as const);
  if (Array.isArray(value)) return { open: '[', close: ']', parts: list(value) };
  if (value instanceof Uint8Array) return { open: `{"$bytes":"${toHex(value)}"`, close: '}', parts: [] };
  if (value instanceof Set) return { open: '{"$set":[', close: ']}', parts: list(value) };
  if (value instanceof Map) return { open: '{"$map":[', close: ']}', parts: list([...value].flat()) };
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return {
    open: '{',
    close: '}',
    parts: entries.map(([key, each]) => [`${JSON.stringify(key)}:`, each] as const),
  };
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Throws SyntaxError when it is not what `plainText` wrote. */
export function plainValue(text: string): unknown {
  const known: object[] = [];
  return decode(JSON.parse(text) as Json, known);
}

/** `known`: the objects so far, in the order in which they were written. */
function decode(json: Json, known: object[]): unknown {
  if (!isObject(json)) return json;
  const numbered = <O extends object>(made: O): O => {
    known.push(made);
    return made;
  };
  if (Array.isArray(json)) {
    const list: unknown[] = numbered([]);
    for (const each of json) list.push(decode(each, known));
    return list;
  }
  const entries = Object.entries(json as { readonly [key: string]: Json });
  const [key, inner] = entries.length === 1 ? (entries[0] as [string, Json]) : ['', null];
  switch (key) {
    case '$ref':
      if (known[Number(inner)] === undefined) throw new SyntaxError(`there is no object ${inner}`);
      return known[Number(inner)];
    case '$bytes':
      return numbered(fromHex(String(inner)));
    case '$bigint':
      return BigInt(String(inner));
    case '$number':
      return Number(inner);
    case '$undefined':
      return undefined;
    case '$map': {
      const map = numbered(new Map<unknown, unknown>());
      const flat = inner as readonly Json[];
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const name = decode(flat[i] ?? null, known);
        map.set(name, decode(flat[i + 1] ?? null, known));
      }
      return map;
    }
    case '$set': {
      const set = numbered(new Set<unknown>());
      for (const each of inner as readonly Json[]) set.add(decode(each, known));
      return set;
    }
    default: {
      const object: Record<string, unknown> = numbered({});
      for (const [name, each] of entries) property(object, name, decode(each, known));
      return object;
    }
  }
}

/** One of its own, also where a file says `__proto__`. */
const property = (object: object, name: string, value: unknown): void =>
  void Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });

/** The same data in objects of their own; what was one in several places is one again. */
export function copyOf(value: unknown, made = new Map<object, unknown>()): unknown {
  if (!isObject(value)) return value;
  const known = made.get(value);
  if (known !== undefined) return known;
  const noted = <O extends object>(copy: O): O => {
    made.set(value, copy);
    return copy;
  };
  if (value instanceof Uint8Array) return noted(value.slice());
  if (Array.isArray(value)) {
    const list: unknown[] = noted([]);
    for (const each of value) list.push(copyOf(each, made));
    return list;
  }
  if (value instanceof Map) {
    const map = noted(new Map<unknown, unknown>());
    for (const [key, each] of value) map.set(copyOf(key, made), copyOf(each, made));
    return map;
  }
  if (value instanceof Set) {
    const set = noted(new Set<unknown>());
    for (const each of value) set.add(copyOf(each, made));
    return set;
  }
  const object: Record<string, unknown> = noted({});
  for (const [name, each] of Object.entries(value)) property(object, name, copyOf(each, made));
  return object;
}

/** Whether two pieces of plain data say the same; a value that is `undefined` is as good as absent. */
export function saysTheSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map || a instanceof Set || Array.isArray(a) || a instanceof Uint8Array) {
    const [one, other] = [Array.from(a as Iterable<unknown>), Array.from(b as Iterable<unknown>)];
    return one.length === other.length && one.every((each, i) => saysTheSame(each, other[i]));
  }
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) =>
    saysTheSame(one[key], other[key]),
  );
}
