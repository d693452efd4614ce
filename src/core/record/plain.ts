import { fromHex, toHex } from '../bytes.ts';

/**
 * Plain data as JSON text, and back. Beside what JSON has: Map, Set, Uint8Array, bigint, NaN and the infinities. What
 * is one object in several places is one again when it is read, for machines may ask whether two are the same.
 * Values that are `undefined` are left out of objects. No cycles.
 */

/** Makes something else of a value before it is written; gives it back to leave it as it is. */
export type Change = (value: unknown) => unknown;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface Text {
  /** Objects that come more than once. */
  readonly shared?: readonly Json[];
  readonly value: Json;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What an object holds, one step down. */
function partsOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Uint8Array) return [];
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  return value instanceof Set ? [...value] : Object.values(value);
}

export function plainText(value: unknown, change: Change = (same) => same): string {
  const changed = new Map<object, unknown>();
  const again = new Map<unknown, number>();
  const seen = new Set<unknown>();
  /** A changed object is one in all its places, too. */
  const finalOf = (raw: unknown): unknown => {
    if (!isObject(raw)) return change(raw);
    if (!changed.has(raw)) changed.set(raw, change(raw));
    return changed.get(raw);
  };
  const count = (raw: unknown): void => {
    const final = finalOf(raw);
    if (!isObject(final)) return;
    if (seen.has(final)) {
      if (!again.has(final)) again.set(final, again.size);
      return;
    }
    seen.add(final);
    for (const part of partsOf(final)) count(part);
  };
  count(value);
  const within = (final: unknown): Json => encode(final, (part) => whole(finalOf(part)));
  const whole = (final: unknown): Json => {
    const at = again.get(final);
    return at === undefined ? within(final) : { $ref: at };
  };
  const text: Text = {
    ...(again.size > 0 && { shared: Array.from(again.keys(), within) }),
    value: whole(finalOf(value)),
  };
  return JSON.stringify(text);
}

function encode(value: unknown, part: (value: unknown) => Json): Json {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) };
    case 'bigint':
      return { $bigint: String(value) };
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      break;
    default:
      return { $undefined: true };
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(part);
  if (value instanceof Uint8Array) return { $bytes: toHex(value) };
  if (value instanceof Map) return { $map: Array.from(value, (pair) => pair.map(part)) };
  if (value instanceof Set) return { $set: Array.from(value, part) };
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.map(([key, each]) => [key, part(each)]));
}

/** Throws SyntaxError when it is not what `plainText` wrote. */
export function plainValue(text: string): unknown {
  const { shared = [], value } = JSON.parse(text) as Text;
  const known = new Map<number, unknown>();
  const sharedAt = (at: number): unknown => {
    if (!known.has(at)) known.set(at, decode(shared[at] ?? null, sharedAt));
    return known.get(at);
  };
  return decode(value, sharedAt);
}

function decode(json: Json, sharedAt: (at: number) => unknown): unknown {
  const part = (inner: Json): unknown => decode(inner, sharedAt);
  if (!isObject(json)) return json;
  if (Array.isArray(json)) return json.map(part);
  const entries = Object.entries(json as { readonly [key: string]: Json });
  const [key, inner] = entries.length === 1 ? (entries[0] as [string, Json]) : ['', null];
  switch (key) {
    case '$ref':
      return sharedAt(Number(inner));
    case '$bytes':
      return fromHex(String(inner));
    case '$bigint':
      return BigInt(String(inner));
    case '$number':
      return Number(inner);
    case '$undefined':
      return undefined;
    case '$map':
      return new Map((inner as Json[][]).map((pair) => pair.map(part) as [unknown, unknown]));
    case '$set':
      return new Set((inner as Json[]).map(part));
    default:
      return Object.fromEntries(entries.map(([name, each]) => [name, part(each)]));
  }
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
