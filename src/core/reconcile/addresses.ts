import { assert, unreachable } from '../assert.ts';
import { formatPrefix } from '../ip.ts';
import type { Machine } from '../machine.ts';
import { inBatches } from '../netlink/message.ts';
import { after, type Duration, earliest, type Instant, seconds, since } from '../time.ts';
import { type ChangeResult, problemOf } from './changes.ts';
import {
  type Entry,
  grantOf,
  installation,
  isDue,
  known,
  NEVER,
  nameOf,
  newEntry,
  OURS,
  type Owner,
  recallEntries,
  remembered,
  rememberedOwner,
  sameAddress,
  staysAway,
} from './entry.ts';
import type { AddressChange, AddressesEffect, AddressesEvent, HeldAddress } from './events.ts';
import { lingering } from './lingering.ts';
import { Renewals } from './renewals.ts';
import { ShownAddresses } from './shown.ts';
import { Underway } from './underway.ts';

/** An address that somebody keeps removing, or that the kernel refuses, is tried again this often. */
const RETRY_PAUSE: Duration = seconds(1);
const ERRNO = { none: 0, exists: 17, noDevice: 19, notAvailable: 99 } as const;

type Of<T extends AddressesEvent['type']> = Extract<AddressesEvent, { type: T }>;

/**
 * Which virtual addresses should be on which interface, against what the kernel shows: desired state. Owners
 * (virtual routers) hold and release addresses; the difference becomes changes for rtnetlink, one in flight
 * for each address.
 *
 * An address held with a lease gets the kernel's lifetime and is renewed while its owner's authority is fresh
 * (an advert was just sent), never otherwise: what a frozen owner held goes by itself. One that vanishes
 * although it is held (the lease ran out during a stall, somebody removed it, its primary went and took it
 * along) is put back under the same rule, and the owner is told.
 *
 * The monitor's events lag behind our own changes by a turn. Putting back replaces, so that acting on a stale
 * event does no harm. It does not tell of renewals: one that put an address back that somebody had just removed is
 * followed by the news that it is gone, and it is put back again.
 */
export class Addresses implements Machine<AddressesEvent, AddressesEffect> {
  readonly #marks: boolean;
  /** What the kernel has, held by us or not. */
  readonly #shown = new ShownAddresses();
  readonly #owners = new Map<string, Owner>();
  readonly #entries = new Map<string, Entry>();
  readonly #underway = new Underway<Entry>();
  readonly #renewals = new Renewals();
  #changes: AddressChange[] = [];
  #effects: AddressesEffect[] = [];
  #paused = false;

  /** `marks`: the kernel keeps who made an address. Without, one that is there counts as left by an earlier life. */
  constructor(marks = false) {
    this.#marks = marks;
  }

  handle(event: AddressesEvent, now: Instant): void {
    switch (event.type) {
      case 'links': {
        const changed = this.#shown.setLinks(event.links);
        if (changed.size === 0) break;
        for (const entry of [...this.#entries.values()]) {
          if (changed.has(entry.held.dev)) this.#settle(entry, now);
        }
        break;
      }
      case 'shown':
        this.#shown.clear();
        for (const address of event.addresses) this.#shown.see(address, true);
        this.#settleAll(now);
        break;
      case 'seen': {
        const key = this.#shown.see(event.address, event.present);
        const entry = key === undefined ? undefined : this.#entries.get(key);
        if (entry === undefined) break;
        if (event.present) delete entry.doubtful;
        else if (entry.owners.size > 0) entry.doubtful = true;
        this.#settle(entry, now);
        break;
      }
      case 'hold':
        this.#hold(event, now);
        this.#sendRenewals(now);
        break;
      case 'renew':
        this.#renew(event, now);
        this.#sendRenewals(now);
        break;
      case 'release':
        this.#release(event.owner, event.leftovers ?? [], now);
        break;
      case 'pause':
        this.#paused = true;
        break;
      case 'resume':
        this.#paused = false;
        this.#settleAll(now);
        break;
      case 'done':
        this.#done(event.results, now);
        break;
      default:
        unreachable(event);
    }
    this.#send();
  }

  deadline(): Instant | undefined {
    return earliest(this.#renewals.deadline(), this.#underway.deadline());
  }

  timeout(now: Instant): void {
    for (const entry of this.#underway.due(now)) this.#settle(entry, now);
    this.#sendRenewals(now);
    this.#send();
  }

  take(): AddressesEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    return {
      shown: this.#shown.memory(),
      owners: Array.from(this.#owners.values(), rememberedOwner),
      entries: Array.from(this.#entries.values(), remembered),
      ...this.#underway.memory(),
      renewals: this.#renewals.memory(),
      paused: this.#paused,
    };
  }

  recall(memory: ReturnType<Addresses['memory']>): void {
    this.#shown.recall(memory.shown);
    recallEntries(memory, this.#owners, this.#entries);
    this.#underway.recall(memory, (key) => known(this.#entries, key));
    this.#renewals.recall(memory.renewals, this.#entries);
    this.#paused = memory.paused;
  }

  readonly lingering = (): string[] => lingering(this.#entries, this.#shown, (one) => this.#isHosts(one));

  #hold({ owner: name, addresses, lease, until, unsent = false }: Of<'hold'>, now: Instant): void {
    const owner: Owner = this.#owners.get(name) ?? { name, entries: new Set(), lease, authority: NEVER };
    this.#owners.set(name, owner);
    owner.lease = lease;
    if (!unsent) owner.authority = now;
    owner.until = until;
    const before = new Set(owner.entries);
    for (const held of addresses) {
      for (const other of this.#alikeOf(held)) before.add(other);
      const entry = this.#entryOf(held);
      // The kernel changes neither label nor scope of an address that is there.
      if (!sameAddress(entry.held, held)) entry.outdated = true;
      entry.held = held;
      if (held.tracked === false && !this.#shown.has(entry.held.dev, entry.key)) delete entry.covered;
      entry.owners.add(owner);
      owner.entries.add(entry);
      before.delete(entry);
    }
    for (const entry of before) this.#abandon(entry, owner);
    for (const entry of [...before, ...owner.entries]) this.#settle(entry, now);
  }

  #renew({ owner: name, until }: Of<'renew'>, now: Instant): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) return;
    owner.authority = now;
    owner.until = until;
    for (const entry of owner.entries) this.#settle(entry, now);
  }

  #release(name: string, leftovers: readonly HeldAddress[], now: Instant): void {
    const owner = this.#owners.get(name);
    this.#owners.delete(name);
    const entries = new Set(leftovers.flatMap((held) => [...this.#alikeOf(held), this.#entryOf(held)]));
    for (const entry of entries) this.#tellLeftover(entry, owner, name);
    for (const entry of [...(owner?.entries ?? [])]) entries.add(this.#abandon(entry, owner));
    for (const entry of entries) this.#settle(entry, now);
  }

  /** What an earlier life left in the place of an address, with another prefix length. */
  #alikeOf(held: HeldAddress): Entry[] {
    if (!this.#marks) return [];
    const { dev, address } = held;
    const known = (key: string): boolean => key === nameOf(dev, address) || this.#entries.has(key);
    return this.#shown
      .withAddress(dev, address.ip)
      .filter((placed) => placed.protocol === OURS && !known(nameOf(dev, placed.address)))
      .map((placed) => this.#entryOf({ ...held, address: placed.address }));
  }

  #tellLeftover(entry: Entry, owner: Owner | undefined, name: string): void {
    if (entry.owners.size > 0 || owner?.entries.has(entry)) return;
    if (!this.#shown.has(entry.held.dev, entry.key) || entry.pending !== undefined) return;
    const type = this.#isHosts(entry) ? 'own' : 'leftover';
    this.#effects.push({ type, owner: name, address: entry.held });
  }

  /** Whether what is there was made by somebody else. */
  #isHosts({ held: { dev }, key }: Entry): boolean {
    return this.#marks && this.#shown.get(dev, key)?.protocol !== OURS;
  }

  #entryOf(held: HeldAddress): Entry {
    const key = nameOf(held.dev, held.address);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = newEntry(key, held);
    this.#entries.set(key, entry);
    return entry;
  }

  #abandon(entry: Entry, owner: Owner | undefined): Entry {
    if (owner !== undefined) entry.owners.delete(owner);
    owner?.entries.delete(entry);
    if (entry.owners.size > 0) return entry;
    delete entry.covered;
    delete entry.installed;
    entry.late = false;
    entry.notBefore = NEVER;
    return entry;
  }

  #settleAll(now: Instant): void {
    for (const entry of this.#entries.values()) this.#settle(entry, now);
  }

  /** Brings one address nearer to what it should be, unless a change of it is under way. */
  #settle(entry: Entry, now: Instant): void {
    this.#underway.stopWaiting(entry);
    if (entry.pending !== undefined) return;
    const wanted = entry.owners.size > 0;
    const present = this.#shown.has(entry.held.dev, entry.key);
    const hosts = present && this.#isHosts(entry);
    if (!hosts) delete entry.own;
    if (!wanted && !present && entry.doubtful) {
      if (!this.#paused) this.#removeUnseen(entry, now);
    } else if (!wanted && (!present || hosts)) {
      this.#entries.delete(entry.key);
      this.#renewals.delete(entry);
    } else if (hosts) {
      this.#leave(entry);
    } else if (entry.notBefore > now) {
      this.#underway.wait(entry, entry.notBefore);
    } else if (!wanted || (present && entry.outdated)) {
      if (wanted || !this.#paused) this.#change(entry, 'remove', now);
    } else if (!present) {
      if (!staysAway(entry, now)) this.#install(entry, now);
    } else if (entry.covered === undefined) {
      this.#adopt(entry, now);
    } else if (isDue(entry, now)) {
      this.#renewals.add(entry);
    }
  }

  /** Asked for once: whether it is there, news that are still on their way may tell too late. */
  #removeUnseen(entry: Entry, now: Instant): void {
    delete entry.doubtful;
    if (this.#change(entry, 'remove', now) === undefined) this.#settle(entry, now);
  }

  #install(entry: Entry, now: Instant): void {
    if (entry.outdated) delete entry.covered;
    entry.outdated = false;
    const first = entry.covered === undefined;
    if (!first) entry.late = true;
    this.#renewals.delete(entry);
    if (this.#shown.ifindexOf(entry.held.dev) === undefined) {
      entry.late = true;
      this.#report(entry, 'add', { errno: ERRNO.noDevice, text: `waiting for interface ${entry.held.dev}` });
      return;
    }
    entry.installed = now;
    const again = after(entry.restored, RETRY_PAUSE);
    if (again > now) this.#underway.wait(entry, again);
    else this.#change(entry, first ? 'add' : 'restore', now);
  }

  /** The host's own stays as it is. */
  #leave(entry: Entry): void {
    this.#renewals.delete(entry);
    delete entry.covered;
    entry.late = false;
    if (entry.own) return;
    entry.own = true;
    for (const owner of entry.owners)
      this.#effects.push({ type: 'own', owner: owner.name, address: entry.held });
  }

  #adopt(entry: Entry, now: Instant): void {
    if (grantOf(entry, now) === undefined) return;
    for (const owner of entry.owners) {
      this.#effects.push({ type: 'adopted', owner: owner.name, address: entry.held });
    }
    entry.installed = now;
    this.#change(entry, 'renew', now);
  }

  /** Gives the change's number; none without an interface, or when the authority to install is stale. */
  #change(entry: Entry, op: AddressChange['op'], now: Instant): number | undefined {
    const ifindex = this.#shown.ifindexOf(entry.held.dev);
    const grant = grantOf(entry, now);
    if (ifindex === undefined || (op !== 'remove' && grant === undefined)) return undefined;
    const id = this.#underway.begin(entry);
    // IPv6 tells addresses apart without the prefix length, but removes only with the right one.
    const placed = op === 'remove' ? (this.#shown.get(entry.held.dev, entry.key) ?? entry.held) : entry.held;
    const { held, installed = now } = entry;
    const age = since(now, installed);
    this.#changes.push({ id, op, address: installation(held, placed, ifindex, grant?.lifetime, age) });
    entry.pending = { op, ...(grant !== undefined && { grant }) };
    this.#renewals.delete(entry);
    return id;
  }

  #sendRenewals(now: Instant): void {
    this.#renewals.send(now, (entry) =>
      entry.pending === undefined && isDue(entry, now) ? this.#change(entry, 'renew', now) : undefined,
    );
  }

  /** What was decided in this turn. */
  #send(): void {
    const changes = this.#changes;
    this.#changes = [];
    for (const batch of inBatches(changes)) this.#effects.push({ type: 'apply', changes: batch });
  }

  #done(results: readonly ChangeResult[], now: Instant): void {
    const restored = new Map<Owner, HeldAddress[]>();
    for (const result of results) {
      const entry = this.#underway.end(result.id);
      assert(entry?.pending !== undefined, `a change that nobody asked for is done: ${result.id}`);
      this.#renewals.done(result.id, this.#entries.size, now);
      if (this.#finish(entry, result, now)) {
        for (const owner of entry.owners) {
          restored.set(owner, [...(restored.get(owner) ?? []), entry.held]);
        }
      }
      this.#settle(entry, now);
    }
    for (const [owner, addresses] of restored) {
      this.#effects.push({ type: 'restored', owner: owner.name, addresses });
    }
  }

  /** Takes the result of the entry's change in; whether a missing address is there again. */
  #finish(entry: Entry, result: ChangeResult, now: Instant): boolean {
    const { op, grant } = entry.pending ?? { op: 'remove' };
    delete entry.pending;
    const gone = result.errno === ERRNO.noDevice || result.errno === ERRNO.notAvailable;
    if (op === 'remove' && (result.errno === ERRNO.none || gone)) {
      this.#shown.delete(entry.held.dev, entry.key);
      // What goes in order to be had anew is no loss.
      if (entry.outdated) delete entry.covered;
      entry.outdated = false;
      return false;
    }
    if (result.errno === ERRNO.none || (op === 'add' && result.errno === ERRNO.exists)) {
      if (result.errno === ERRNO.exists && this.#marks) {
        // Whose it is, the monitor shows in a moment.
        entry.notBefore = after(now, RETRY_PAUSE);
        return false;
      }
      // An adopted IPv6 address keeps the prefix length that it was seen with.
      const placed = this.#shown.get(entry.held.dev, entry.key) ?? entry.held;
      this.#shown.set(entry.held.dev, entry.key, { ...placed, protocol: OURS });
      // Without cover it is adopted: its lifetime is not ours yet.
      if (result.errno === ERRNO.exists || grant === undefined || entry.owners.size === 0) return false;
      entry.covered = grant;
      delete entry.problem;
      const restored = entry.late;
      entry.late = false;
      if (restored) entry.restored = now;
      return restored;
    }
    if (op !== 'remove') entry.late = true;
    if (result.errno === ERRNO.noDevice) {
      // The interface went before its event came: the next `links` says more.
      this.#shown.delete(entry.held.dev, entry.key);
      this.#shown.lost(entry.held.dev);
      return false;
    }
    entry.notBefore = after(now, RETRY_PAUSE);
    this.#report(entry, op, result);
    return false;
  }

  /** A lasting problem is told once. */
  #report(entry: Entry, op: AddressChange['op'], result: Omit<ChangeResult, 'id'>): void {
    const [owner] = entry.owners;
    const { address, dev } = entry.held;
    const effect = problemOf(entry, `${op} ${formatPrefix(address)} on ${dev}`, owner?.name, result);
    if (effect !== undefined) this.#effects.push(effect);
  }
}
