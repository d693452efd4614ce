import { type Ip, isLinkLocal } from '../ip.ts';
import type { InterfaceAddress } from '../netlink/address.ts';
import type { Link } from '../netlink/link.ts';
import { known, OURS } from './entry.ts';
import type { HeldAddress } from './events.ts';
import type { Guarded } from './lease-events.ts';
import type { LeaseOwner } from './lease-owner.ts';

type Whereabouts = Pick<HeldAddress, 'dev'> & { readonly address: { readonly ip: Ip } };

/** An address that is held, or still on an interface where it was. */
export interface Entry {
  where: Guarded;
  readonly devs: Set<string>;
  /** The last one's lease is the one that counts. */
  readonly owners: Set<LeaseOwner>;
  /** The lease that it belongs to in the kernel. */
  guarded?: number;
}

/** The addresses that leases are for: who holds them, where they are, and to which lease each should belong. */
export class LeasedAddresses {
  readonly #marks: boolean;
  readonly #entries = new Map<string, Entry>();
  readonly #names = new Map<number, string>();
  readonly #numbers = new Map<string, number>();
  /** By interface and address: whether it is ours. */
  readonly #shown = new Map<string, boolean>();

  /** `marks`: the kernel keeps who made an address; without, none counts as the host's own. */
  constructor(marks: boolean) {
    this.#marks = marks;
  }

  memory() {
    const entries = Array.from(this.#entries, ([key, { devs, owners, ...entry }]) => ({
      ...entry,
      key,
      devs: [...devs],
      owners: Array.from(owners, ({ name }) => name),
    }));
    const [names, numbers] = [new Map(this.#names), new Map(this.#numbers)];
    return { entries, names, numbers, shown: new Map(this.#shown) };
  }

  recall(
    { entries, names, numbers, shown }: ReturnType<LeasedAddresses['memory']>,
    holders: ReadonlyMap<string, LeaseOwner>,
  ): void {
    for (const { key, devs, owners, ...entry } of entries)
      this.#entries.set(key, {
        ...entry,
        devs: new Set(devs),
        owners: new Set(owners.map((name) => known(holders, name))),
      });
    for (const [ifindex, name] of names) this.#names.set(ifindex, name);
    for (const [name, ifindex] of numbers) this.#numbers.set(name, ifindex);
    for (const [key, ours] of shown) this.#shown.set(key, ours);
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  /** Whether an address that is held has its interface under another number. */
  setLinks(links: readonly Link[]): boolean {
    this.#names.clear();
    this.#numbers.clear();
    for (const { name, ifindex } of links) {
      this.#names.set(ifindex, name);
      this.#numbers.set(name, ifindex);
    }
    for (const key of this.#shown.keys()) {
      if (!this.#numbers.has(key.slice(0, key.indexOf(' ')))) this.#shown.delete(key);
    }
    let moved = false;
    for (const entry of this.#entries.values()) {
      const { ifindex } = entry.where;
      const [dev = ''] = entry.devs;
      if (!isLinkLocal(entry.where.address) || ifindex === this.#numbers.get(dev)) continue;
      entry.where = { address: entry.where.address, ifindex: this.#numbers.get(dev) };
      moved = true;
    }
    return moved;
  }

  /** All addresses that there are now. */
  show(addresses: readonly InterfaceAddress[]): void {
    this.#shown.clear();
    for (const address of addresses) this.see(address, true);
  }

  /** Gives the entry that it concerns. */
  see({ ifindex, address: { ip }, protocol }: InterfaceAddress, present: boolean): Entry | undefined {
    const dev = this.#names.get(ifindex);
    if (dev === undefined) return undefined;
    if (present) this.#shown.set(`${dev} ${ip}`, !this.#marks || protocol === OURS);
    else this.#shown.delete(`${dev} ${ip}`);
    const entry = this.#entries.get(keyOf(dev, ip));
    return entry?.devs.has(dev) === true ? entry : undefined;
  }

  of({ dev, address: { ip } }: HeldAddress): Entry {
    const key = keyOf(dev, ip);
    const before = this.#entries.get(key);
    before?.devs.add(dev);
    if (before !== undefined) return before;
    const where = this.whereOf({ dev, address: { ip } });
    const entry: Entry = { where, devs: new Set([dev]), owners: new Set() };
    this.#entries.set(key, entry);
    return entry;
  }

  whereOf({ dev, address: { ip } }: Whereabouts): Guarded {
    return isLinkLocal(ip) ? { address: ip, ifindex: this.#numbers.get(dev) } : { address: ip };
  }

  at(dev: string, address: Ip): Entry | undefined {
    return this.#entries.get(keyOf(dev, address));
  }

  forget({ devs, where }: Entry): void {
    const [dev = ''] = devs;
    this.#entries.delete(keyOf(dev, where.address));
  }

  /** Whether it is on its interface, and ours. */
  shows({ dev, address }: HeldAddress): boolean {
    return this.#shown.get(`${dev} ${address.ip}`) === true;
  }

  /** The lease that an address should belong to; none for one that is nobody's, the host's own, or nowhere. */
  wantedOf({ where, devs, owners, guarded }: Entry): number | undefined {
    if (isLinkLocal(where.address) && where.ifindex === undefined) return undefined;
    const shown = [...devs].map((dev) => this.#shown.get(`${dev} ${where.address}`));
    if (shown.includes(false)) return undefined;
    const [last] = [...owners].reverse();
    if (last !== undefined) return last.lease;
    return shown.includes(true) ? guarded : undefined;
  }
}

/** IPv6 has a link-local address once on an interface; the others are the same everywhere. */
const keyOf = (dev: string, address: Ip): string => (isLinkLocal(address) ? `${dev} ${address}` : address);
