import { type Original, parseOriginal } from '../../core/kernel/originals.ts';
import { readLedger, writeLedger } from '../../io/ledger.ts';

/**
 * What the VRRP process changed on interfaces, kept for the next: that one, or all of the daemon, may end before it has
 * put it back. What was written down before a reboot does not count.
 */
export class Originals {
  readonly #file: string;
  readonly #warn: (message: string) => void;
  #all: readonly Original[];

  constructor(file: string, warn: (message: string) => void) {
    this.#file = file;
    this.#warn = warn;
    this.#all = this.#read();
  }

  get all(): readonly Original[] {
    return this.#all;
  }

  /** Exactly these from now on. */
  keep(all: readonly Original[]): void {
    if (JSON.stringify(all) === JSON.stringify(this.#all)) return;
    this.#all = all;
    try {
      writeLedger(
        this.#file,
        all.map((original) => JSON.stringify(original)),
      );
    } catch (error) {
      this.#warn(`cannot write down how interfaces were set: ${(error as Error).message}`);
    }
  }

  #read(): Original[] {
    try {
      return readLedger(this.#file).flatMap((line) => parseOriginal(line) ?? []);
    } catch (error) {
      this.#warn(`how interfaces were set is not known: ${(error as Error).message}`);
      return [];
    }
  }
}
