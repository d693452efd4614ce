import { DIRECTOR } from './director.ts';
import { ELECTION } from './election.ts';
import { KERNEL } from './kernel.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [...DIRECTOR, ...ELECTION, ...KERNEL];
