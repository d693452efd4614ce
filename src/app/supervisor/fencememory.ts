import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FenceOutcome } from '../../core/fence/device.ts';
import {
  type FenceRecord,
  heardAgain,
  offBefore,
  recorded,
  recordsOf,
  recordsText,
} from '../../core/fence/memory.ts';
import type { KeptFiles } from '../../io/kept.ts';

const OPTIONS = { mode: 0o600, synced: true };

/** Whom this director has switched off, in `folder`/fenced.json over restarts and boots. */
export class FenceMemory {
  readonly #file: string;
  readonly #files: KeptFiles;
  #records: readonly FenceRecord[];

  /** A file that cannot be understood is forgotten, and `warn` is told. */
  constructor(folder: string, files: KeptFiles, warn: (message: string) => void) {
    this.#file = join(folder, 'fenced.json');
    this.#files = files;
    this.#records = read(this.#file, warn);
  }

  get records(): readonly FenceRecord[] {
    return this.#records;
  }

  /** Directors that were off, by what was known last. */
  get off(): readonly string[] {
    return offBefore(this.#records);
  }

  /** Gives whether that is news: an attempt is made again and again. */
  take(outcome: FenceOutcome): boolean {
    const { records, news } = recorded(this.#records, outcome, Date.now());
    if (news) this.#keep(records);
    return news;
  }

  heard(target: string): void {
    if (this.#records.some((record) => record.target === target && record.heard === undefined))
      this.#keep(heardAgain(this.#records, target, Date.now()));
  }

  #keep(records: readonly FenceRecord[]): void {
    this.#records = records;
    this.#files.keep(this.#file, recordsText(records), OPTIONS);
  }
}

function read(file: string, warn: (message: string) => void): FenceRecord[] {
  try {
    return recordsOf(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') warn(`who was switched off before is not known: ${file}: ${message}`);
    return [];
  }
}
