/** What is to be done in turn, each when all that was asked before is answered. */
export class Steps {
  readonly #waits: () => boolean;
  readonly #steps: (() => void)[] = [];
  #asked = false;

  /** `waits`: whether an answer is outstanding that nobody asked for here. */
  constructor(waits: () => boolean) {
    this.#waits = waits;
  }

  /** After those that there are. */
  add(...steps: readonly (() => void)[]): void {
    this.#steps.push(...steps);
  }

  /** Before those that there are. */
  first(step: () => void): void {
    this.#steps.unshift(step);
  }

  /** The next step waits for `answered`. */
  ask(): void {
    this.#asked = true;
  }

  answered(): void {
    this.#asked = false;
    this.proceed();
  }

  proceed(): void {
    // Asked last: hundreds may be waited for.
    while (this.#steps.length > 0 && !this.#asked && !this.#waits()) this.#steps.shift()?.();
  }
}
