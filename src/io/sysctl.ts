import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const NET = '/proc/sys/net';
const IPV4 = 'ipv4/conf';
const STRICT = '1';

/** The value of a setting below /proc/sys/net; `undefined` where the kernel has no such. */
function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`${NET}/${path}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}

/**
 * Sets a value below /proc/sys/net; why not, if not. One that is right already is not written: /proc/sys may be
 * read-only. One that the kernel does not have is left alone: without IPv6 there is nothing to set.
 */
export function writeSysctl(path: string, value: string): string | undefined {
  const now = readSysctl(path);
  if (now === undefined || now === value) return undefined;
  try {
    writeFileSync(`${NET}/${path}`, value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Whether the interface forwards IPv6 (net.ipv6.conf.DEV.forwarding); false where there is no IPv6. */
export const forwardsIpv6 = (device: string): boolean =>
  (readSysctl(`ipv6/conf/${device}/forwarding`) ?? '0') !== '0';

/**
 * Strict reverse-path checks for all interfaces would drop what a VMAC receives: the way back leads through the
 * interface below. Relaxing moves them from `all` to each other interface that has none (the greater of the two counts
 * for an interface), so that nothing but VMACs loses its protection.
 */
export class ReversePath {
  /** What was changed, with what it was before. */
  readonly #before = new Map<string, string>();

  /** Why it could not be done, if so. Does nothing where `all` is not strict. */
  relax(): string | undefined {
    const all = `${IPV4}/all/rp_filter`;
    if (readSysctl(all) !== STRICT) return undefined;
    const others = readdirSync(`${NET}/${IPV4}`).map((device) => `${IPV4}/${device}/rp_filter`);
    for (const path of others) if (path !== all && readSysctl(path) === '0') this.#set(path, STRICT);
    const why = this.#set(all, '0');
    return why === undefined ? undefined : `net.ipv4.conf.all.rp_filter drops what VMACs receive: ${why}`;
  }

  restore(): string | undefined {
    const failed = [...this.#before].map(([path, value]) => writeSysctl(path, value));
    this.#before.clear();
    return failed.find((why) => why !== undefined);
  }

  #set(path: string, value: string): string | undefined {
    const now = readSysctl(path);
    const why = writeSysctl(path, value);
    if (why === undefined && now !== undefined) this.#before.set(path, now);
    return why;
  }
}

/** `promote_secondaries` of interfaces: on where it is wanted, as it was before where not any more. */
export class PromoteSecondaries {
  /** The interfaces where we turned it on. */
  readonly #ours = new Set<string>();

  /** Exactly these interfaces from now on; why it could not be done, if so. */
  want(devices: Iterable<string>): string | undefined {
    const wanted = new Set(devices);
    let trouble: string | undefined;
    for (const device of this.#ours) {
      if (wanted.has(device)) continue;
      this.#ours.delete(device);
      writeSysctl(pathOf(device), '0');
    }
    for (const device of wanted) {
      if (readSysctl(pathOf(device)) !== '0') continue;
      const why = writeSysctl(pathOf(device), '1');
      if (why === undefined) this.#ours.add(device);
      else trouble ??= `promote_secondaries of ${device}: ${why}`;
    }
    return trouble;
  }
}

const pathOf = (device: string): string => `${IPV4}/${device}/promote_secondaries`;
