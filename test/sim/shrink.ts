/**
 * The fewest of these with which it still fails: first halves are left out, then quarters, and so on down to single
 * ones, again and again until none can be (delta debugging). `fails` is asked of lists in the same order; a list that
 * cannot fail at all is given back as it is.
 */
export function shrink<T>(list: readonly T[], fails: (list: readonly T[]) => boolean): readonly T[] {
  let kept = list;
  for (let size = Math.ceil(kept.length / 2); size >= 1; ) {
    let smaller = false;
    for (let from = 0; from < kept.length; ) {
      const without = kept.toSpliced(from, size);
      if (without.length < kept.length && fails(without)) {
        kept = without;
        smaller = true;
      } else from += size;
    }
    if (size === 1 && !smaller) return kept;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return kept;
}
