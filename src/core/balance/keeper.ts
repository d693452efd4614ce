import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Instant } from '../time.ts';
import { after, seconds } from '../time.ts';
import { explainFailure } from './failure.ts';
import type { Service, ServiceKey, TableEntry } from './model.ts';
import { serviceName } from './model.ts';
import type { Operation } from './plan.ts';
import { plan } from './plan.ts';
import type { Reading } from './table.ts';
import { KnownTable } from './table.ts';

export type KeeperEvent =
  /**
   * All that the table should hold of ours. With `claim` also what is there and not named here is ours, and is
   * removed (`lvs_flush`, without cutting the connections of what stays).
   */
  | { readonly type: 'want'; readonly entries: readonly TableEntry[]; readonly claim: boolean }
  /** Some entries of those changed. */
  | { readonly type: 'entries'; readonly entries: readonly TableEntry[] }
  /** Services that an earlier process made, before the first `want`: what is not wanted of them is removed. */
  | { readonly type: 'inherit'; readonly keys: readonly ServiceKey[] }
  /** The result of `read`. */
  | { readonly type: 'table'; readonly reading: Reading }
  | { readonly type: 'unreadable'; readonly reason: string }
  /** The result of `apply` or `flush`: which operations failed, by index, with the errno's name. */
  | { readonly type: 'applied'; readonly failures: readonly OperationFailure[] }
  /** Take out what is ours, or everything with `flush`, and say `released`. */
  | { readonly type: 'release'; readonly flush: boolean };

export interface OperationFailure {
  readonly index: number;
  readonly code: string;
}

export type KeeperEffect =
  /** Read all services, and the destinations of these. */
  | { readonly type: 'read'; readonly destinationsOf: readonly ServiceKey[] }
  /** Perform these in order, a failed one not stopping the rest. */
  | { readonly type: 'apply'; readonly operations: readonly Operation[] }
  | { readonly type: 'flush' }
  /** All services that are ours from now on, for a successor to `inherit`. Said before they are made. */
  | { readonly type: 'own'; readonly keys: readonly ServiceKey[] }
  | { readonly type: 'problem'; readonly message: string }
  /** A reading found that somebody else changed what is ours; these operations, which follow, put it back. */
  | { readonly type: 'repair'; readonly operations: readonly Operation[] }
  /** The table holds what is wanted, for the first time. */
  | { readonly type: 'settled' }
  | { readonly type: 'released' };

/** IPVS tells nobody of its changes: the table is read again this often, and soon after a refusal. */
export const READ_PERIOD = seconds(5);
const READ_AFTER_FAILURE = seconds(1);
/** Services whose destinations one reading asks for: each costs a dump of its own. */
export const READ_SLICE = 128;
/** An `apply` is not made longer than this, so that a later change of health does not wait for a whole table. */
export const APPLY_LENGTH = 500;
/** Distinct refusals that are remembered so as not to report them at each attempt. */
const MAX_REPORTED = 1000;

/**
 * Keeps the kernel's table as it is wanted: adopts what is right, sends the difference, reads again to find
 * what others changed and puts it back. One request is under way at a time; what changes meanwhile is planned
 * when it has ended, from what it really did.
 */
export class TableKeeper implements Machine<KeeperEvent, KeeperEffect> {
  readonly #known = new KnownTable();
  readonly #wanted = new Map<string, TableEntry>();
  /** Services that we have wanted at some time, and with `claim` all: those that we may remove. */
  readonly #owned = new Map<string, ServiceKey>();
  /** Whether `owned` is not what was last said to be ours. */
  #unsaid = false;
  readonly #dirty = new Set<string>();
  /** What the kernel refuses, and what of it has been said: a refusal is tried again, and said once. */
  readonly #current = new Set<string>();
  #said = new Set<string>();
  #busy: 'no' | 'reading' | 'applying' = 'no';
  #applying: readonly Operation[] = [];
  #claim = false;
  /** When to read again; `undefined` before the first `want`. */
  #readAt: Instant | undefined;
  #complete = true;
  #slice = 0;
  /** Services that something failed in: their destinations are read next time, whoever's turn it is. */
  readonly #suspect = new Map<string, ServiceKey>();
  /** Services in which the last reading may have found what others did: settled before, and nothing failed. */
  readonly #steady = new Set<string>();
  #settled = false;
  #release: 'no' | 'asked' | 'under way' | 'done' = 'no';
  #flush = false;
  #effects: KeeperEffect[] = [];

  memory() {
    const [busy, applying, claim] = [this.#busy, this.#applying, this.#claim];
    const [readAt, complete, slice] = [this.#readAt, this.#complete, this.#slice];
    const [settled, release, flush, unsaid] = [this.#settled, this.#release, this.#flush, this.#unsaid];
    return {
      ...{ busy, applying, claim, readAt, complete, slice, settled, release, flush, unsaid },
      known: this.#known.memory(),
      wanted: new Map(this.#wanted),
      owned: new Map(this.#owned),
      dirty: new Set(this.#dirty),
      current: new Set(this.#current),
      said: new Set(this.#said),
      suspect: new Map(this.#suspect),
      steady: new Set(this.#steady),
    };
  }

  recall(memory: ReturnType<TableKeeper['memory']>): void {
    [this.#busy, this.#applying, this.#claim] = [memory.busy, memory.applying, memory.claim];
    [this.#readAt, this.#complete, this.#slice] = [memory.readAt, memory.complete, memory.slice];
    [this.#settled, this.#release] = [memory.settled, memory.release];
    [this.#flush, this.#unsaid] = [memory.flush, memory.unsaid];
    this.#known.recall(memory.known);
    for (const [name, entry] of memory.wanted) this.#wanted.set(name, entry);
    for (const [name, key] of memory.owned) this.#owned.set(name, key);
    for (const name of memory.dirty) this.#dirty.add(name);
    for (const text of memory.current) this.#current.add(text);
    this.#said = new Set(memory.said);
    for (const [name, key] of memory.suspect) this.#suspect.set(name, key);
    for (const name of memory.steady) this.#steady.add(name);
  }

  /** What the kernel refuses at present, in words. */
  problems(): string[] {
    return Array.from(this.#current);
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Services that are in the kernel's table and not ours, as the last reading found them. */
  foreign(): Service[] {
    return this.#known.services().filter(({ key }) => !this.#owned.has(serviceName(key)));
  }

  handle(event: KeeperEvent, now: Instant): void {
    switch (event.type) {
      case 'want':
        this.#want(event.entries, event.claim, now);
        break;
      case 'entries':
        for (const entry of event.entries) this.#entry(entry);
        break;
      case 'inherit':
        for (const key of event.keys) this.#own(key);
        break;
      case 'table':
        this.#read(event.reading, now);
        break;
      case 'unreadable':
        this.#busy = 'no';
        this.#readAt = after(now, READ_PERIOD);
        this.#report(`cannot read the IPVS table: ${event.reason}`);
        break;
      case 'applied':
        this.#applied(event.failures, now);
        break;
      case 'release':
        if (this.#release === 'no') this.#release = 'asked';
        this.#flush = event.flush;
        break;
    }
    this.#advance(now);
  }

  deadline(): Instant | undefined {
    return this.#busy === 'no' && this.#release === 'no' ? this.#readAt : undefined;
  }

  timeout(now: Instant): void {
    this.#advance(now);
  }

  take(): KeeperEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #want(entries: readonly TableEntry[], claim: boolean, now: Instant): void {
    const before = new Set(this.#wanted.keys());
    const first = this.#readAt === undefined;
    let unread = first || claim;
    this.#wanted.clear();
    for (const entry of entries) {
      const name = serviceName(entry.service.key);
      this.#wanted.set(name, entry);
      this.#own(entry.service.key);
      this.#dirty.add(name);
      before.delete(name);
      unread ||= !this.#known.isRead(name);
    }
    // After those that stay, so that what goes is removed last.
    for (const name of before) {
      this.#dirty.delete(name);
      this.#dirty.add(name);
    }
    this.#claim ||= claim;
    this.#sayOwned();
    // What is known of ours is at most a period old, and then put right: a reload need not read thousands again.
    if (!unread) return;
    this.#complete = true;
    this.#readAt = now;
  }

  #own(key: ServiceKey): void {
    const name = serviceName(key);
    this.#unsaid ||= !this.#owned.has(name);
    this.#owned.set(name, key);
  }

  #disown(name: string): void {
    this.#unsaid = this.#owned.delete(name) || this.#unsaid;
  }

  #sayOwned(): void {
    if (!this.#unsaid) return;
    this.#unsaid = false;
    this.#effects.push({ type: 'own', keys: Array.from(this.#owned.values()) });
  }

  #entry(entry: TableEntry): void {
    const name = serviceName(entry.service.key);
    this.#wanted.set(name, entry);
    this.#dirty.add(name);
    this.#steady.delete(name);
  }

  #read(reading: Reading, now: Instant): void {
    assert(this.#busy === 'reading', 'a table that was not asked for');
    this.#busy = 'no';
    this.#complete = false;
    this.#readAt = after(now, READ_PERIOD);
    this.#known.update(reading);
    if (this.#claim) {
      for (const { key } of reading.services) this.#own(key);
      this.#claim = false;
    }
    for (const name of this.#wanted.keys()) this.#dirty.add(name);
    for (const name of this.#owned.keys()) if (!this.#wanted.has(name)) this.#dirty.add(name);
    this.#said = new Set(this.#current);
    this.#current.clear();
  }

  #applied(failures: readonly OperationFailure[], now: Instant): void {
    assert(this.#busy === 'applying', 'operations ended that were not begun');
    this.#busy = 'no';
    const flushed = this.#applying.length === 0;
    if (flushed && failures.length === 0) this.#known.clear();
    for (const { code } of flushed ? failures : []) this.#report(`cannot flush the IPVS table (${code})`);
    const failed = new Map(failures.map(({ index, code }) => [index, code]));
    const said = this.#said.size;
    /** A service that could not be made fails all of its destinations: said once. */
    const unmade = new Set<string>();
    for (const [index, operation] of this.#applying.entries()) {
      const code = failed.get(index);
      const key = 'service' in operation ? operation.service.key : operation.key;
      const name = serviceName(key);
      if (code === undefined) {
        this.#known.performed(operation);
        continue;
      }
      this.#suspect.set(name, key);
      if (!unmade.has(name)) this.#report(explainFailure(operation, code));
      if (operation.kind === 'add service') unmade.add(name);
    }
    this.#applying = [];
    // What is new may be a race with somebody else and soon over; what is known is tried at leisure.
    if (this.#said.size > said) this.#readAt = after(now, READ_AFTER_FAILURE);
  }

  /** Starts the next request, if none is under way and there is something to do. */
  #advance(now: Instant): void {
    if (this.#busy !== 'no') return;
    if (this.#release !== 'no') this.#advanceRelease();
    else if (this.#readAt === undefined) return;
    else if (this.#complete) {
      if (this.#readAt <= now) this.#startReading();
    } else {
      const operations = this.#nextOperations();
      if (operations.length > 0) this.#startApplying(operations);
      else if (this.#readAt <= now) this.#startReading();
      else this.#settle();
    }
  }

  #startReading(): void {
    this.#busy = 'reading';
    const keys = Array.from(this.#owned.values());
    const from = this.#complete || this.#slice >= keys.length ? 0 : this.#slice;
    const to = this.#complete ? keys.length : from + READ_SLICE;
    this.#slice = to;
    const asked = keys.slice(from, to);
    this.#steady.clear();
    for (const name of this.#complete ? [] : this.#wanted.keys()) {
      if (!this.#suspect.has(name)) this.#steady.add(name);
    }
    for (const key of asked) this.#suspect.delete(serviceName(key));
    this.#effects.push({ type: 'read', destinationsOf: [...asked, ...this.#suspect.values()] });
    this.#suspect.clear();
  }

  #startApplying(operations: readonly Operation[]): void {
    this.#busy = 'applying';
    this.#applying = operations;
    this.#effects.push({ type: 'apply', operations });
  }

  /** The difference of the services that changed, up to `APPLY_LENGTH` and the rest of the last of them. */
  #nextOperations(): Operation[] {
    const operations: Operation[] = [];
    const repairs: Operation[] = [];
    for (const name of this.#dirty) {
      if (operations.length >= APPLY_LENGTH) break;
      this.#dirty.delete(name);
      const wanted = this.#wanted.get(name);
      const present = this.#known.entry(name);
      for (const operation of plan(wanted === undefined ? [] : [wanted], present, this.#owned)) {
        operations.push(operation);
        if (this.#steady.has(name)) repairs.push(operation);
      }
      this.#steady.delete(name);
      if (wanted === undefined && present.length === 0) this.#disown(name);
    }
    if (repairs.length > 0) this.#effects.push({ type: 'repair', operations: repairs });
    return operations;
  }

  #settle(): void {
    this.#sayOwned();
    if (this.#settled) return;
    this.#settled = true;
    this.#effects.push({ type: 'settled' });
  }

  #advanceRelease(): void {
    if (this.#release === 'done') return;
    const operations: Operation[] = [];
    if (this.#release === 'asked' && !this.#flush) {
      for (const [name, key] of this.#owned) {
        if (this.#known.entry(name).length > 0) operations.push({ kind: 'remove service', key });
      }
    }
    if (this.#release === 'asked' && this.#flush) {
      this.#busy = 'applying';
      this.#effects.push({ type: 'flush' });
    } else if (operations.length > 0) this.#startApplying(operations);
    else {
      this.#release = 'done';
      for (const name of this.#owned.keys()) if (this.#known.entry(name).length === 0) this.#disown(name);
      this.#sayOwned();
      this.#effects.push({ type: 'released' });
      return;
    }
    this.#release = 'under way';
  }

  /** Says a problem once; again only when it was away for a whole account, from reading to reading. */
  #report(message: string): void {
    this.#current.add(message);
    if (this.#said.has(message)) return;
    if (this.#said.size < MAX_REPORTED) this.#said.add(message);
    this.#effects.push({ type: 'problem', message });
  }
}
