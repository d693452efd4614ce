import type { ChildProcess } from 'node:child_process';
import type { Shape } from '../core/shape.ts';

/** Messages that may wait for a peer that does not read; more are dropped and counted. */
const MAX_WAITING = 2_000;
/** The same once Node says that much waits (128 KiB): whole states are large. */
const MAX_LARGE_WAITING = 32;

/**
 * One end of the pipe between the supervisor and a child. Sending never blocks and never throws: a peer that is
 * frozen or gone costs the messages, not the sender. Whole states are sent every second, which mends the loss.
 */
export class Channel<In, Out> {
  readonly #end: ChildProcess | NodeJS.Process;
  #waiting = 0;
  #crowded = false;
  #dropped = 0;
  readonly #shape: Shape;
  readonly #refuse: (why: string) => void;
  #refused = 0;

  /**
   * `end`: a child made by `spawnRole`, or `process` in the child. What comes in has the `shape`; what has not is
   * refused, and why goes to `refuse`.
   */
  constructor(end: ChildProcess | NodeJS.Process, shape: Shape, refuse: (why: string) => void) {
    this.#end = end;
    this.#shape = shape;
    this.#refuse = refuse;
  }

  /** Messages that were not sent: nobody read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Messages that came in and were of the wrong shape. */
  get refused(): number {
    return this.#refused;
  }

  get open(): boolean {
    return this.#end.connected === true;
  }

  send(message: Out): void {
    const limit = this.#crowded ? MAX_LARGE_WAITING : MAX_WAITING;
    if (!this.open || this.#end.send === undefined || this.#waiting >= limit) {
      this.#dropped += 1;
      return;
    }
    this.#waiting += 1;
    const sent = (): void => {
      this.#waiting -= 1;
    };
    // The callback also takes the error of a peer that just went away.
    this.#crowded = !(this.#end as ChildProcess).send(message as object, sent);
  }

  onMessage(receive: (message: In) => void): void {
    this.#end.on('message', (message: unknown) => {
      const wrong = this.#shape(message);
      if (wrong === undefined) return receive(message as In);
      this.#refused += 1;
      this.#refuse(`a message was refused: message${wrong}`);
    });
  }

  /** The other end is gone. */
  onClose(closed: () => void): void {
    this.#end.on('disconnect', closed);
  }
}
