import type { DirectorEvent } from '../../core/director/events.ts';
import type { Given } from '../../core/director/giving.ts';
import { nameOfClaim } from '../../core/vrrp/group.ts';
import type { FromChild, Level } from '../messages.ts';

interface Ties {
  tell(event: DirectorEvent): void;
  /** To the supervisor. Returns false where too much waits there. */
  send(message: Extract<FromChild<never>, { type: 'switched' }>): boolean;
  log(level: Level, message: string): void;
  /** Whether directors speak to each other, and whether one is heard. */
  votes(): { readonly speaks: boolean; readonly hears: boolean };
}

/** Of hundreds of virtual routers so much is told at once that the supervisor may not take more for a moment. */
const AGAIN_MS = 50;
/** The operator waits no longer. */
const TRIES = 80;

/** What gives up virtual routers has another director take them over first. */
export class HandingOver {
  readonly #ties: Ties;
  /** What is done when hand-overs have ended. */
  readonly #waiting: (() => void)[] = [];
  /** The operator waits for the end of a hand-over. */
  #switching = false;

  constructor(ties: Ties) {
    this.#ties = ties;
  }

  /**
   * Does something that gives up virtual routers: these, or all. Where another director is heard, that one takes over
   * first. What comes meanwhile waits for its turn.
   */
  before(then: () => void, why: string, names?: readonly string[]): void {
    const wished = names?.length !== 0 && this.#ties.votes().hears;
    if (!wished && this.#waiting.length === 0) {
      then();
      return;
    }
    this.#waiting.push(then);
    if (wished)
      this.#ties.tell({ type: 'hand-over', ...(names && { names }), stays: false, alone: false, why });
  }

  /** The operator's word: others are to take these over, or all. */
  switchOver(names: readonly string[] | undefined): void {
    this.#switching = true;
    const why = 'the operator wants it';
    const alone = !this.#ties.votes().speaks;
    this.#ties.tell({ type: 'hand-over', ...(names && { names }), stays: true, alone, why });
  }

  /** All have ended. */
  ended(given: readonly Given[]): void {
    for (const { unit, outcome, to, why } of given) {
      const words = {
        taken: `${to} has taken over`,
        resigned: `given up for whoever takes it${why === undefined ? '' : `: ${why}`}`,
        kept: `nobody takes over: ${why}`,
      };
      const level = outcome === 'kept' ? 'warning' : 'notice';
      this.#ties.log(level, `hand-over of ${nameOfClaim(unit)}: ${words[outcome]}`);
    }
    if (this.#switching) this.#answer(given);
    this.#switching = false;
    for (let act = this.#waiting.shift(); act !== undefined; act = this.#waiting.shift()) act();
  }

  #answer(given: readonly Given[], tries = TRIES): void {
    if (this.#ties.send({ type: 'switched', given }) || tries === 0) return;
    setTimeout(() => this.#answer(given, tries - 1), AGAIN_MS);
  }
}
