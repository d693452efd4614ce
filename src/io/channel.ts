import type { ChildProcess } from 'node:child_process';
import type { Shape } from '../core/shape.ts';

/** Messages that may wait for a peer that does not read; more are dropped and counted. */
const MAX_WAITING = 2_000;
/** The same once much waits (128 KiB): whole states are large. */
const MAX_LARGE_WAITING = 32;

/** What a channel writes to and reads from. */
export interface End {
  /** Whether the other end is there, as far as is known. */
  readonly open: boolean;
  /** `sent` is called when it left, or was lost. Returns false once much waits. Never throws while `open`. */
  send(message: object, sent: () => void): boolean;
  onMessage(receive: (message: unknown) => void): void;
  /** The other end is gone. */
  onClose(closed: () => void): void;
  /** What was sent still leaves. */
  close(): void;
}

/** Node's pipe between a process and its child: of a child made by `spawnRole`, or of `process` in the child. */
export const pipeEnd = (end: ChildProcess | NodeJS.Process): End => ({
  get open() {
    return end.connected === true && end.send !== undefined;
  },
  // The callback also takes the error of a peer that just went away.
  send: (message, sent) => (end as ChildProcess).send(message, sent),
  onMessage: (receive) => void end.on('message', receive),
  onClose: (closed) => void end.on('disconnect', closed),
  close() {
    if (end.connected === true) end.disconnect?.();
  },
});

/** What waits at one end. */
interface Waiting {
  messages: number;
  crowded: boolean;
}

/**
 * One end of the talk between the supervisor and a process of its daemon. Sending never blocks and never throws: a peer
 * that is frozen or gone costs the messages, not the sender. Whole states come again and again, which mends the loss.
 */
export class Channel<In, Out> {
  #end: End;
  #waiting: Waiting = { messages: 0, crowded: false };
  #dropped = 0;
  readonly #shape: Shape;
  readonly #refuse: (why: string) => void;
  readonly #receivers: ((message: In) => void)[] = [];
  readonly #closed: (() => void)[] = [];
  #refused = 0;

  /** What comes in has the `shape`; what has not is refused, and why goes to `refuse`. */
  constructor(end: End, shape: Shape, refuse: (why: string) => void) {
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
    return this.#end.open;
  }

  /** Returns whether it was sent, and not dropped. */
  send(message: Out): boolean {
    const waiting = this.#waiting;
    const limit = waiting.crowded ? MAX_LARGE_WAITING : MAX_WAITING;
    if (!this.open || waiting.messages >= limit) {
      this.#dropped += 1;
      return false;
    }
    waiting.messages += 1;
    waiting.crowded = !this.#end.send(message as object, () => {
      waiting.messages -= 1;
    });
    return true;
  }

  onMessage(receive: (message: In) => void): void {
    this.#receivers.push(receive);
    this.#hear(this.#end, receive);
  }

  /** The other end is gone. */
  onClose(closed: () => void): void {
    this.#closed.push(closed);
    this.#end.onClose(closed);
  }

  /** Goes on with another peer, after the one before is gone: whoever listens hears this one, and counts begin anew. */
  renew(end: End): void {
    this.#end = end;
    this.#waiting = { messages: 0, crowded: false };
    this.#dropped = 0;
    this.#refused = 0;
    for (const receive of this.#receivers) this.#hear(end, receive);
    for (const closed of this.#closed) end.onClose(closed);
  }

  close(): void {
    this.#end.close();
  }

  #hear(end: End, receive: (message: In) => void): void {
    end.onMessage((message) => {
      const wrong = this.#shape(message);
      if (wrong === undefined) return receive(message as In);
      this.#refused += 1;
      this.#refuse(`a message was refused: message${wrong}`);
    });
  }
}
