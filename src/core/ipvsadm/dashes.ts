/** Dashes of typography, which handbooks and word processors print for those of options. */
const TYPOGRAPHIC = /^[\u2010-\u2015\u2212]/;

/** What to say of the first word with such a dash; undefined where none has one. */
export function dashHint(words: readonly string[]): string | undefined {
  const word = words.find((each) => TYPOGRAPHIC.test(each));
  return word && `${word} begins with a dash of typography: type -, or -- before a long option`;
}
