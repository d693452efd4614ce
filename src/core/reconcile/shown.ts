import type { Ip } from '../ip.ts';
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
  /** Of each interface the keys of those with the same address, whatever the prefix length. */
  readonly #alike = new Map<string, Map<Ip, Set<string>>>();

  get(dev: string, key: string): Placed | undefined {
    return this.#byDevice.get(dev)?.get(key);
  }

  has(dev: string, key: string): boolean {
    return this.#byDevice.get(dev)?.has(key) === true;
  }

  set(dev: string, key: string, placed: Placed): void {
    const here = this.#byDevice.get(dev) ?? new Map<string, Placed>();
    this.#byDevice.set(dev, here.set(key, placed));
    const { ip } = placed.address;
    const alike = this.#alike.get(dev) ?? new Map<Ip, Set<string>>();
    this.#alike.set(dev, alike.set(ip, (alike.get(ip) ?? new Set()).add(key)));
  }

  delete(dev: string, key: string): void {
    const placed = this.get(dev, key);
    if (placed === undefined) return;
    const { ip } = placed.address;
    this.#byDevice.get(dev)?.delete(key);
    const keys = this.#alike.get(dev)?.get(ip);
    keys?.delete(key);
    if (keys?.size === 0) this.#alike.get(dev)?.delete(ip);
  }

  /** What an interface has with this address, whatever the prefix length. */
  withAddress(dev: string, ip: Ip): Placed[] {
    return [...(this.#alike.get(dev)?.get(ip) ?? [])].flatMap((key) => this.get(dev, key) ?? []);
  }

  /** All of an interface. */
  forget(dev: string): void {
    this.#byDevice.delete(dev);
    this.#alike.delete(dev);
  }

  clear(): void {
    this.#byDevice.clear();
    this.#alike.clear();
  }
}
