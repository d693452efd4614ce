import { familyOf, formatPrefix } from '../../../src/core/ip.ts';
import { FOREVER, type InterfaceAddress } from '../../../src/core/netlink/address.ts';
import type { Link } from '../../../src/core/netlink/link.ts';
import { nameOf } from '../../../src/core/reconcile/entry.ts';
import type { AddressChange } from '../../../src/core/reconcile/events.ts';
import { after, type Instant, seconds } from '../../../src/core/time.ts';

/** What the monitor hears. */
export interface Sighting {
  readonly address: InterfaceAddress;
  readonly present: boolean;
}

interface Kept {
  readonly address: InterfaceAddress;
  readonly expires: Instant;
}

const ERRNO = { exists: 17, noDevice: 19, notAvailable: 99 } as const;
const NEVER = Number.POSITIVE_INFINITY as Instant;

export const link = (ifindex: number, name: string, more: Partial<Link> = {}): Link => ({
  ifindex,
  name,
  type: 1,
  flags: 0x11043,
  mtu: 1500,
  operState: 6,
  ...more,
});

/**
 * How Linux keeps addresses: lifetimes that it enforces itself, IPv6 addresses told apart without their
 * prefix length, and an IPv4 primary that takes the secondaries of its subnet (/24 here) along.
 */
export class ModelKernel {
  readonly links = new Map<number, string>([[3, 'eth0']]);
  /** In the order of their arrival: the first of a subnet is its primary. */
  readonly #kept = new Map<string, Kept>();
  heard: Sighting[] = [];
  /** The next changes fail with these. */
  failures: number[] = [];

  get names(): string[] {
    return [...this.#kept.keys()].sort();
  }

  get addresses(): InterfaceAddress[] {
    return Array.from(this.#kept.values(), ({ address }) => address);
  }

  expiryOf(name: string): Instant | undefined {
    return this.#kept.get(name)?.expires;
  }

  /** The errno of the change. */
  apply({ op, address }: AddressChange, now: Instant): number {
    const failure = this.failures.shift();
    if (failure !== undefined) return failure;
    const dev = this.links.get(address.ifindex);
    if (dev === undefined) return ERRNO.noDevice;
    const name = nameOf(dev, address.address);
    const present = this.#kept.get(name);
    if (op === 'remove') {
      if (present === undefined) return ERRNO.notAvailable;
      if (present.address.address.length !== address.address.length) return ERRNO.notAvailable;
      this.#remove(name, present);
      return 0;
    }
    if (op === 'add' && present !== undefined) return ERRNO.exists;
    const expires = address.valid === FOREVER ? NEVER : after(now, seconds(address.valid));
    // A renewed address keeps its place and its prefix length.
    const kept = { ...address, address: present?.address.address ?? address.address };
    this.#kept.set(name, { address: kept, expires });
    // The monitor does not listen to renewals.
    if (op !== 'renew') this.heard.push({ address: kept, present: true });
    return 0;
  }

  /** Somebody else adds an address, without a lifetime. */
  intrude(address: InterfaceAddress): void {
    this.apply({ id: 0, op: 'restore', address }, 0 as Instant);
  }

  /** Somebody else removes an address. */
  steal(name: string): void {
    const kept = this.#kept.get(name);
    if (kept !== undefined) this.#remove(name, kept);
  }

  expire(now: Instant): void {
    for (const [name, kept] of [...this.#kept]) {
      if (kept.expires <= now && this.#kept.has(name)) this.#remove(name, kept);
    }
  }

  unplug(ifindex: number): void {
    const dev = this.links.get(ifindex);
    this.links.delete(ifindex);
    for (const [name, { address }] of [...this.#kept]) {
      if (!name.startsWith(`${dev} `)) continue;
      this.#kept.delete(name);
      this.heard.push({ address, present: false });
    }
  }

  #remove(name: string, { address }: Kept): void {
    const subnet = this.#subnetOf(name);
    const [primary] = subnet;
    this.#kept.delete(name);
    this.heard.push({ address, present: false });
    if (primary !== name) return;
    for (const secondary of subnet.slice(1)) {
      const kept = this.#kept.get(secondary);
      this.#kept.delete(secondary);
      if (kept !== undefined) this.heard.push({ address: kept.address, present: false });
    }
  }

  /** The names in the IPv4 /24 of `name` on its interface, in order; of one that is no /24 only itself. */
  #subnetOf(name: string): string[] {
    const subnet = (of: string): string => of.slice(0, of.lastIndexOf('.'));
    const kept = this.#kept.get(name);
    if (kept === undefined || familyOf(kept.address.address.ip) === 6) return [name];
    if (!formatPrefix(kept.address.address).endsWith('/24')) return [name];
    return [...this.#kept.keys()].filter((other) => other.endsWith('/24') && subnet(other) === subnet(name));
  }
}
