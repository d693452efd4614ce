import { trackedNumber } from './tracked-number.ts';

/** The numbers of the tracked files, by the files' names: 0 until one was read. */
export class Numbers {
  #values = new Map<string, number>();

  /** Exactly these from now on; those that stay keep their number. */
  configure(names: readonly string[]): void {
    this.#values = new Map(names.map((name) => [name, this.#values.get(name) ?? 0]));
  }

  /**
   * What the file has now, `undefined` where there is none to read. Gives both numbers when it is another one. A file
   * without a number has 0; one whose number does not fit keeps what it had.
   */
  read(
    name: string,
    text: string | undefined,
  ): { readonly before: number; readonly value: number } | undefined {
    const before = this.#values.get(name);
    const value = trackedNumber(text ?? '') ?? before;
    if (before === undefined || value === undefined || value === before) return undefined;
    this.#values.set(name, value);
    return { before, value };
  }

  all(): { readonly name: string; readonly value: number }[] {
    return Array.from(this.#values, ([name, value]) => ({ name, value }));
  }
}
