import { formatPrefix, type Ip } from '../../src/core/ip.ts';
import { FOREVER, type InterfaceAddress } from '../../src/core/netlink/address.ts';
import type { RouteEvent } from '../../src/core/netlink/events.ts';
import { LINK_FLAG, type Link, OPER_STATE } from '../../src/core/netlink/link.ts';
import type { Prng } from '../../src/core/prng.ts';
import type { AddressChange } from '../../src/core/reconcile/events.ts';
import type { World } from './world.ts';

/** The kernel removes an address up to a second late, never early. */
const GRANULE = 1_000_000;
const ERRNO = { exists: 17, notAvailable: 99 } as const;
const UP = LINK_FLAG.up | LINK_FLAG.running | LINK_FLAG.lowerUp;

interface Kept {
  readonly address: InterfaceAddress;
  /** Which expiry counts. */
  readonly turn: number;
}

/** Calls `end` when a lifetime of so many seconds has ended. */
type Later = (valid: number, end: () => void) => void;

/** A director's kernel: interfaces, and addresses with lifetimes that end whatever becomes of the process. */
export class Kernel {
  readonly #tell: (event: RouteEvent) => void;
  readonly #later: Later;
  readonly #links = new Map<number, Link>();
  readonly #kept = new Map<string, Kept>();
  /** The host's own address of each interface. */
  readonly #own = new Map<number, InterfaceAddress>();
  #turn = 0;
  /** The errno with which every change is refused. */
  refuses: number | undefined;
  /** How long it takes for changes, in microseconds. */
  takes = 0;

  /** `tell` hears its news; `later` is how late lifetimes end: within a hundredth clocks may differ. */
  constructor(
    world: World,
    prng: Prng,
    tell: (event: RouteEvent) => void,
    later: Later = (valid, end) => world.at(world.now + valid * 1.01e6 + prng.unit() * GRANULE, end),
  ) {
    this.#tell = tell;
    this.#later = later;
  }

  /** An interface, with an address of the host's own if it has one. */
  plug(ifindex: number, name: string, own?: { readonly ip: Ip; readonly length: number }): void {
    const plain = { type: 1, mtu: 1500, mac: '02:00:00:00:00:01' };
    this.#links.set(ifindex, { ifindex, name, flags: UP, operState: OPER_STATE.up, ...plain });
    if (own === undefined) return;
    const plainest = { scope: 0, flags: 0, valid: FOREVER, preferred: FOREVER };
    this.#own.set(ifindex, { ifindex, address: own, ...plainest });
    this.setOwn(ifindex, true);
  }

  setCarrier(ifindex: number, up: boolean): void {
    const link = this.#links.get(ifindex);
    if (link === undefined) return;
    const state = up
      ? { flags: UP, operState: OPER_STATE.up }
      : { flags: LINK_FLAG.up, operState: OPER_STATE.down };
    const changed = { ...link, ...state };
    this.#links.set(ifindex, changed);
    this.#tell({ type: 'link', present: true, link: changed });
  }

  /** What is not as it has to be: the first of these interfaces without a carrier, or without its own address. */
  lacking(ifindexes: readonly number[]): string | undefined {
    for (const ifindex of ifindexes) {
      const link = this.#links.get(ifindex);
      const own = this.#own.get(ifindex);
      if (link !== undefined && link.operState !== OPER_STATE.up) return `${link.name} has no carrier`;
      if (own !== undefined && !this.#kept.has(keyOf(own))) return `${link?.name} has lost its address`;
    }
    return undefined;
  }

  /** Somebody takes the host's own address from an interface, or puts it back. */
  setOwn(ifindex: number, present: boolean): void {
    const own = this.#own.get(ifindex);
    if (own === undefined || this.#kept.has(keyOf(own)) === present) return;
    if (present) this.#keep(own);
    else this.#remove(own);
  }

  /** Somebody removes the virtual addresses of an interface. */
  steal(ifindex: number): void {
    for (const { address } of this.#kept.values())
      if (address.ifindex === ifindex && address.protocol !== undefined) this.#remove(address);
  }

  get links(): Link[] {
    return [...this.#links.values()];
  }

  get addresses(): InterfaceAddress[] {
    return Array.from(this.#kept.values(), ({ address }) => address);
  }

  /** Whether an interface has a virtual address. */
  holds(ifindex: number): boolean {
    for (const { address } of this.#kept.values())
      if (address.ifindex === ifindex && address.protocol !== undefined) return true;
    return false;
  }

  /** Whether an interface has this address. */
  has(ifindex: number, address: Ip): boolean {
    for (const kept of this.#kept.values())
      if (kept.address.ifindex === ifindex && kept.address.address.ip === address) return true;
    return false;
  }

  /** The power goes: what interfaces had is gone, but for their own addresses, which they get at the next start. */
  forget(): void {
    this.#kept.clear();
    for (const own of this.#own.values()) this.#kept.set(keyOf(own), { address: own, turn: ++this.#turn });
    this.refuses = undefined;
  }

  /** The errno of a change. */
  apply({ op, address }: AddressChange): number {
    if (this.refuses !== undefined) return this.refuses;
    const known = this.#kept.get(keyOf(address));
    if (op === 'remove') {
      if (known === undefined) return ERRNO.notAvailable;
      this.#remove(known.address);
      return 0;
    }
    if (op === 'add' && known !== undefined) return ERRNO.exists;
    // The monitor does not listen to renewals.
    this.#keep(address, op === 'renew');
    return 0;
  }

  #keep(address: InterfaceAddress, quiet = false): void {
    const kept = { address, turn: ++this.#turn };
    this.#kept.set(keyOf(address), kept);
    if (!quiet) this.#tell({ type: 'address', present: true, address });
    if (address.valid === FOREVER) return;
    this.#later(address.valid, () => {
      if (this.#kept.get(keyOf(address)) === kept) this.#remove(address);
    });
  }

  #remove(address: InterfaceAddress): void {
    this.#kept.delete(keyOf(address));
    this.#tell({ type: 'address', present: false, address });
  }
}

const keyOf = ({ ifindex, address }: InterfaceAddress): string => `${ifindex} ${formatPrefix(address)}`;
