/** True time and what will happen in it: the one loop of a simulation. Time is in microseconds. */
interface Entry {
  readonly time: number;
  /** Breaks ties: what was planned first happens first, so that a seed always gives the same run. */
  readonly order: number;
  readonly action: () => void;
}

export class World {
  /** A binary heap, the earliest entry at its root. */
  readonly #heap: Entry[] = [];
  #planned = 0;
  #now = 0;
  #happened = 0;

  /** True time, which no host knows. */
  get now(): number {
    return this.#now;
  }

  /** How many events have happened. */
  get happened(): number {
    return this.#happened;
  }

  /** Plans `action` for `time`, at the earliest now. */
  at(time: number, action: () => void): void {
    const entry = { time: Math.max(time, this.#now), order: this.#planned++, action };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Lets everything happen up to and including `end`, where the clock then stands. */
  run(end: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.time <= end; first = this.#heap[0]) {
      this.#removeFirst();
      this.#now = first.time;
      this.#happened += 1;
      first.action();
    }
    this.#now = end;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = heap[left + 1];
      const child = right !== undefined && before(right, heap[left] as Entry) ? left + 1 : left;
      const below = heap[child] as Entry;
      if (!before(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

const before = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);
