import type { Ip } from '../ip.ts';
import type { InterfaceAddress } from '../netlink/address.ts';
import type { Link } from '../netlink/link.ts';
import { nameOf, type Placed } from './entry.ts';

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

/** The interfaces that the kernel has, and their addresses by identity. */
export class ShownAddresses {
  readonly #ifindexes = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #byDevice = new Map<string, Map<string, Placed>>();
  /** Of each interface the keys of those with the same address, whatever the prefix length. */
  readonly #alike = new Map<string, Map<Ip, Set<string>>>();

  memory() {
    const addresses = Array.from(this.#byDevice, ([dev, placed]) => [dev, [...placed]] as const);
    return { ifindexes: [...this.#ifindexes], names: [...this.#names], addresses };
  }

  recall({ ifindexes, names, addresses }: ReturnType<ShownAddresses['memory']>): void {
    for (const [name, ifindex] of ifindexes) this.#ifindexes.set(name, ifindex);
    for (const [ifindex, name] of names) this.#names.set(ifindex, name);
    for (const [dev, here] of addresses) for (const [key, placed] of here) this.set(dev, key, placed);
  }

  /** The interfaces that are there now, or under another number, or not any more: these are returned. */
  setLinks(links: readonly Link[]): ReadonlySet<string> {
    const before = new Map(this.#ifindexes);
    this.#ifindexes.clear();
    this.#names.clear();
    for (const { name, ifindex } of links) {
      this.#ifindexes.set(name, ifindex);
      this.#names.set(ifindex, name);
    }
    const names = changedKeys(before, this.#ifindexes);
    // An interface that is gone took its addresses along, also when one of the same name came.
    for (const name of names) this.#forget(name);
    return names;
  }

  ifindexOf(dev: string): number | undefined {
    return this.#ifindexes.get(dev);
  }

  /** It went before its event came. */
  lost(dev: string): void {
    this.#ifindexes.delete(dev);
  }

  /** Notes what the kernel shows; gives the key of the address, `undefined` on an unknown interface. */
  see(seen: InterfaceAddress, present: boolean): string | undefined {
    const { ifindex, address } = seen;
    const dev = this.#names.get(ifindex);
    if (dev === undefined) return undefined;
    const key = nameOf(dev, address);
    if (present) this.set(dev, key, seen);
    else this.delete(dev, key);
    return key;
  }

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
    const here = this.#byDevice.get(dev);
    here?.delete(key);
    if (here?.size === 0) this.#byDevice.delete(dev);
    const keys = this.#alike.get(dev)?.get(ip);
    keys?.delete(key);
    if (keys?.size === 0) this.#alike.get(dev)?.delete(ip);
  }

  /** What an interface has with this address, whatever the prefix length. */
  withAddress(dev: string, ip: Ip): Placed[] {
    return [...(this.#alike.get(dev)?.get(ip) ?? [])].flatMap((key) => this.get(dev, key) ?? []);
  }

  /** All of an interface. */
  #forget(dev: string): void {
    this.#byDevice.delete(dev);
    this.#alike.delete(dev);
  }

  clear(): void {
    this.#byDevice.clear();
    this.#alike.clear();
  }
}
