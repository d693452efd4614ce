/** What the machines of this folder say of the changes that they ask for. */

export interface ChangeResult {
  readonly id: number;
  /** 0, or the positive errno. */
  readonly errno: number;
  /** The kernel's own words, if any. */
  readonly text?: string;
}

/** A change failed, or waits: `what` was tried, `errno` and `text` say why. A lasting one is told once. */
export interface ProblemEffect {
  readonly type: 'problem';
  /** Absent when it is nobody's any more. */
  readonly owner?: string;
  readonly what: string;
  readonly errno: number;
  readonly text?: string;
}

/** What changes are about, as far as their problems go. */
interface Subject {
  /** The last problem that was told. */
  problem?: string;
}

/** The effect that tells of a problem; `undefined` when it is the one that was told last. */
export function problemOf(
  subject: Subject,
  what: string,
  owner: string | undefined,
  { errno, text }: Omit<ChangeResult, 'id'>,
): ProblemEffect | undefined {
  const problem = `${what} ${errno}`;
  if (subject.problem === problem) return undefined;
  subject.problem = problem;
  return {
    type: 'problem',
    ...(owner !== undefined && { owner }),
    what,
    errno,
    ...(text !== undefined && { text }),
  };
}
