import { Ensemble } from '../core/director/ensemble.ts';
import type { Machine, Remembering } from '../core/machine.ts';
import type { Births, RecordedKind } from '../core/record/machines.ts';
import type { Recorder } from '../core/record/recorder.ts';
import type { Part, Track } from '../core/record/track.ts';
import { Alarm, now } from './clock.ts';

/** So many machines are dealt with at once; then the sockets have their turn. */
const MAX_ROUNDS = 1000;

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
  readonly #recorder: Recorder | undefined;
  readonly #ensemble: Ensemble<Part, Track>;
  readonly #alarm = new Alarm(() => this.#expire());
  #depth = 0;

  /** `recorder` records the machines that are attached as a part of what it records. */
  constructor(recorder?: Recorder) {
    this.#recorder = recorder;
    this.#ensemble = new Ensemble(recorder);
  }

  get recorder(): Recorder | undefined {
    return this.#recorder;
  }

  /** As `attach`, and records the machine. */
  record<Event, Effect, Kind extends RecordedKind>(
    machine: Machine<Event, Effect> & Remembering<unknown>,
    perform: (effects: readonly Effect[]) => void,
    part: { readonly kind: Kind; readonly name: string; readonly birth: Births[Kind] },
  ): Driven<Event> {
    return this.#attach(machine, perform, { ...part, memory: () => machine.memory() });
  }

  /** `perform` gets the effects in the order in which they are to be done, never an empty list. */
  attach<Event, Effect>(
    machine: Machine<Event, Effect>,
    perform: (effects: readonly Effect[]) => void,
  ): Driven<Event> {
    return this.#attach(machine, perform);
  }

  #attach<Event, Effect>(
    machine: Machine<Event, Effect>,
    perform: (effects: readonly Effect[]) => void,
    part?: Part,
  ): Driven<Event> {
    this.#ensemble.begin(now());
    const actor = this.#ensemble.join(machine, perform, part);
    return {
      handle: (event) => {
        this.#ensemble.begin(now());
        this.#armAfter(() => actor.handle(event));
      },
      detach: () => this.#armAfter(() => actor.leave()),
    };
  }

  #expire(): void {
    this.#armAfter(() => {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const due = this.#ensemble.deadline();
        if (due === undefined || due > now()) return;
        this.#ensemble.timeout(now());
      }
    });
  }

  /** The alarm is set once for all that an event leads to. */
  #armAfter(act: () => void): void {
    this.#depth += 1;
    try {
      act();
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#alarm.arm(this.#ensemble.deadline());
    }
  }
}
