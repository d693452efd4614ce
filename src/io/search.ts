import { createContext, Script } from 'node:vm';
import type { Search } from '../core/check/http.ts';

/** A pattern that backtracks without end would hold up all other checks: longer it may not take. */
const LIMIT_MS = 250;

const place: { pattern: RegExp; text: string } = { pattern: /(?:)/g, text: '' };
const context = createContext(place);
const script = new Script('pattern.exec(text)?.index');

/** Looks for a pattern from its `lastIndex` on, for a limited time. */
export const search: Search = (pattern, text) => {
  place.pattern = pattern;
  place.text = text;
  try {
    return script.runInContext(context, { timeout: LIMIT_MS }) as number | undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'too long';
    throw error;
  } finally {
    place.text = '';
  }
};
