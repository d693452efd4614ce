import { formatPrefix, parsePrefix } from '../../../src/core/ip.ts';
import { FOREVER, type InterfaceAddress } from '../../../src/core/netlink/address.ts';
import type { AddressChange } from '../../../src/core/reconcile/events.ts';
import { after, type Instant, seconds } from '../../../src/core/time.ts';

interface Kept {
  readonly address: InterfaceAddress;
  readonly expires: Instant | undefined;
}
interface Sighting {
  readonly address: InterfaceAddress;
  readonly present: boolean;
}

const ERRNO = { exists: 17, notAvailable: 99 } as const;

/** How Linux keeps IPv4 addresses of several interfaces: by prefix, with lifetimes that it enforces itself. */
export class KernelAddresses {
  readonly #kept = new Map<string, Kept>();
  #heard: Sighting[] = [];
  /** The next changes fail with these. */
  failures: number[] = [];

  all(): InterfaceAddress[] {
    return Array.from(this.#kept.values(), ({ address }) => address);
  }

  /** What it has said since the last time. */
  news(): Sighting[] {
    return this.#heard.splice(0);
  }

  /** The host gets one by itself; or, with our mark, one was left by an earlier life. */
  own(ifindex: number, text: string, protocol?: number): void {
    const address = parsePrefix(text);
    if (address === undefined) throw new RangeError(text);
    const plain = { scope: 0, flags: 0, valid: FOREVER, preferred: FOREVER };
    this.#keep({ ifindex, address, ...plain, ...(protocol !== undefined && { protocol }) }, undefined);
  }

  /** The errno of the change. */
  apply({ op, address }: AddressChange, now: Instant): number {
    const failure = this.failures.shift();
    if (failure !== undefined) return failure;
    const known = this.#kept.has(keyOf(address));
    if (op === 'remove') return known ? this.#remove(address) : ERRNO.notAvailable;
    if (op === 'add' && known) return ERRNO.exists;
    const expires = address.valid === FOREVER ? undefined : after(now, seconds(address.valid));
    // The monitor does not listen to renewals.
    this.#keep(address, expires, op === 'renew');
    return 0;
  }

  nextExpiry(): Instant | undefined {
    const all = Array.from(this.#kept.values(), ({ expires }) => expires).filter((at) => at !== undefined);
    return all.length > 0 ? (Math.min(...all) as Instant) : undefined;
  }

  expire(now: Instant): void {
    for (const { address, expires } of [...this.#kept.values()])
      if (expires !== undefined && expires <= now) this.#remove(address);
  }

  /** Somebody removes one. */
  steal(text: string): void {
    for (const { address } of [...this.#kept.values()])
      if (formatPrefix(address.address) === text) this.#remove(address);
  }

  #keep(address: InterfaceAddress, expires: Instant | undefined, quiet = false): void {
    this.#kept.set(keyOf(address), { address, expires });
    if (!quiet) this.#heard.push({ address, present: true });
  }

  #remove(address: InterfaceAddress): 0 {
    const known = this.#kept.get(keyOf(address));
    this.#kept.delete(keyOf(address));
    if (known !== undefined) this.#heard.push({ address: known.address, present: false });
    return 0;
  }
}

const keyOf = ({ ifindex, address }: InterfaceAddress): string => `${ifindex} ${formatPrefix(address)}`;
