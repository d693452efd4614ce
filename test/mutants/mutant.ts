/** A deliberate breakage of one place of the source, which the tests must notice. */
export interface Mutant {
  readonly name: string;
  /** Below src/core. */
  readonly file: string;
  /** The text of that file, which is there exactly once, and what is in its place. */
  readonly before: string;
  readonly after: string;
  /** Unit tests that may find it, below test/core. */
  readonly unit: readonly string[];
  /** Which simulator plays it; `must`: it has to find it even where a unit test does. */
  readonly simulator?: { readonly of: 'routers' | 'clusters'; readonly must?: true };
}

/** How many places of `text` are what a mutant changes. */
export const countOf = ({ before }: Mutant, text: string): number => text.split(before).length - 1;
