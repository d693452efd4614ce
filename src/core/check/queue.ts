import type { Instant } from '../time.ts';

interface Item {
  readonly id: string;
  due: Instant;
}

/**
 * Names with a due time each, the earliest first: a binary heap that knows where each name is, so that setting
 * and removing cost O(log n). Thousands of checks have one of these instead of a timer each.
 */
export class DueQueue {
  readonly #heap: Item[] = [];
  readonly #place = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }

  has(id: string): boolean {
    return this.#place.has(id);
  }

  /** The heap as it lies, for names that are due at the same time come in its order. */
  memory(): readonly Readonly<Item>[] {
    return this.#heap.map((item) => ({ ...item }));
  }

  recall(heap: readonly Readonly<Item>[]): void {
    for (const item of heap) this.#place.set(item.id, this.#heap.push({ ...item }) - 1);
  }

  /** The earliest due time, `undefined` when empty. */
  next(): Instant | undefined {
    return this.#heap[0]?.due;
  }

  /** Adds `id` or changes when it is due. */
  set(id: string, due: Instant): void {
    const at = this.#place.get(id);
    const item = at === undefined ? undefined : this.#heap[at];
    if (item === undefined || at === undefined) {
      this.#place.set(id, this.#heap.push({ id, due }) - 1);
      this.#rise(this.#heap.length - 1);
      return;
    }
    item.due = due;
    this.#rise(at);
    this.#sink(this.#place.get(id) ?? at);
  }

  remove(id: string): void {
    const at = this.#place.get(id);
    if (at === undefined) return;
    this.#place.delete(id);
    const last = this.#heap.pop();
    if (last === undefined || at === this.#heap.length) return;
    this.#put(at, last);
    this.#rise(at);
    this.#sink(this.#place.get(last.id) ?? at);
  }

  /** Takes the earliest name out if it is due at `now`. */
  shift(now: Instant): { id: string; due: Instant } | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.due > now) return undefined;
    this.remove(first.id);
    return first;
  }

  #put(at: number, item: Item): void {
    this.#heap[at] = item;
    this.#place.set(item.id, at);
  }

  #rise(from: number): void {
    let at = from;
    const item = this.#heap[at];
    if (item === undefined) return;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || parent.due <= item.due) break;
      this.#put(at, parent);
      at = above;
    }
    this.#put(at, item);
  }

  #sink(from: number): void {
    let at = from;
    const item = this.#heap[at];
    if (item === undefined) return;
    for (;;) {
      let below = 2 * at + 1;
      const left = this.#heap[below];
      const right = this.#heap[below + 1];
      if (left === undefined) break;
      if (right !== undefined && right.due < left.due) below += 1;
      const child = this.#heap[below];
      if (child === undefined || child.due >= item.due) break;
      this.#put(at, child);
      at = below;
    }
    this.#put(at, item);
  }
}
