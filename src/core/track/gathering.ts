/** More processes than these are cheaper to find by a look at all. */
const MOST = 500;

/** Processes that the kernel told of and that were not looked at yet: by number, whether one ended or is another. */
export class Gathering {
  #found = new Map<number, 'ended' | 'changed'>();

  /** What was told last of a process is what counts. */
  add(pid: number, what: 'ended' | 'changed'): void {
    if (this.#found.size < MOST) this.#found.set(pid, what);
  }

  clear(): void {
    this.#found.clear();
  }

  /** Those that are to be looked at now, and none of them again; `all` when they are too many. */
  take(): 'all' | readonly (readonly [number, 'ended' | 'changed'])[] {
    const found = this.#found;
    this.#found = new Map();
    return found.size >= MOST ? 'all' : [...found];
  }
}
