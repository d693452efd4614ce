import { Ensemble } from '../core/director/ensemble.ts';
import type { Machine } from '../core/machine.ts';
import type { Recorder } from '../core/record/recorder.ts';
import type { Part } from '../core/record/track.ts';
import { Alarm, now } from './clock.ts';

/** Machines may deal with what is due in several calls; who is due again and again is looked at in the next turn. */
const MAX_ROUNDS = 100;

/** A machine at work in a `Driver`. */
export interface Driven<Event> {
  handle(event: Event): void;
  detach(): void;
}

/**
 * Runs machines: hands them events, performs their effects in order, and keeps one alarm for the earliest of
 * their deadlines. Effects of one machine are performed before `handle` returns; an event that one of them
 * causes for the same machine is handled at once and its effects follow the ones already taken.
 */
export class Driver {
  readonly #ensemble: Ensemble;
  readonly #alarm = new Alarm(() => this.#expire());

  /** `recorder` records the machines that are attached as a part. */
  constructor(recorder?: Recorder) {
    this.#ensemble = new Ensemble(recorder);
  }

  get recorder(): Recorder | undefined {
    return this.#ensemble.recorder;
  }

  /**
   * `perform` gets the effects in the order in which they are to be done, never an empty list. `part`: the machine is
   * recorded.
   */
  attach<Event, Effect>(
    machine: Machine<Event, Effect>,
    perform: (effects: readonly Effect[]) => void,
    part?: Part,
  ): Driven<Event> {
    this.#ensemble.begin(now());
    const actor = this.#ensemble.join(machine, perform, part);
    return {
      handle: (event) => {
        this.#ensemble.begin(now());
        actor.handle(event);
        this.#arm();
      },
      detach: () => {
        actor.leave();
        this.#arm();
      },
    };
  }

  #expire(): void {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const due = this.#ensemble.deadline();
      if (due === undefined || due > now()) break;
      this.#ensemble.timeout(now());
    }
    this.#arm();
  }

  #arm(): void {
    this.#alarm.arm(this.#ensemble.deadline());
  }
}
