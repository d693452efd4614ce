interface Memory<Step> {
  readonly steps: readonly Step[];
  readonly asked: boolean;
}

/** What is to be done in turn, each when all that was asked before is answered. */
export class Steps<Step> {
  readonly #waits: () => boolean;
  readonly #take: (step: Step) => void;
  readonly #steps: Step[] = [];
  #asked = false;

  /** `waits`: whether an answer is outstanding that nobody asked for here. `take` does a step. */
  constructor(waits: () => boolean, take: (step: Step) => void) {
    this.#waits = waits;
    this.#take = take;
  }

  memory(): Memory<Step> {
    return { steps: [...this.#steps], asked: this.#asked };
  }

  recall({ steps, asked }: Memory<Step>): void {
    this.#steps.push(...steps);
    this.#asked = asked;
  }

  /** After those that there are. */
  add(...steps: readonly Step[]): void {
    this.#steps.push(...steps);
  }

  /** Before those that there are. */
  first(step: Step): void {
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
    while (this.#steps.length > 0 && !this.#asked && !this.#waits()) {
      const [step] = this.#steps.splice(0, 1);
      if (step !== undefined) this.#take(step);
    }
  }
}
