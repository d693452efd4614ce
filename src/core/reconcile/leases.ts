import { unreachable } from '../assert.ts';
import { filterTimeout } from '../fence/lease.ts';
import { type Ip, isLinkLocal } from '../ip.ts';
import type { Machine } from '../machine.ts';
import type { InterfaceAddress } from '../netlink/address.ts';
import type { Link } from '../netlink/link.ts';
import { after, type Duration, type Instant, micros, millis, seconds, since } from '../time.ts';
import { known, NEVER, OURS } from './entry.ts';
import type { HeldAddress } from './events.ts';
import type { Guarded, LeaseStep, LeasesEffect, LeasesEvent, Transacted } from './lease-events.ts';

/** What failed is tried again with an advert, when so much time has passed. */
const RETRY_PAUSE = seconds(10);
/** Somebody who removes the table again and again is spoken of now and then. */
const REPORT_PAUSE = seconds(60);
/** So short a grant that the next request ends it. */
const SHORTEST = 1;

interface Owner {
  readonly lease: number;
  authority: Instant;
  term: Duration;
  until?: Instant | undefined;
  /** The kernel's lease is good until then at least; absent when it may be over. */
  good?: Instant;
}

/** An address that is held, or still on an interface where it was. */
interface Entry {
  where: Guarded;
  readonly devs: Set<string>;
  /** The last one's lease is the one that counts. */
  readonly owners: Set<Owner>;
  /** The lease that it belongs to in the kernel. */
  guarded?: number;
}

/**
 * Which virtual addresses packets may be answered for, and until when, in tables of nf_tables: `lease-table.ts`. What
 * an owner (a virtual router) holds is guarded before it is on an interface and until it is not any more, and the
 * owner's lease is renewed with its authority, never otherwise. What nobody holds is not guarded: a director that is a
 * real server too has the address of its virtual server on `lo`. The host's own addresses are never guarded.
 *
 * Tables that have gone (`nft flush ruleset`) are noticed when something in them is to be changed, and made anew.
 */
export class Leases implements Machine<LeasesEvent, LeasesEffect> {
  readonly #marks: boolean;
  readonly #tick: Duration;
  readonly #owners = new Map<string, Owner>();
  readonly #entries = new Map<string, Entry>();
  readonly #names = new Map<number, string>();
  readonly #numbers = new Map<string, number>();
  /** By interface and address: whether it is ours. */
  readonly #shown = new Map<string, boolean>();
  /** The leases that the kernel knows. */
  readonly #opened = new Set<number>();
  #table: string | undefined;
  #state: 'none' | 'making' | 'there' | 'failed' = 'none';
  #hadFailed = false;
  #retry = NEVER;
  #reported = NEVER;
  #lastLease = 0;
  #steps: LeaseStep[] = [];
  #effects: LeasesEffect[] = [];

  /**
   * `marks`: the kernel keeps who made an address; without, none counts as the host's own. `tick`: of the clock that
   * the kernel measures leases by.
   */
  constructor(marks: boolean, tick: Duration) {
    this.#marks = marks;
    this.#tick = tick;
  }

  handle(event: LeasesEvent, now: Instant): void {
    switch (event.type) {
      case 'links':
        if (this.#setLinks(event.links)) this.#make(now);
        break;
      case 'shown':
        this.#shown.clear();
        for (const address of event.addresses) this.#see(address, true);
        this.#settle(this.#entries.values());
        break;
      case 'seen': {
        const entry = this.#see(event.address, event.present);
        if (entry !== undefined) this.#settle([entry]);
        break;
      }
      case 'begin':
        if (this.#state === 'there' && this.#table === event.table) break;
        this.#table = event.table;
        this.#make(now);
        break;
      case 'hold':
        this.#hold(event, now);
        break;
      case 'renew':
        this.#renew(event, now);
        break;
      case 'release':
        this.#release(event.owner);
        this.#shut(event.leftovers ?? []);
        break;
      case 'settle':
        this.#settle([...this.#entries.values()].filter(({ owners }) => owners.size === 0));
        break;
      case 'stop':
        if (this.#table !== undefined && this.#state !== 'none') this.#steps = [{ op: 'remove' }];
        this.#state = 'none';
        break;
      case 'done':
        this.#done(event.outcome, now);
        break;
      default:
        unreachable(event);
    }
    if (this.#steps.length > 0 && this.#table !== undefined)
      this.#effects.push({ type: 'transact', table: this.#table, steps: this.#steps });
    this.#steps = [];
  }

  deadline(): undefined {
    return undefined;
  }

  timeout(): void {
    // A lease ends in the kernel.
  }

  take(): LeasesEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Whether nobody holds the address, and it is not answered for. */
  shuts(dev: string, address: Ip): boolean {
    const { owners, guarded } = this.#entries.get(keyOf(dev, address)) ?? {};
    return this.#state === 'there' && owners?.size === 0 && guarded !== undefined;
  }

  /** Owners by their names, entries by their keys. */
  memory() {
    const names = new Map(Array.from(this.#owners, ([name, owner]) => [owner, name]));
    const entries = Array.from(this.#entries, ([key, { devs, owners, ...entry }]) => ({
      ...entry,
      key,
      devs: [...devs],
      owners: [...owners].flatMap((owner) => names.get(owner) ?? []),
    }));
    return {
      owners: new Map(Array.from(this.#owners, ([name, owner]) => [name, { ...owner }])),
      entries,
      names: new Map(this.#names),
      numbers: new Map(this.#numbers),
      shown: new Map(this.#shown),
      opened: new Set(this.#opened),
      table: this.#table,
      state: this.#state,
      hadFailed: this.#hadFailed,
      retry: this.#retry,
      reported: this.#reported,
      lastLease: this.#lastLease,
    };
  }

  recall(memory: ReturnType<Leases['memory']>): void {
    for (const [name, owner] of memory.owners) this.#owners.set(name, { ...owner });
    for (const { key, devs, owners, ...entry } of memory.entries) {
      const holders = owners.map((name) => known(this.#owners, name));
      this.#entries.set(key, { ...entry, devs: new Set(devs), owners: new Set(holders) });
    }
    for (const [ifindex, name] of memory.names) this.#names.set(ifindex, name);
    for (const [name, ifindex] of memory.numbers) this.#numbers.set(name, ifindex);
    for (const [key, ours] of memory.shown) this.#shown.set(key, ours);
    for (const lease of memory.opened) this.#opened.add(lease);
    [this.#table, this.#state, this.#lastLease] = [memory.table, memory.state, memory.lastLease];
    [this.#hadFailed, this.#retry, this.#reported] = [memory.hadFailed, memory.retry, memory.reported];
  }

  /** Whether an address that is held has its interface under another number. */
  #setLinks(links: readonly Link[]): boolean {
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
      moved ||= this.#state === 'there';
    }
    return moved;
  }

  #see({ ifindex, address: { ip }, protocol }: InterfaceAddress, present: boolean): Entry | undefined {
    const dev = this.#names.get(ifindex);
    if (dev === undefined) return undefined;
    if (present) this.#shown.set(`${dev} ${ip}`, !this.#marks || protocol === OURS);
    else this.#shown.delete(`${dev} ${ip}`);
    const entry = this.#entries.get(keyOf(dev, ip));
    return entry?.devs.has(dev) === true ? entry : undefined;
  }

  #hold(
    { owner: name, addresses, term, until, unsent = false }: LeasesEvent & { type: 'hold' },
    now: Instant,
  ): void {
    if (term === 0 || addresses.length === 0) {
      this.#release(name);
      return;
    }
    const owner: Owner = this.#owners.get(name) ?? { lease: ++this.#lastLease, authority: NEVER, term };
    this.#owners.set(name, owner);
    const wanted = new Set(addresses.map((held) => this.#entryOf(held)));
    const before = [...this.#entries.values()].filter((entry) => entry.owners.has(owner));
    for (const entry of before) if (!wanted.has(entry)) entry.owners.delete(owner);
    for (const entry of wanted) entry.owners.add(owner);
    this.#settle(wanted);
    if (unsent) [owner.term, owner.until] = [term, until];
    else this.#renew({ type: 'renew', owner: name, term, until }, now);
  }

  #renew({ owner: name, term, until }: LeasesEvent & { type: 'renew' }, now: Instant): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) return;
    owner.authority = now;
    owner.term = term;
    owner.until = until;
    if (this.#state === 'failed' && now >= this.#retry) this.#make(now);
    else this.#grant(owner, now);
  }

  /** Nothing is answered from now on. */
  #release(name: string): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) return;
    this.#owners.delete(name);
    for (const entry of this.#entries.values()) entry.owners.delete(owner);
    const { lease } = owner;
    // It may have run out: ended is only what is there for certain.
    if (this.#isKnown(lease))
      this.#steps.push({ op: 'grant', lease, timeout: SHORTEST }, { op: 'end', lease });
  }

  /** The table is not made yet: when it is, nobody answers for what an earlier life has left, and is there still. */
  #shut(leftovers: readonly HeldAddress[]): void {
    if (this.#state === 'there') return;
    const there = leftovers.filter(({ dev, address }) => this.#shown.get(`${dev} ${address.ip}`) === true);
    if (there.length === 0) return;
    const lease = ++this.#lastLease;
    for (const held of there) {
      const entry = this.#entryOf(held);
      if (entry.owners.size === 0) entry.guarded ??= lease;
    }
  }

  #entryOf({ dev, address: { ip } }: HeldAddress): Entry {
    const key = keyOf(dev, ip);
    const known = this.#entries.get(key);
    known?.devs.add(dev);
    if (known !== undefined) return known;
    const where = isLinkLocal(ip) ? { address: ip, ifindex: this.#numbers.get(dev) } : { address: ip };
    const entry: Entry = { where, devs: new Set([dev]), owners: new Set() };
    this.#entries.set(key, entry);
    return entry;
  }

  // What belongs to which lease.

  /** The lease that an address should belong to; none for one that is nobody's, the host's own, or nowhere. */
  #wantedOf({ where, devs, owners, guarded }: Entry): number | undefined {
    if (isLinkLocal(where.address) && where.ifindex === undefined) return undefined;
    const shown = [...devs].map((dev) => this.#shown.get(`${dev} ${where.address}`));
    if (shown.includes(false)) return undefined;
    const [last] = [...owners].reverse();
    if (last !== undefined) return last.lease;
    return shown.includes(true) ? guarded : undefined;
  }

  /** Brings the kernel's maps to what they should be for these, in as few requests as there are leases. */
  #settle(entries: Iterable<Entry>): void {
    const free: Guarded[] = [];
    const guard = new Map<number, Guarded[]>();
    for (const entry of entries) {
      const wanted = this.#wantedOf(entry);
      if (wanted === undefined && entry.owners.size === 0) this.#entries.delete(keyOfEntry(entry));
      if (this.#state !== 'there' || wanted === entry.guarded) continue;
      if (entry.guarded !== undefined) free.push(entry.where);
      if (wanted === undefined) delete entry.guarded;
      else {
        entry.guarded = wanted;
        const together = guard.get(wanted) ?? [];
        together.push(entry.where);
        guard.set(wanted, together);
      }
    }
    if (this.#table === undefined || free.length + guard.size === 0) return;
    if (free.length > 0) this.#steps.push({ op: 'unguard', guarded: free });
    for (const [lease, guarded] of guard) {
      this.#open(lease);
      this.#steps.push({ op: 'guard', lease, guarded });
    }
    if (free.length > 0) this.#closeIdle();
  }

  #open(lease: number): void {
    if (this.#opened.has(lease)) return;
    this.#opened.add(lease);
    this.#steps.push({ op: 'open', lease });
  }

  /** Leases that nobody owns any more, and no address belongs to. */
  #closeIdle(): void {
    const used = new Set(Array.from(this.#owners.values(), ({ lease }) => lease));
    for (const { guarded } of this.#entries.values()) if (guarded !== undefined) used.add(guarded);
    for (const lease of this.#opened) {
      if (used.has(lease)) continue;
      this.#opened.delete(lease);
      this.#steps.push({ op: 'close', lease });
    }
  }

  // Leases.

  #grant(owner: Owner, now: Instant): void {
    const { lease, good = NEVER } = owner;
    const timeout = timeoutOf(owner, this.#tick, now);
    if (!this.#isKnown(lease) || timeout === undefined) return;
    // One that may have run out is had for certain first: what is not there cannot be ended.
    if (good <= now) this.#steps.push({ op: 'grant', lease, timeout });
    this.#steps.push({ op: 'end', lease }, { op: 'grant', lease, timeout });
    owner.good = after(now, micros(millis(timeout) - 2 * this.#tick));
  }

  /** Whether the kernel knows the lease. */
  #isKnown(lease: number): boolean {
    return this.#state === 'there' && this.#opened.has(lease);
  }

  /** All anew, in one transaction. */
  #make(now: Instant): void {
    if (this.#table === undefined) return;
    this.#steps = [{ op: 'make' }];
    this.#state = 'there';
    this.#opened.clear();
    const entries = [...this.#entries.values()];
    // What is still there although nobody holds it stays shut.
    const kept = new Map(entries.map((entry) => [entry, this.#wantedOf(entry)]));
    for (const entry of entries) delete entry.guarded;
    this.#settle(entries.filter(({ owners }) => owners.size > 0));
    for (const entry of entries) {
      const lease = entry.owners.size === 0 ? kept.get(entry) : undefined;
      if (lease === undefined) continue;
      entry.guarded = lease;
      this.#open(lease);
      this.#steps.push({ op: 'guard', lease, guarded: [entry.where] });
    }
    for (const owner of this.#owners.values()) {
      delete owner.good;
      this.#grant(owner, now);
    }
    this.#state = 'making';
  }

  #done(outcome: Transacted, now: Instant): void {
    const table = this.#table ?? '';
    if (outcome.errno === 0) {
      if (this.#state !== 'making') return;
      this.#state = 'there';
      this.#retry = NEVER;
      const again = this.#hadFailed;
      if (again && since(now, this.#reported) < REPORT_PAUSE) return;
      if (again) this.#reported = now;
      this.#effects.push({ type: 'works', table, again });
      return;
    }
    if (this.#state === 'there') {
      this.#hadFailed = true;
      this.#make(now);
      return;
    }
    if (this.#state !== 'making') return;
    if (!this.#hadFailed || this.#retry === NEVER) this.#effects.push({ type: 'fails', table, outcome });
    this.#state = 'failed';
    this.#hadFailed = true;
    this.#retry = after(now, RETRY_PAUSE);
  }
}

/** IPv6 has a link-local address once on an interface; the others are the same everywhere. */
const keyOf = (dev: string, address: Ip): string => (isLinkLocal(address) ? `${dev} ${address}` : address);

function keyOfEntry({ devs, where }: Entry): string {
  const [dev = ''] = devs;
  return keyOf(dev, where.address);
}

const timeoutOf = ({ authority, term, until }: Owner, tick: Duration, now: Instant): number | undefined =>
  authority === NEVER
    ? undefined
    : filterTimeout(term, tick, since(now, authority), until && since(until, now));
