import type { ChildProcess } from 'node:child_process';

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

  /** `end`: a child made by `spawnRole`, or `process` in the child. */
  constructor(end: ChildProcess | NodeJS.Process) {
    this.#end = end;
  }

  get dropped(): number {
    return this.#dropped;
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
    this.#end.on('message', (message) => receive(message as In));
  }

  /** The other end is gone. */
  onClose(closed: () => void): void {
    this.#end.on('disconnect', closed);
  }
}
