import { assert } from '../assert.ts';
import { lifetimeAt } from '../fence/lease.ts';
import { type Family, familyBits, familyOf, formatPrefix, type Prefix } from '../ip.ts';
import { ADDRESS_FLAG, FOREVER, type InterfaceAddress } from '../netlink/address.ts';
import { PROTOCOL_KEEPALIVED } from '../netlink/route.ts';
import { type Duration, type Instant, seconds, since, toSeconds } from '../time.ts';
import type { AddressFlag } from '../vrrp/settings.ts';
import type { AddressChange, HeldAddress } from './events.ts';

/** An address as it is on an interface, or is to be. */
export type Placed = Pick<InterfaceAddress, 'address' | 'peer' | 'protocol'>;

/** The mark of what we install, as of our routes: whatever has another maker, or none, is the host's own. */
export const OURS = PROTOCOL_KEEPALIVED;

/** Before all time. */
export const NEVER = Number.NEGATIVE_INFINITY as Instant;

/** Whoever holds addresses: a virtual router. */
export interface Owner {
  readonly name: string;
  readonly entries: Set<Entry>;
  /** Whole seconds; 0 for addresses without a lifetime. */
  lease: Duration;
  /** When its authority was last fresh; `NEVER` before its first advert left. */
  authority: Instant;
  /** When its votes end, where it needs any: no address with a lease outlives that. */
  until?: Instant | undefined;
}

/** The right to install an address now, for `lifetime` seconds. */
export interface Grant {
  readonly authority: Instant;
  readonly lease: Duration;
  readonly lifetime: number;
}

/** One address that is held, or is being removed. */
export interface Entry {
  readonly key: string;
  held: HeldAddress;
  readonly owners: Set<Owner>;
  /** What the last installation rested on; absent until the owners have installed it once. */
  covered?: Grant;
  /** The change under way. */
  pending?: { readonly op: AddressChange['op']; readonly grant?: Grant };
  /** When it came to the interface: its time as a preferred source runs from then. */
  installed?: Instant;
  /** No attempt before this: the last one failed. */
  notBefore: Instant;
  /** When it was last put back. */
  restored: Instant;
  /** It is missing while it is held: its return is told. */
  late: boolean;
  /** It is there with what can only be had anew: it goes first. */
  outdated: boolean;
  /** It was seen to go, which may be older than its return: that is seen later. */
  doubtful?: true;
  /** It is not ours, and the owners were told. */
  own?: true;
  /** The last problem reported, so that a lasting one is reported once. */
  problem?: string;
}

export function newEntry(key: string, held: HeldAddress): Entry {
  const times = { restored: NEVER, notBefore: NEVER };
  return { key, held, owners: new Set(), ...times, late: false, outdated: false };
}

/** As plain data: entries and owners by their keys and names. */
export const remembered = (entry: Entry) => ({
  ...entry,
  owners: Array.from(entry.owners, ({ name }) => name),
});
export const rememberedOwner = (owner: Owner) => ({
  ...owner,
  entries: Array.from(owner.entries, ({ key }) => key),
});

/** Makes them again. */
export function recallEntries(
  memory: {
    readonly owners: readonly ReturnType<typeof rememberedOwner>[];
    readonly entries: readonly ReturnType<typeof remembered>[];
  },
  owners: Map<string, Owner>,
  entries: Map<string, Entry>,
): void {
  for (const owner of memory.owners) owners.set(owner.name, { ...owner, entries: new Set() });
  for (const entry of memory.entries) {
    const those = entry.owners.map((name) => known(owners, name));
    entries.set(entry.key, { ...entry, owners: new Set(those) });
  }
  for (const { name, entries: keys } of memory.owners)
    for (const key of keys) known(owners, name).entries.add(known(entries, key));
}

/** The entry of a key that is remembered. */
export function known<E>(entries: ReadonlyMap<string, E>, key: string): E {
  const entry = entries.get(key);
  assert(entry !== undefined, `nothing is remembered of ${key}`);
  return entry;
}

/** What tells addresses apart in the kernel: IPv6 has an address once on an interface, IPv4 once a prefix. */
export function nameOf(dev: string, prefix: Prefix): string {
  return `${dev} ${familyOf(prefix.ip) === 6 ? prefix.ip : formatPrefix(prefix)}`;
}

/** Whether what the kernel has for `a` is right for `b`: of an address that is there it changes no attribute. */
export function sameAddress(a: HeldAddress, b: HeldAddress): boolean {
  const samePrefix = a.address.ip === b.address.ip && a.address.length === b.address.length;
  const sameFlags =
    a.preferred === b.preferred && [...(a.flags ?? [])].join() === [...(b.flags ?? [])].join();
  return (
    samePrefix &&
    sameFlags &&
    a.peer === b.peer &&
    a.scope === b.scope &&
    a.label === b.label &&
    a.broadcast === b.broadcast
  );
}

/** The best grant that the owners' authority gives at `now`; `undefined` when all of it is stale. */
export function grantOf(entry: Entry, now: Instant): Grant | undefined {
  let best: Grant | undefined;
  for (const { authority, lease, until } of entry.owners) {
    if (authority === NEVER) continue;
    const lifetime =
      lease === 0 ? FOREVER : lifetimeAt(lease, since(now, authority), until && since(until, now));
    if (lifetime !== undefined && lifetime > (best?.lifetime ?? 0)) best = { authority, lease, lifetime };
  }
  return best;
}

/** Whether the lifetime is to be set: a quarter of the lease is used, or the lease is another. */
export function isDue(entry: Entry, now: Instant): boolean {
  const grant = grantOf(entry, now);
  const { covered } = entry;
  if (grant === undefined || covered === undefined) return false;
  if (grant.lease !== covered.lease) return true;
  return grant.lease > 0 && since(grant.authority, covered.authority) >= grant.lease / 4;
}

/**
 * Whether it is to stay away: somebody removed it, and its owner does not mind (`no_track`). One whose lifetime is over
 * went by itself.
 */
export function staysAway({ held, covered }: Entry, now: Instant): boolean {
  if (held.tracked !== false || covered === undefined) return false;
  return covered.lease === 0 || since(now, covered.authority) < covered.lease;
}

const FLAGS: { readonly [F in AddressFlag]: number } = {
  home: ADDRESS_FLAG.home,
  mngtmpaddr: ADDRESS_FLAG.managesTemporary,
  noprefixroute: ADDRESS_FLAG.noPrefixRoute,
  autojoin: ADDRESS_FLAG.autoJoin,
  '-nodad': 0,
};

/** IPv6 without duplicate detection unless it is asked for: VRRP has decided who holds the address. */
function flagsOf({ flags = [] }: HeldAddress, family: Family): number {
  const quiet = family === 6 && !flags.includes('-nodad') ? ADDRESS_FLAG.noDad : 0;
  return flags.reduce((bits, flag) => bits | FLAGS[flag], quiet);
}

/**
 * The address as it is to be in the kernel. An IPv6 /128 is deprecated from the start, as keepalived's, so that it is
 * never chosen as a source. `age`: how long it has been there, of which `preferred_lft` is used up.
 */
export function installation(
  held: HeldAddress,
  { address, peer }: Placed,
  ifindex: number,
  lifetime = FOREVER,
  age = seconds(0),
): InterfaceAddress {
  const family = familyOf(address.ip);
  return {
    ifindex,
    address,
    ...(peer !== undefined && { peer }),
    scope: held.scope,
    flags: flagsOf(held, family),
    ...(held.label !== undefined && { label: held.label }),
    ...(held.broadcast !== undefined && { broadcast: held.broadcast }),
    protocol: OURS,
    valid: lifetime,
    preferred: Math.min(preferredFor(held, family, age), lifetime),
  };
}

/** Seconds, `FOREVER` without an end. */
function preferredFor({ preferred, address }: HeldAddress, family: Family, age: Duration): number {
  if (preferred === 'forever') return FOREVER;
  if (preferred !== undefined) return Math.max(0, preferred - Math.floor(toSeconds(age)));
  return family === 6 && address.length === familyBits(6) ? 0 : FOREVER;
}
