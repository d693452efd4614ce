import type { Standing, VrrpEffect } from './events.ts';

/** A virtual router's side of its sync group: it tells how it stands, at each change. */
export class Membership {
  readonly #emit: (effect: VrrpEffect) => void;
  /** Why it would be master, were the group ready. */
  candidate: string | undefined;
  #told = '';

  constructor(emit: (effect: VrrpEffect) => void) {
    this.#emit = emit;
  }

  memory() {
    return { candidate: this.candidate, told: this.#told };
  }

  recall({ candidate, told }: ReturnType<Membership['memory']>): void {
    this.candidate = candidate;
    this.#told = told;
  }

  /** `faults` are its own reasons not to serve; a group that it was taken out of has forgotten it. */
  tell(
    group: string | undefined,
    {
      state,
      follows,
      resigned,
      faults,
      priority,
      spares,
    }: Pick<Standing, 'state' | 'follows' | 'resigned' | 'spares'> & {
      readonly faults: readonly string[];
      readonly priority: number;
    },
  ): void {
    if (group === undefined) {
      this.#told = '';
      return;
    }
    const standing: Standing = {
      state,
      follows,
      ...(resigned && { resigned }),
      ...(faults.length > 0 && { fault: faults.join('; ') }),
      ...(this.candidate !== undefined && { candidate: this.candidate }),
      ...((state === 'MASTER' || this.candidate !== undefined) && { priority }),
      ...(spares && this.candidate !== undefined && { spares }),
    };
    const telling = JSON.stringify({ group, ...standing });
    if (telling === this.#told) return;
    this.#told = telling;
    this.#emit({ type: 'standing', group, standing });
  }
}
