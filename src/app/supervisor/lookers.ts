/** How long a status waits for a process that is asked. */
const LOOK_MS = 2000;

/** Those who ask for the status, and wait for what a process knows at this moment: it does not tell it all the time. */
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
