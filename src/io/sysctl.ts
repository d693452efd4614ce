import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Original, pathOf } from '../core/reconcile/originals.ts';

const NET = '/proc/sys/net';
const IPV4 = 'ipv4/conf';
const STRICT = 1;

/** The value of a setting below /proc/sys/net; `undefined` where the kernel has no such. */
export function readSysctl(path: string): string | undefined {
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
 * Whether the kernel still has what we set: an interface that was made anew, or that somebody else has set since, has
 * nothing of ours that could be put back.
 */
export const isStillOurs = (original: Original): boolean =>
  readSysctl(pathOf(original)) === String(original.ours);

/**
 * Strict reverse-path checks for all interfaces would drop what a VMAC receives: the way back leads through the
 * interface below. Relaxing moves them from `all` to each other interface that has none (the greater of the two counts
 * for an interface), so that nothing but VMACs loses its protection.
 */
export class ReversePath {
  readonly #changed = new Changed('rp_filter');

  /** Why it could not be done, if so. Does nothing where `all` is not strict. */
  relax(): string | undefined {
    if (this.#changed.read('all') !== STRICT) return undefined;
    for (const device of readdirSync(`${NET}/${IPV4}`)) {
      if (device !== 'all' && this.#changed.read(device) === 0) this.#changed.set(device, STRICT);
    }
    const why = this.#changed.set('all', 0);
    return why === undefined ? undefined : `net.ipv4.conf.all.rp_filter drops what VMACs receive: ${why}`;
  }

  /** What an earlier life changed. */
  inherit(originals: readonly Original[]): void {
    this.#changed.inherit(originals);
  }

  originals(): Original[] {
    return this.#changed.originals();
  }

  restore(): string | undefined {
    const failed = this.#changed.originals().map(({ device }) => this.#changed.restore(device));
    return failed.find((why) => why !== undefined);
  }
}

/** `promote_secondaries` of interfaces: on where it is wanted, as it was before where not any more. */
export class PromoteSecondaries {
  /** The interfaces where we turned it on. */
  readonly #ours = new Changed('promote_secondaries');

  /** What an earlier life turned on. */
  inherit(originals: readonly Original[]): void {
    this.#ours.inherit(originals);
  }

  originals(): Original[] {
    return this.#ours.originals();
  }

  /** Exactly these interfaces from now on; why it could not be done, if so. */
  want(devices: Iterable<string>): string | undefined {
    const wanted = new Set(devices);
    let trouble: string | undefined;
    for (const { device } of this.#ours.originals()) if (!wanted.has(device)) this.#ours.restore(device);
    for (const device of wanted) {
      if (this.#ours.read(device) !== 0) continue;
      const why = this.#ours.set(device, 1);
      if (why !== undefined) trouble ??= `promote_secondaries of ${device}: ${why}`;
    }
    return trouble;
  }
}

/** One setting of several interfaces, with what it was where we changed it. */
class Changed {
  readonly #setting: Original['setting'];
  readonly #originals = new Map<string, Original>();

  constructor(setting: Original['setting']) {
    this.#setting = setting;
  }

  /** Its value; `undefined` where the kernel has no such. */
  read(device: string): number | undefined {
    const value = readSysctl(pathOf({ device, setting: this.#setting }));
    return value === undefined ? undefined : Number(value);
  }

  inherit(originals: readonly Original[]): void {
    for (const original of originals) {
      if (original.setting === this.#setting) this.#originals.set(original.device, original);
    }
  }

  originals(): Original[] {
    return [...this.#originals.values()];
  }

  /** Why not, if not. What it was at first is remembered. */
  set(device: string, ours: number): string | undefined {
    const setting = this.#setting;
    const now = this.read(device);
    const why = writeSysctl(pathOf({ device, setting }), String(ours));
    if (why !== undefined || now === undefined) return why;
    const { before = now } = this.#originals.get(device) ?? {};
    this.#originals.set(device, { device, setting, before, ours });
    return undefined;
  }

  restore(device: string): string | undefined {
    const original = this.#originals.get(device);
    this.#originals.delete(device);
    return original && writeSysctl(pathOf(original), String(original.before));
  }
}

const LOCAL_REPORTS = 'ipv4/igmp_link_local_mcast_reports';

/** Reports of groups in 224.0.0.0/24, which switches pass on to everybody anyway: off while it is wanted. */
export class LocalReports {
  #before: string | undefined;

  /** Why it could not be done, if so. */
  silence(quiet: boolean): string | undefined {
    if (quiet === (this.#before !== undefined)) return undefined;
    const now = readSysctl(LOCAL_REPORTS);
    const why = writeSysctl(LOCAL_REPORTS, quiet ? '0' : (this.#before ?? '1'));
    this.#before = quiet && why === undefined ? now : undefined;
    return why && `disable_local_igmp: ${why}`;
  }
}
