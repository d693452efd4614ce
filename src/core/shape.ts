/**
 * What data from outside must look like: from another process, or from an operator. A type is only a promise of who
 * sends it; a shape is looked at.
 */

/** What is wrong with a value, as `path: what is wanted`; `undefined` when nothing is. Never throws. */
export type Shape = (value: unknown) => string | undefined;

const wanted =
  (what: string, holds: (value: unknown) => boolean): Shape =>
  (value) =>
    holds(value) ? undefined : `: ${what} is wanted`;

export const anything: Shape = () => undefined;
export const text = wanted('a text', (value) => typeof value === 'string');
/** Of JSON, so neither infinite nor NaN. */
export const number = wanted('a number', (value) => typeof value === 'number' && Number.isFinite(value));
export const truth = wanted('true or false', (value) => typeof value === 'boolean');
export const record = wanted('an object', isRecord);

/** Not an array: those are objects too. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const oneOf = (...values: readonly string[]): Shape =>
  wanted(values.join(' or '), (value) => values.includes(value as string));

export const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null ? undefined : shape(value);

export const either =
  (one: Shape, other: Shape): Shape =>
  (value) => {
    const wrong = one(value);
    return wrong === undefined || other(value) === undefined ? undefined : wrong;
  };

export const listOf =
  (each: Shape): Shape =>
  (value) => {
    if (!Array.isArray(value)) return ': a list is wanted';
    for (const [index, item] of value.entries()) {
      const wrong = each(item);
      if (wrong !== undefined) return `[${index}]${wrong}`;
    }
    return undefined;
  };

/** An object with these fields; `optional` ones may be absent. Others are not looked at. */
export function fields(
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape {
  const all = [
    ...Object.entries(required).map(([name, shape]) => ({ name, shape, mayLack: false })),
    ...Object.entries(optional).map(([name, shape]) => ({ name, shape, mayLack: true })),
  ];
  return (value) => {
    if (!isRecord(value)) return record(value);
    for (const { name, shape, mayLack } of all) {
      const found = Object.hasOwn(value, name) ? value[name] : undefined;
      if (found === undefined && mayLack) continue;
      const wrong = shape(found);
      if (wrong !== undefined) return `.${name}${wrong}`;
    }
    return undefined;
  };
}

/** One of several objects, told apart by the text in the field `by`: the shape of each text. */
export const kinds =
  (by: string, shapes: Readonly<Record<string, Shape>>): Shape =>
  (value) => {
    if (!isRecord(value)) return record(value);
    const kind = Object.hasOwn(value, by) ? value[by] : undefined;
    if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) {
      return `.${by}: ${Object.keys(shapes).join(' or ')} is wanted`;
    }
    return shapes[kind]?.(value);
  };
