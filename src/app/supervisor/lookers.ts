/** How long a status waits for what the checks saw. */
const LOOK_MS = 2000;

/** Those who ask for the status, and wait for what the checks saw, which these do not tell all the time. */
export class Lookers {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when the next look has been answered, or after a while: a process that is busy is not waited for long. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, LOOK_MS);
      this.#waiting.push(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  answered(): void {
    for (const seen of this.#waiting.splice(0)) seen();
  }
}
