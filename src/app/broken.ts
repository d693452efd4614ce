const EXIT_CRASHED = 70;
/** For what was said last to reach the supervisor. */
const LAST_WORDS_MS = 100;

/** What a child process does when an exception was caught by nobody: a defect, or a kernel that does the unexpected. */
export interface LastWill {
  /** First: what must not wait until it is gone. */
  rescue?(): void;
  /** Says what is known. */
  explain(error: Error): void;
}

/** Then it ends, and the supervisor starts another one. What fails on the way keeps nothing else from being done. */
export function onBreaking({ rescue, explain }: LastWill): void {
  let broken = false;
  process.on('uncaughtException', (error) => {
    // What follows from the first says nothing more.
    if (broken) return;
    broken = true;
    for (const work of [() => rescue?.(), () => explain(error)]) {
      try {
        work();
      } catch {
        // It is broken.
      }
    }
    setTimeout(() => process.exit(EXIT_CRASHED), LAST_WORDS_MS);
  });
}
