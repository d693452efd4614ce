import { root } from '../../core/config/grammar/root.ts';
import { keywordsOf } from '../../core/config/keywords.ts';
import { manual } from '../../core/config/manual.ts';
import { VERSION } from '../version.ts';

/** The date of the manual pages: that of the release. */
const MANUAL_DATE = '2026-11-28';

export interface KeywordsOptions {
  /** The manual page vipkeeper.conf(5) as roff. */
  readonly manual?: boolean;
  readonly json?: boolean;
}

/** `vipkeeper keywords [WORD]`: the language's keywords, or those whose name or block has the word in it. */
export function keywordsText(word: string | undefined, options: KeywordsOptions): string {
  if (options.manual) return manual(root, { version: VERSION, date: MANUAL_DATE });
  const found = keywordsOf(root).filter(
    ({ within, name }) => word === undefined || [...within, name].some((part) => part.includes(word)),
  );
  const rows = found.map(({ within, synopsis, name, status, why, doc }) => {
    return { block: within.join(' '), name, synopsis, status, ...(why === undefined ? {} : { why }), doc };
  });
  if (options.json) return `${JSON.stringify(rows, null, 2)}\n`;
  const lines = rows.map(({ block, synopsis, status, why, doc }) => {
    const place = block === '' ? '' : `${block}: `;
    return `${place}${synopsis}\n    ${doc}\n    ${status}${why === undefined ? '' : `: ${why}`}`;
  });
  return `${lines.join('\n')}\n`;
}

/** The names of all keywords, each once. */
export const keywordNames = (): string[] => [...new Set(keywordsOf(root).map(({ name }) => name))].sort();
