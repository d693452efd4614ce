/** Words longer than this are no misspelling of a keyword. */
const LONGEST = 64;

/**
 * The number of single-character edits (insert, delete, replace, swap of neighbours) between two words, or
 * `limit + 1` as soon as it is known to be above `limit`.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit || a.length > LONGEST) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;

/**
 * The candidate that `word` was most likely meant to be, compared without regard to case and to `-` or `_`;
 * `undefined` when none is near (one edit for short words, about a third of the letters for long ones).
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = fold(word);
  let best: string | undefined;
  let bound = Math.max(1, Math.min(4, Math.floor(plain.length / 3)));
  for (const candidate of candidates) {
    const distance = editDistance(plain, fold(candidate), bound);
    if (distance > bound || (distance === bound && best !== undefined)) continue;
    best = candidate;
    bound = distance;
    if (distance === 0) break;
  }
  return best;
}

const fold = (word: string): string => word.toLowerCase().replaceAll('-', '_');
