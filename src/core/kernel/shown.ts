import type { Placed } from './entry.ts';

/** What the kernel has shown, as the machines of this folder keep it. */

/** The keys whose values differ, or are in one of the two only. */
export function changedKeys<Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
): ReadonlySet<string> {
  const keys = new Set([...before.keys(), ...after.keys()]);
  for (const key of keys) if (before.get(key) === after.get(key)) keys.delete(key);
  return keys;
}

/** The addresses that the kernel has, by interface and identity. */
export class ShownAddresses {
  readonly #byDevice = new Map<string, Map<string, Placed>>();

  get(dev: string, key: string): Placed | undefined {
    return this.#byDevice.get(dev)?.get(key);
  }

  has(dev: string, key: string): boolean {
    return this.#byDevice.get(dev)?.has(key) === true;
  }

  set(dev: string, key: string, placed: Placed): void {
    const here = this.#byDevice.get(dev) ?? new Map<string, Placed>();
    this.#byDevice.set(dev, here.set(key, placed));
  }

  delete(dev: string, key: string): void {
    this.#byDevice.get(dev)?.delete(key);
  }

  /** All of an interface. */
  forget(dev: string): void {
    this.#byDevice.delete(dev);
  }

  clear(): void {
    this.#byDevice.clear();
  }
}
