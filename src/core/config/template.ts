import { isQuoted } from './lex.ts';

/** Outside quotes: what programs that fill in templates (Jinja, Helm, ERB) leave behind when they were not run. */
const UNFILLED = /\{\{[^{}"]*\}\}|\{%[^"]*?%\}|<%[^"]*?%>/g;

/**
 * Where a line holds an unfilled template, and the line without it: a word instead of a value, blanks instead of a
 * statement of the template. Within quotes it is text for others: `docker inspect -f '{{.State}}'`.
 */
export function unfilledTemplate(text: string): { start: number; end: number; rest: string } | undefined {
  if (!/\{[{%]|<%/.test(text)) return undefined;
  let first: { start: number; end: number } | undefined;
  const rest = text.replace(UNFILLED, (found, start: number) => {
    if (isQuoted(text, start)) return found;
    first ??= { start, end: start + found.length };
    return (found.startsWith('{{') ? '_' : ' ').repeat(found.length);
  });
  return first && { ...first, rest };
}
