import { type Original, parseOriginal } from '../../core/reconcile/originals.ts';
import type { KeptFiles } from '../../io/kept.ts';
import { ledgerText, readLedger } from '../../io/ledger.ts';

/**
 * What the VRRP process changed on interfaces, kept for the next: that one, or all of the daemon, may end before it has
 * put it back. What was written before a reboot is not used.
 */
export class Originals {
  readonly #file: string;
  readonly #files: KeptFiles;
  readonly #warn: (message: string) => void;
  #all: readonly Original[];

  constructor(file: string, files: KeptFiles, warn: (message: string) => void) {
    this.#file = file;
    this.#files = files;
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
    this.#files.keep(this.#file, ledgerText(all.map((original) => JSON.stringify(original))), {
      mode: 0o600,
    });
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
