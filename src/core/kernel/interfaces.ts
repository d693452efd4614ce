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
  readonly #addresses = new Map<string, InterfaceAddress>();

  link(link: Link, present: boolean): void {
    if (present) this.#links.set(link.ifindex, link);
    else this.#links.delete(link.ifindex);
  }

  /** A renewed address keeps its place: the first one seen of a subnet is its primary. */
  address(address: InterfaceAddress, present: boolean): void {
    const key = `${address.ifindex} ${formatPrefix(address.address)}`;
    if (present) this.#addresses.set(key, address);
    else this.#addresses.delete(key);
  }

  /** Forgets everything: a new dump follows. */
  clear(): void {
    this.#links.clear();
    this.#addresses.clear();
  }

  all(): Link[] {
    return [...this.#links.values()];
  }

  named(name: string): Link | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }

  /** Whether an interface has an address, with that prefix length. */
  has(name: string, address: Prefix): boolean {
    const link = this.named(name);
    return link !== undefined && this.#addresses.has(`${link.ifindex} ${formatPrefix(address)}`);
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
    const usable = [...this.#addresses.values()].filter(
      (address) =>
        this.#carries(link, address.ifindex) && isUsable(address, family) && !virtual.has(address.address.ip),
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

  /** Whether addresses of the interface with this number are a VRF's, or the interface's own. */
  #carries(link: Link, ifindex: number): boolean {
    if (link.ifindex === ifindex) return true;
    return link.kind === 'vrf' && this.#links.get(ifindex)?.master === link.ifindex;
  }
}

/** Neither still being probed for duplicates nor found to be one (RFC 4862, 5.4). */
const isUsable = ({ address, flags }: InterfaceAddress, family: Family): boolean =>
  familyOf(address.ip) === family && (flags & (ADDRESS_FLAG.tentative | ADDRESS_FLAG.dadFailed)) === 0;

const primary = (addresses: readonly InterfaceAddress[]): InterfaceAddress | undefined =>
  addresses.find(({ flags }) => (flags & ADDRESS_FLAG.secondary) === 0) ?? addresses[0];
