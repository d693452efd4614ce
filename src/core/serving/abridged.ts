/**
 * A list for a process that was told the last one: what is in both is told by its place in that. A reload of thousands
 * of virtual servers mostly changes one. The reader of the configuration gives what has not changed as the same object.
 */
export type Abridged<T> = readonly (T | number)[];

/** `before`: what the process was told last; empty for one that has just begun. */
export function abridge<T extends object>(list: readonly T[], before: readonly T[]): Abridged<T> {
  const places = new Map(before.map((one, place) => [one, place]));
  return list.map((one) => places.get(one) ?? one);
}

/** The whole list, with the same objects as in `before`. Throws RangeError for a place that is not in it. */
export function whole<T extends object>(list: Abridged<T>, before: readonly T[]): readonly T[] {
  return list.map((one) => {
    const found = typeof one === 'number' ? before[one] : one;
    if (found === undefined) throw new RangeError(`no ${one} in what was told before`);
    return found;
  });
}
