const WORD_BITS = 32;
/** How far behind the latest a datagram may come: networks that balance over several paths overtake by less. */
export const WINDOW = 1024;

/**
 * Which numbers of a sender's datagrams have come, so that none counts twice (RFC 6479, in essence). Numbers are whole
 * and exact, 1 or more. What is `WINDOW` or more behind the latest counts as having come.
 */
export class ReplayWindow {
  /** A bit for each of the last numbers, by the number's remainder. */
  readonly #came = new Uint32Array(WINDOW / WORD_BITS);
  #first = 0;
  #latest = 0;
  #count = 0;

  /** Whether a datagram of this number has not come yet. */
  isNew(number: number): boolean {
    if (number > this.#latest) return true;
    if (number <= this.#latest - WINDOW) return false;
    const at = number % WINDOW;
    return (((this.#came[Math.floor(at / WORD_BITS)] ?? 0) >>> (at % WORD_BITS)) & 1) === 0;
  }

  /** It has come now; only for a number that is new, of a datagram that is genuine. */
  note(number: number): void {
    for (let gone = Math.max(this.#latest + 1, number - WINDOW + 1); gone <= number; gone++)
      this.#set(gone, false);
    this.#set(number, true);
    if (this.#count === 0 || number < this.#first) this.#first = number;
    this.#latest = Math.max(this.#latest, number);
    this.#count++;
  }

  /** How many between the first and the latest have not come, so far. */
  get missing(): number {
    return this.#count === 0 ? 0 : this.#latest - this.#first + 1 - this.#count;
  }

  #set(number: number, came: boolean): void {
    const at = number % WINDOW;
    const word = Math.floor(at / WORD_BITS);
    const bit = 1 << (at % WORD_BITS);
    const before = this.#came[word] ?? 0;
    this.#came[word] = came ? before | bit : before & ~bit;
  }
}
