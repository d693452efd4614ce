import { unreachable } from '../assert.ts';
import type { Ip } from '../ip.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, micros, millis, seconds, since } from '../time.ts';
import { known, NEVER } from './entry.ts';
import type { HeldAddress } from './events.ts';
import { type Entry, LeasedAddresses } from './lease-addresses.ts';
import type { Guarded, LeaseStep, LeasesEffect, LeasesEvent, Transacted } from './lease-events.ts';
import { LeaseOwner } from './lease-owner.ts';
import { guardsAlike, openStep, ReadyLeases } from './lease-ready.ts';

/** What failed is tried again with an advert, when so much time has passed. */
const RETRY_PAUSE = seconds(10);
/** Somebody who removes the table again and again is spoken of now and then. */
const REPORT_PAUSE = seconds(60);
/** Who has given up its lease has another one ready after so long. */
const READY_PAUSE = seconds(1);
/** At most so many leases are renewed at once, and the others after a pause: adverts are not to wait for that. */
const MOST_RENEWED = 50;
const RENEWAL_PAUSE = millis(2);
/** What is due earlier has its turn first: the adverts of this moment. */
const AFTER_ADVERTS = micros(1);

/**
 * Which virtual addresses packets may be answered for, and until when, in tables of nf_tables: `lease-table.ts`. What
 * an owner (a virtual router) holds is guarded before it is on an interface and until it is not any more, and the
 * owner's lease is renewed with its authority, never otherwise: after all adverts that leave at the same wake-up of the
 * process, together with the leases of those, and counted from the advert. What nobody holds is not guarded: a director
 * that is a real server too has the address of its virtual server on `lo`. The host's own addresses are never guarded.
 *
 * Tables that have gone (`nft flush ruleset`) are noticed when something in them is to be changed, and made anew.
 */
export class Leases implements Machine<LeasesEvent, LeasesEffect> {
  readonly #tick: Duration;
  readonly #owners = new Map<string, LeaseOwner>();
  readonly #ready: ReadyLeases;
  /** Leases that are to be renewed. */
  readonly #due = new Set<LeaseOwner>();
  #dueAt: Instant | undefined;
  /** When leases that are lacking are made ready. */
  #readyAt: Instant | undefined;
  readonly #addresses: LeasedAddresses;
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
    this.#addresses = new LeasedAddresses(marks);
    this.#tick = tick;
    this.#ready = new ReadyLeases(tick);
  }

  handle(event: LeasesEvent, now: Instant): void {
    switch (event.type) {
      case 'links':
        if (this.#addresses.setLinks(event.links) && this.#state === 'there') this.#make(now);
        break;
      case 'shown':
        this.#addresses.show(event.addresses);
        this.#settle(this.#addresses.entries.values());
        break;
      case 'seen': {
        const entry = this.#addresses.see(event.address, event.present);
        if (entry !== undefined) this.#settle([entry]);
        break;
      }
      case 'begin':
        if (this.#state === 'there' && this.#table === event.table) break;
        this.#table = event.table;
        this.#make(now);
        break;
      case 'expect':
        this.#expect(event.owners);
        break;
      case 'hold':
        this.#hold(event, now);
        break;
      case 'renew':
        this.#renew(event, now);
        break;
      case 'release':
        this.#release(event.owner, now);
        this.#shut(event.leftovers ?? []);
        break;
      case 'settle':
        this.#settle([...this.#addresses.entries.values()].filter(({ owners }) => owners.size === 0));
        break;
      case 'stop':
        if (this.#table !== undefined && this.#state !== 'none') this.#steps = [{ op: 'remove' }];
        this.#state = 'none';
        this.#ready.expect(new Map());
        this.#due.clear();
        [this.#dueAt, this.#readyAt] = [undefined, undefined];
        break;
      case 'done':
        this.#done(event.outcome, now);
        break;
      default:
        unreachable(event);
    }
    this.#transact();
  }

  #transact(): void {
    if (this.#steps.length > 0 && this.#table !== undefined)
      this.#effects.push({ type: 'transact', table: this.#table, steps: this.#steps });
    this.#steps = [];
  }

  /** No lease ends here: the kernel does that. */
  deadline(): Instant | undefined {
    return earliest(this.#dueAt, this.#readyAt);
  }

  timeout(now: Instant): void {
    if (this.#dueAt !== undefined && this.#dueAt <= now) this.#renewDue(now);
    if (this.#readyAt !== undefined && this.#readyAt <= now) this.#prepare();
    this.#transact();
  }

  take(): LeasesEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Whether nobody holds the address, and it is not answered for. */
  shuts(dev: string, address: Ip): boolean {
    const { owners, guarded } = this.#addresses.at(dev, address) ?? {};
    return this.#state === 'there' && owners?.size === 0 && guarded !== undefined;
  }

  memory() {
    return {
      owners: new Map(Array.from(this.#owners, ([name, owner]) => [name, owner.memory()])),
      ready: this.#ready.memory(),
      due: Array.from(this.#due, ({ name }) => name),
      dueAt: this.#dueAt,
      readyAt: this.#readyAt,
      addresses: this.#addresses.memory(),
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
    for (const [name, each] of memory.owners) {
      const owner = new LeaseOwner(name, each.lease, each.term);
      owner.recall(each);
      this.#owners.set(name, owner);
    }
    this.#ready.recall(memory.ready);
    for (const name of memory.due) this.#due.add(known(this.#owners, name));
    [this.#dueAt, this.#readyAt] = [memory.dueAt, memory.readyAt];
    this.#addresses.recall(memory.addresses, this.#owners);
    for (const lease of memory.opened) this.#opened.add(lease);
    [this.#table, this.#state, this.#lastLease] = [memory.table, memory.state, memory.lastLease];
    [this.#hadFailed, this.#retry, this.#reported] = [memory.hadFailed, memory.retry, memory.reported];
  }

  #expect(owners: Extract<LeasesEvent, { type: 'expect' }>['owners']): void {
    const leased = owners.filter(({ addresses, term }) => term > 0 && addresses.length > 0);
    const expected = leased.map(({ owner, addresses, term }) => {
      const guarded = addresses.map((held) => this.#addresses.whereOf(held));
      return [owner, { guarded, term }] as const;
    });
    for (const lease of this.#ready.expect(new Map(expected)))
      if (this.#opened.delete(lease) && this.#state === 'there') this.#steps.push({ op: 'close', lease });
    this.#prepare();
  }

  /** A lease for each that is expected and holds nothing. */
  #prepare(): void {
    this.#readyAt = undefined;
    this.#ready.fill(
      (name) => this.#owners.has(name),
      () => ++this.#lastLease,
    );
    if (this.#state === 'there') this.#openReady();
  }

  #openReady(): void {
    for (const ready of this.#ready.leases) {
      if (this.#opened.has(ready.lease)) continue;
      this.#opened.add(ready.lease);
      this.#steps.push(openStep(ready));
    }
  }

  #hold(
    { owner: name, addresses, term, until, unsent = false }: LeasesEvent & { type: 'hold' },
    now: Instant,
  ): void {
    if (term === 0 || addresses.length === 0) {
      this.#release(name, now);
      return;
    }
    const ready = this.#ready.take(name);
    const owner =
      this.#owners.get(name) ?? new LeaseOwner(name, ready?.lease ?? ++this.#lastLease, term, ready?.grant);
    this.#owners.set(name, owner);
    const wanted = new Set(addresses.map((held) => this.#addresses.of(held)));
    const before = [...this.#addresses.entries.values()].filter((entry) => entry.owners.has(owner));
    for (const entry of before) if (!wanted.has(entry)) entry.owners.delete(owner);
    for (const entry of wanted) entry.owners.add(owner);
    this.#settle(wanted, ready?.guard);
    owner.limit(term, until);
    if (!unsent) this.#authorize(owner, now);
  }

  #renew({ owner: name, term, until }: LeasesEvent & { type: 'renew' }, now: Instant): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) return;
    owner.limit(term, until);
    this.#authorize(owner, now);
  }

  #authorize(owner: LeaseOwner, now: Instant): void {
    owner.authorize(now);
    if (this.#state === 'failed' && now >= this.#retry) {
      this.#make(now);
      return;
    }
    if (!owner.mayWait(now)) this.#grant(owner, now);
    else if (this.#isKnown(owner.lease)) {
      this.#due.add(owner);
      this.#dueAt ??= after(now, AFTER_ADVERTS);
    }
  }

  #renewDue(now: Instant): void {
    let left = MOST_RENEWED;
    for (const owner of this.#due) {
      if (left-- === 0) break;
      this.#grant(owner, now);
    }
    this.#dueAt = this.#due.size > 0 ? after(now, RENEWAL_PAUSE) : undefined;
  }

  /** Nothing is answered from now on. */
  #release(name: string, now: Instant): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) return;
    this.#owners.delete(name);
    this.#due.delete(owner);
    for (const entry of this.#addresses.entries.values()) entry.owners.delete(owner);
    if (this.#isKnown(owner.lease)) this.#steps.push(...owner.end(now));
    if (this.#ready.lacks(name)) this.#readyAt ??= after(now, READY_PAUSE);
  }

  /** The table is not made yet: when it is, nobody answers for what an earlier life has left, and is there still. */
  #shut(leftovers: readonly HeldAddress[]): void {
    if (this.#state === 'there') return;
    const there = leftovers.filter((held) => this.#addresses.shows(held));
    if (there.length === 0) return;
    const lease = ++this.#lastLease;
    for (const held of there) {
      const entry = this.#addresses.of(held);
      if (entry.owners.size === 0) entry.guarded ??= lease;
    }
  }

  // What belongs to which lease.

  /** Brings the kernel's maps to what they should be for these, in as few requests as there are leases. */
  #settle(entries: Iterable<Entry>, ready?: Extract<LeaseStep, { op: 'guard' }>): void {
    const free: Guarded[] = [];
    const guard = new Map<number, Guarded[]>();
    for (const entry of entries) {
      const wanted = this.#addresses.wantedOf(entry);
      if (wanted === undefined && entry.owners.size === 0) this.#addresses.forget(entry);
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
      const isReady = ready?.lease === lease && guardsAlike(ready.guarded, guarded);
      this.#steps.push(isReady ? ready : { op: 'guard', lease, guarded });
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
    for (const { guarded } of this.#addresses.entries.values()) if (guarded !== undefined) used.add(guarded);
    for (const { lease } of this.#ready.leases) used.add(lease);
    for (const lease of this.#opened) {
      if (used.has(lease)) continue;
      this.#opened.delete(lease);
      this.#steps.push({ op: 'close', lease });
    }
  }

  // Leases.

  #grant(owner: LeaseOwner, now: Instant): void {
    this.#due.delete(owner);
    if (this.#isKnown(owner.lease)) this.#steps.push(...owner.grant(this.#tick, now));
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
    const entries = [...this.#addresses.entries.values()];
    // What is still there although nobody holds it stays shut.
    const kept = new Map(entries.map((entry) => [entry, this.#addresses.wantedOf(entry)]));
    for (const entry of entries) delete entry.guarded;
    this.#settle(entries.filter(({ owners }) => owners.size > 0));
    for (const entry of entries) {
      const lease = entry.owners.size === 0 ? kept.get(entry) : undefined;
      if (lease === undefined) continue;
      entry.guarded = lease;
      this.#open(lease);
      this.#steps.push({ op: 'guard', lease, guarded: [entry.where] });
    }
    this.#openReady();
    for (const owner of this.#owners.values()) {
      owner.renewed();
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
