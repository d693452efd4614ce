/**
 * Bytes that may wait for the agent in the serial line. A terminal takes 4,096; near that it stops the line, and that
 * of user-mode Linux does not always go on when its reader has read.
 */
const WINDOW = 2048;

/** What is sent over a serial line, never more at once than its reader has room for: the reader says what it took. */
export class Outbox {
  readonly #write: (piece: Buffer) => void;
  #waiting: Buffer = Buffer.alloc(0);
  #inTheLine = 0;

  constructor(write: (piece: Buffer) => void) {
    this.#write = write;
  }

  send(text: string): void {
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(text)]);
    this.#go();
  }

  /** The reader has taken so many bytes. */
  taken(bytes: number): void {
    this.#inTheLine -= bytes;
    this.#go();
  }

  #go(): void {
    const piece = this.#waiting.subarray(0, Math.max(0, WINDOW - this.#inTheLine));
    if (piece.length === 0) return;
    this.#waiting = this.#waiting.subarray(piece.length);
    this.#inTheLine += piece.length;
    this.#write(piece);
  }
}
