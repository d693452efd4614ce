import { type Family, familyOf, formatPrefix, type Ip, isLinkLocal, type Prefix } from '../ip.ts';
import { ADDRESS_FLAG, type InterfaceAddress } from '../netlink/address.ts';
import { isUp, LINK_FLAG, type Link } from '../netlink/link.ts';

/** Whether an interface can carry a virtual router's adverts, the address that they leave from, and why. */
export interface Footing {
  readonly up: boolean;
  readonly source?: Ip;
  readonly why: string;
}

/**
 * The interfaces and addresses of this host as the kernel last told, by dump and by event. It answers what a
 * virtual router asks of its interface.
 */
export class Interfaces {
  readonly #links = new Map<number, Link>();
  readonly #byName = new Map<string, Link>();
  /** Of each interface, by its number: by address and prefix length. */
  readonly #addresses = new Map<number, Map<string, InterfaceAddress>>();

  link(link: Link, present: boolean): void {
    const before = this.#links.get(link.ifindex);
    if (before !== undefined && this.#byName.get(before.name) === before) this.#byName.delete(before.name);
    if (present) {
      this.#links.set(link.ifindex, link);
      this.#byName.set(link.name, link);
    } else {
      this.#links.delete(link.ifindex);
      this.#addresses.delete(link.ifindex);
    }
  }

  /** A renewed address keeps its place: the first one seen of a subnet is its primary. */
  address(address: InterfaceAddress, present: boolean): void {
    const { ifindex } = address;
    const key = formatPrefix(address.address);
    const addresses = this.#addresses.get(ifindex) ?? new Map<string, InterfaceAddress>();
    if (present) addresses.set(key, address);
    else addresses.delete(key);
    if (addresses.size > 0) this.#addresses.set(ifindex, addresses);
    else this.#addresses.delete(ifindex);
  }

  memory() {
    const addresses = Array.from(
      this.#addresses,
      ([ifindex, here]) => [ifindex, [...here.values()]] as const,
    );
    return {
      links: [...this.#links.values()],
      named: [...this.#byName.values()],
      addresses: new Map(addresses),
    };
  }

  recall({ links, named, addresses }: ReturnType<Interfaces['memory']>): void {
    for (const link of links) this.#links.set(link.ifindex, link);
    for (const link of named) this.#byName.set(link.name, link);
    for (const [ifindex, here] of addresses)
      this.#addresses.set(ifindex, new Map(here.map((each) => [formatPrefix(each.address), each])));
  }

  /** Forgets everything: a new dump follows. */
  clear(): void {
    this.#links.clear();
    this.#byName.clear();
    this.#addresses.clear();
  }

  all(): Link[] {
    return [...this.#links.values()];
  }

  named(name: string): Link | undefined {
    return this.#byName.get(name);
  }

  /** By its number. */
  numbered(ifindex: number): Link | undefined {
    return this.#links.get(ifindex);
  }

  /** Whether an interface has an address, with that prefix length. */
  has(name: string, address: Prefix): boolean {
    const link = this.named(name);
    return link !== undefined && this.#addresses.get(link.ifindex)?.has(formatPrefix(address)) === true;
  }

  /** Whether the interface with this number has any address of a family. */
  hasAny(ifindex: number, family: Family): boolean {
    for (const { address } of this.#addresses.get(ifindex)?.values() ?? []) {
      if (familyOf(address.ip) === family) return true;
    }
    return false;
  }

  /** Whether an interface is up. */
  state(name: string): { readonly up: boolean; readonly why: string } {
    const link = this.named(name);
    if (link === undefined) return { up: false, why: `there is no interface ${name}` };
    if ((link.flags & LINK_FLAG.up) === 0) return { up: false, why: `${name} is down` };
    return isUp(link) ? { up: true, why: `${name} is up` } : { up: false, why: `${name} has no carrier` };
  }

  /**
   * The footing of a virtual router on `name`, whose link is believed to be in `state`. `wanted` is
   * `mcast_src_ip`; `virtual` are all addresses that VRRP moves: none of them is a source, or a master would speak
   * with an address that it may lose.
   */
  footing(
    name: string,
    family: Family,
    wanted: Ip | undefined,
    virtual: ReadonlySet<Ip>,
    state = this.state(name),
  ): Footing {
    const link = this.named(name);
    if (link === undefined) return this.state(name);
    if (!state.up) return state;
    const usable = this.#carriedBy(link).filter(
      (address) => isUsable(address, family) && !virtual.has(address.address.ip),
    );
    if (wanted !== undefined) {
      const there = usable.some(({ address }) => address.ip === wanted);
      return there
        ? { up: true, source: wanted, why: state.why }
        : { up: false, why: `${name} has not got ${wanted} (mcast_src_ip)` };
    }
    const source = (family === 4 ? primary(usable) : usable.find(({ address }) => isLinkLocal(address.ip)))
      ?.address;
    if (source !== undefined) return { up: true, source: source.ip, why: state.why };
    return {
      up: false,
      why: `${name} has no ${family === 4 ? 'IPv4' : 'IPv6 link-local'} address to send from`,
    };
  }

  /** The addresses of an interface; of a VRF, those of the interfaces in it too. */
  #carriedBy(link: Link): InterfaceAddress[] {
    const members = link.kind === 'vrf' ? this.all().filter(({ master }) => master === link.ifindex) : [];
    return [link, ...members].flatMap(({ ifindex }) => [...(this.#addresses.get(ifindex)?.values() ?? [])]);
  }
}

/** Neither still being probed for duplicates nor found to be one (RFC 4862, 5.4). */
const isUsable = ({ address, flags }: InterfaceAddress, family: Family): boolean =>
  familyOf(address.ip) === family && (flags & (ADDRESS_FLAG.tentative | ADDRESS_FLAG.dadFailed)) === 0;

const primary = (addresses: readonly InterfaceAddress[]): InterfaceAddress | undefined =>
  addresses.find(({ flags }) => (flags & ADDRESS_FLAG.secondary) === 0) ?? addresses[0];
