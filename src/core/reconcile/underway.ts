import { assert } from '../assert.ts';
import { earliest, type Instant } from '../time.ts';

/**
 * What was asked of the kernel and is not answered yet, and what is to be looked at again at an instant: of addresses,
 * routes or rules. A change may belong to nobody: what an earlier life has left.
 */
export class Underway<E extends { readonly key: string }> {
  readonly #inFlight = new Map<number, E | undefined>();
  readonly #waiting = new Map<E, Instant>();
  #lastId = 0;

  /**
   * The number of a change that is asked for now. Numbers come again when all is answered: a recording keeps what comes
   * again only once.
   */
  begin(entry: E | undefined): number {
    if (this.#inFlight.size === 0) this.#lastId = 0;
    this.#inFlight.set(++this.#lastId, entry);
    return this.#lastId;
  }

  /** Whose change is answered. Throws for a number that nobody was given. */
  end(id: number): E | undefined {
    assert(this.#inFlight.has(id), `a change that nobody asked for is done: ${id}`);
    const entry = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    return entry;
  }

  /** To be looked at again then. */
  wait(entry: E, at: Instant): void {
    this.#waiting.set(entry, at);
  }

  stopWaiting(entry: E): void {
    this.#waiting.delete(entry);
  }

  /** Who is to be looked at again now. */
  due(now: Instant): E[] {
    return [...this.#waiting].filter(([, at]) => at <= now).map(([entry]) => entry);
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const at of this.#waiting.values()) next = earliest(next, at);
    return next;
  }

  memory() {
    return {
      inFlight: Array.from(this.#inFlight, ([id, entry]) => [id, entry?.key] as const),
      waiting: Array.from(this.#waiting, ([{ key }, at]) => [key, at] as const),
      lastId: this.#lastId,
    };
  }

  recall(memory: ReturnType<Underway<E>['memory']>, entryOf: (key: string) => E): void {
    for (const [id, key] of memory.inFlight)
      this.#inFlight.set(id, key === undefined ? undefined : entryOf(key));
    for (const [key, at] of memory.waiting) this.#waiting.set(entryOf(key), at);
    this.#lastId = memory.lastId;
  }
}
