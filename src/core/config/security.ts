import type { ProgramFacts } from './facts.ts';

/**
 * The file, or the folder on the way to it, by which others could have root run what they like; `undefined` when
 * there is none, or when it is not root who runs it.
 */
export function insecurity(found: ProgramFacts, uid: number): string | undefined {
  return found.kind === 'found' && uid === 0 ? found.writable : undefined;
}
