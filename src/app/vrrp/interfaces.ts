import { unreachable } from '../../core/assert.ts';
import type { DirectorEvent, LinkChange } from '../../core/director/events.ts';
import type { Outcome } from '../../core/netlink/message.ts';
import type { Original } from '../../core/reconcile/originals.ts';
import { linkRequest, type Step, stepsOf } from '../../core/reconcile/vmac-events.ts';
import { errnoName } from '../../io/errno.ts';
import { explainOutcome } from '../../io/netlink.ts';
import type { RouteSocket } from '../../io/route.ts';
import { isStillOurs, PromoteSecondaries, ReversePath, writeSysctl } from '../../io/sysctl.ts';

type Made = Extract<DirectorEvent, { type: 'made' }>;

/** Makes and changes interfaces, and what is set on those below. */
export class Interfaces {
  readonly #route: RouteSocket;
  readonly #warn: (message: string) => void;
  readonly #reversePath = new ReversePath();
  readonly #promoted = new PromoteSecondaries();

  constructor(route: RouteSocket, warn: (message: string) => void) {
    this.#route = route;
    this.#warn = warn;
  }

  /** What an earlier life changed, and did not put back: gives those of it that are still so. */
  inherit(originals: readonly Original[]): Original[] {
    const ours = originals.filter(isStillOurs);
    for (const which of [this.#reversePath, this.#promoted]) which.inherit(ours);
    return ours;
  }

  /** What is changed on interfaces now, beside what a director knows. */
  originals(): Original[] {
    return [...this.#reversePath.originals(), ...this.#promoted.originals()];
  }

  promote(interfaces: readonly string[]): void {
    const trouble = this.#promoted.want([...interfaces]);
    if (trouble !== undefined) this.#warn(trouble);
  }

  /** What became of it, where somebody waits for that. */
  change(change: LinkChange): Made | undefined {
    switch (change.type) {
      case 'make':
        return { type: 'made', name: change.link.name, ...this.#make(change) };
      case 'remove':
      case 'mtu':
      case 'conf': {
        const request = linkRequest(change);
        const [outcome = { errno: 0 }] = this.#route.apply([request]);
        const gone = change.type === 'remove' && errnoName(outcome.errno) === 'ENODEV';
        if (outcome.errno !== 0 && !gone) this.#warn(`${request.asked}: ${explainOutcome(outcome)}`);
        return undefined;
      }
      case 'asymmetric': {
        const why = change.on ? this.#reversePath.relax() : this.#reversePath.restore();
        if (why !== undefined) this.#warn(why);
        return undefined;
      }
      default:
        return unreachable(change);
    }
  }

  /** Does all steps up to the first that fails and must not. */
  #make(change: Extract<LinkChange, { type: 'make' }>): Outcome {
    for (const step of stepsOf(change)) {
      const outcome = this.#step(step);
      if (outcome.errno !== 0) return outcome;
    }
    return { errno: 0 };
  }

  #step(step: Step): Outcome {
    if (step.type === 'request') {
      const [outcome = { errno: 0 }] = this.#route.apply([step.request]);
      return step.optional ? { errno: 0 } : outcome;
    }
    const why = writeSysctl(step.path, step.value);
    if (why !== undefined) this.#warn(`net/${step.path} could not be set to ${step.value}: ${why}`);
    return { errno: 0 };
  }
}
