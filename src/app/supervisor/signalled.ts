import { answerTo, type LifePhase, type SignalName } from '../../core/supervision/signals.ts';
import { onSignal } from '../../io/signals.ts';

/** Does what signals ask, when the life of the daemon allows it: at once, as soon as it runs, or not at all. */
export class Signalled {
  readonly #dropped: (name: SignalName) => void;
  #phase: LifePhase = 'starting';
  readonly #kept = new Map<SignalName, () => void>();

  /** `dropped` hears of those that nothing is done for. */
  constructor(dropped: (name: SignalName) => void) {
    this.#dropped = dropped;
  }

  get phase(): LifePhase {
    return this.#phase;
  }

  on(name: SignalName, act: () => void): void {
    onSignal(name, () => {
      const answer = answerTo(name, this.#phase);
      if (answer === 'act') act();
      else if (answer === 'keep') this.#kept.set(name, act);
      else this.#dropped(name);
    });
  }

  /** From now on; what was asked during the start is done. */
  running(): void {
    if (this.#phase !== 'starting') return;
    this.#phase = 'running';
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    for (const act of kept) act();
  }

  stopping(): void {
    this.#phase = 'stopping';
    this.#kept.clear();
  }
}
