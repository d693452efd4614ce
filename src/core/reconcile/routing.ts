import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Link } from '../netlink/link.ts';
import { inBatches } from '../netlink/message.ts';
import type { Route } from '../netlink/route.ts';
import type { Rule } from '../netlink/rule.ts';
import { after, type Duration, type Instant, millis, seconds } from '../time.ts';
import { type ChangeResult, problemOf } from './changes.ts';
import { known, NEVER } from './entry.ts';
import {
  devicesOf,
  type RoutingEntry as Entry,
  isDoubtful,
  itemsOf,
  keysOf,
  newRoutingEntry,
  Places,
  recallEntries,
  remembered,
  throughOf,
} from './routing-entry.ts';
import type {
  HeldRouting,
  RoutingChange,
  RoutingEffect,
  RoutingEvent,
  RoutingStep,
} from './routing-events.ts';
import { TrackedRouting } from './routing-groups.ts';
import { type Item, isShown, keyOf, keyOfRule, nameOf, resolve } from './routing-item.ts';
import { ShownRouting } from './routing-shown.ts';
import { changedKeys } from './shown.ts';
import { Underway } from './underway.ts';

/** What somebody keeps removing, or the kernel refuses, is tried again this often. */
const RETRY_PAUSE: Duration = seconds(1);
/** A route that names no interface is tried again at news of any, but not more often than this. */
const QUICK_RETRY: Duration = millis(100);
const ERRNO = { none: 0, noEntry: 2, noRoute: 3, exists: 17, noDevice: 19 } as const;

/**
 * Which routes and rules should be in the kernel's tables: desired state, as `Addresses` has it. Owners (virtual
 * routers, and the configuration's static lines) hold and release them; routes are added before rules and removed
 * after them.
 *
 * The kernel does not tell of all that goes: routes vanish silently with a link that is set down and with the
 * address that is their source. So what is in doubt is asked for again: an identical one gives EEXIST, and a
 * different one of somebody else stays beside ours. What an earlier life left behind in the same place, but is not
 * as it should be, is removed.
 */
export class Routing implements Machine<RoutingEvent, RoutingEffect> {
  #links: ReadonlyMap<string, Link> = new Map();
  readonly #unclaimed = new ShownRouting();
  readonly #entries = new Map<string, Entry>();
  readonly #places = new Places();
  readonly #groups = new TrackedRouting();
  readonly #byOwner = new Map<string, Set<Entry>>();
  readonly #underway = new Underway<Entry>();
  /** By the order in which they are sent. */
  #changes: { readonly rank: number; readonly change: RoutingChange }[] = [];
  #effects: RoutingEffect[] = [];
  #paused = false;

  handle(event: RoutingEvent, now: Instant): void {
    switch (event.type) {
      case 'links':
        this.#setLinks(event.links, now);
        break;
      case 'shown':
        this.#shown(event.routes, event.rules, now);
        break;
      case 'route-seen':
        for (const entry of this.#places.at(event.route)) {
          if (entry.route !== undefined && isShown(entry.route, event.route))
            entry.through = throughOf(event.route);
        }
        break;
      case 'route-gone':
        this.#doubt(this.#places.at(event.route), now);
        break;
      case 'rule-gone': {
        const entry = this.#entries.get(keyOfRule(event.rule));
        if (entry !== undefined) this.#doubt([entry], now);
        break;
      }
      case 'routes-doubtful':
        this.#doubt(
          [...this.#entries.values()].filter((entry) => isDoubtful(entry, event)),
          now,
        );
        break;
      case 'hold':
        this.#hold(event.owner, event, now);
        break;
      case 'release':
        this.#hold(event.owner, { routes: [], rules: [] }, now);
        if (event.leftovers !== undefined) {
          for (const item of itemsOf(event.leftovers)) this.#settle(this.#entryOf(item), now);
        }
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
    this.#tellGroups();
  }

  deadline(): Instant | undefined {
    return this.#underway.deadline();
  }

  timeout(now: Instant): void {
    for (const entry of this.#underway.due(now)) this.#settle(entry, now);
    this.#send();
    this.#tellGroups();
  }

  take(): RoutingEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    return {
      links: this.#links,
      unclaimed: this.#unclaimed.memory(),
      entries: Array.from(this.#entries.values(), remembered),
      groups: this.#groups.memory(),
      places: this.#places.memory(),
      byOwner: Array.from(this.#byOwner, ([owner, held]) => [owner, keysOf(held)] as const),
      ...this.#underway.memory(),
      paused: this.#paused,
    };
  }

  recall(memory: ReturnType<Routing['memory']>): void {
    this.#links = memory.links;
    this.#unclaimed.recall(memory.unclaimed);
    recallEntries(memory.entries, this.#entries);
    const entryOf = (key: string): Entry => known(this.#entries, key);
    this.#groups.recall(memory.groups, entryOf);
    this.#places.recall(memory.places, entryOf);
    for (const [owner, keys] of memory.byOwner) this.#byOwner.set(owner, new Set(keys.map(entryOf)));
    this.#underway.recall(memory, entryOf);
    this.#paused = memory.paused;
  }

  /** What waited for an interface that came, or changed, is tried again. */
  #setLinks(links: readonly Link[], now: Instant): void {
    const before = this.#links;
    this.#links = new Map(links.map((link) => [link.name, link]));
    const changed = changedKeys(before, this.#links);
    if (changed.size === 0) return;
    for (const entry of [...this.#entries.values()]) {
      if (entry.installed) continue;
      const devices = devicesOf(entry.item);
      if (devices.some((name) => changed.has(name))) entry.notBefore = NEVER;
      else if (devices.length === 0) entry.notBefore = after(entry.failed, QUICK_RETRY);
      else continue;
      this.#settle(entry, now);
    }
  }

  #shown(routes: readonly Route[], rules: readonly Rule[], now: Instant): void {
    this.#unclaimed.show(routes, rules);
    for (const entry of this.#entries.values()) {
      const lost = entry.installed && !this.#claim(entry);
      if (lost && entry.item.settings.tracked) entry.doubted = true;
    }
    this.#settleAll(now);
  }

  #doubt(entries: readonly Entry[], now: Instant): void {
    for (const entry of entries) {
      if (!entry.item.settings.tracked || !entry.installed) continue;
      entry.doubted = true;
      this.#settle(entry, now);
    }
  }

  #hold(owner: string, held: HeldRouting, now: Instant): void {
    const before = this.#byOwner.get(owner) ?? new Set<Entry>();
    const wanted = new Set(itemsOf(held).map((item) => this.#entryOf(item)));
    if (wanted.size > 0) this.#byOwner.set(owner, wanted);
    else this.#byOwner.delete(owner);
    for (const entry of wanted) {
      if (entry.owners.size === 0 && entry.installed && !before.has(entry)) {
        this.#effects.push({ type: 'adopted', owner, what: nameOf(entry.item) });
      }
      entry.owners.add(owner);
    }
    const dropped = [...before].filter((entry) => !wanted.has(entry));
    for (const entry of dropped) entry.owners.delete(owner);
    for (const entry of [...wanted, ...dropped]) this.#settle(entry, now);
  }

  #entryOf(item: Item): Entry {
    const key = keyOf(item);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.item = item;
      this.#groups.note(known);
      return known;
    }
    const entry = newRoutingEntry(key, item);
    this.#entries.set(key, entry);
    this.#groups.note(entry);
    entry.installed = this.#claim(entry);
    // The dump may be of long ago.
    entry.doubted = entry.installed;
    return entry;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#groups.forget(entry);
    this.#places.leave(entry);
  }

  /**
   * Whether the kernel showed it. Others of our origin in its place are of an earlier life, with another
   * configuration, unless somebody holds them: they go.
   */
  #claim(entry: Entry): boolean {
    if (entry.item.kind === 'rule') return this.#unclaimed.takeRule(entry.key);
    const route = resolve(entry.item.settings, this.#links);
    if (typeof route === 'string') return false;
    this.#places.take(entry, route);
    const held = this.#places.at(route).flatMap((other) => other.route ?? []);
    const { ours, leftover } = this.#unclaimed.take(route, held);
    if (ours !== undefined) entry.through = throughOf(ours);
    for (const shown of leftover) this.#change(undefined, { op: 'remove', route: shown }, RANK.leftover);
    return ours !== undefined;
  }

  #settleAll(now: Instant): void {
    for (const entry of [...this.#entries.values()]) this.#settle(entry, now);
  }

  /** Brings one nearer to what it should be, unless a change of it is under way. */
  #settle(entry: Entry, now: Instant): void {
    this.#underway.stopWaiting(entry);
    if (entry.pending !== undefined) return;
    const wanted = entry.owners.size > 0;
    if (!wanted && !entry.installed) this.#forget(entry);
    else if (wanted && entry.installed && !entry.doubted) return;
    else if (!wanted && this.#paused) return;
    else if (entry.notBefore > now) this.#underway.wait(entry, entry.notBefore);
    else if (!wanted) this.#remove(entry);
    else if (entry.installed && after(entry.restored, RETRY_PAUSE) > now)
      this.#underway.wait(entry, after(entry.restored, RETRY_PAUSE));
    else this.#install(entry);
  }

  #install(entry: Entry): void {
    const { item } = entry;
    if (item.kind === 'rule') {
      this.#begin(entry, { op: 'add', rule: item.settings.rule }, RANK.addRule);
      return;
    }
    const route = resolve(item.settings, this.#links);
    if (typeof route === 'string') {
      entry.late = true;
      entry.installed = false;
      this.#report(entry, 'add', { errno: ERRNO.noDevice, text: route });
      return;
    }
    if (!entry.installed) delete entry.through;
    this.#places.take(entry, route);
    const [old, ...more] = this.#places.at(route).filter((other) => other !== entry && other.installed);
    // The kernel exchanges two at one stroke, which is no gap for anybody.
    const replaces =
      !entry.installed && old?.owners.size === 0 && old.pending === undefined && more.length === 0;
    if (replaces) {
      entry.replaces = old;
      old.pending = 'remove';
    }
    const insertion = replaces ? 'replace' : (item.settings.insertion ?? 'prepend');
    this.#begin(entry, { op: 'add', route, insertion }, RANK.addRoute);
  }

  #remove(entry: Entry): void {
    const { item, route } = entry;
    // Origins aside, a rule is there once.
    if (item.kind === 'rule') {
      const { protocol, ...rule } = item.settings.rule;
      this.#begin(entry, { op: 'remove', rule }, RANK.removeRule);
    } else if (route !== undefined) {
      this.#begin(entry, { op: 'remove', route }, RANK.removeRoute);
    }
  }

  #begin(entry: Entry, step: RoutingStep, rank: number): void {
    entry.pending = step.op;
    this.#change(entry, step, rank);
  }

  #change(entry: Entry | undefined, step: RoutingStep, rank: number): void {
    this.#changes.push({ rank, change: { id: this.#underway.begin(entry), ...step } });
  }

  /** What was decided in this turn. */
  #send(): void {
    const changes = this.#changes.sort((a, b) => a.rank - b.rank).map(({ change }) => change);
    this.#changes = [];
    for (const batch of inBatches(changes)) this.#effects.push({ type: 'apply', changes: batch });
  }

  #done(results: readonly ChangeResult[], now: Instant): void {
    const restored = new Map<string, string[]>();
    for (const result of results) {
      const entry = this.#underway.end(result.id);
      if (entry === undefined) continue;
      if (this.#finish(entry, result, now)) {
        for (const owner of entry.owners) {
          restored.set(owner, [...(restored.get(owner) ?? []), nameOf(entry.item)]);
        }
      }
      const { replaces } = entry;
      delete entry.replaces;
      if (replaces !== undefined) {
        delete replaces.pending;
        replaces.installed = result.errno !== ERRNO.none;
        this.#settle(replaces, now);
      }
      this.#settle(entry, now);
    }
    for (const [owner, what] of restored) this.#effects.push({ type: 'restored', owner, what });
  }

  /** Takes the result of the entry's change in; whether what was missing is there again. */
  #finish(entry: Entry, result: ChangeResult, now: Instant): boolean {
    const { pending } = entry;
    const { errno } = result;
    delete entry.pending;
    if (pending === 'remove') {
      const gone = errno === ERRNO.noRoute || errno === ERRNO.noEntry || errno === ERRNO.noDevice;
      entry.installed = errno !== ERRNO.none && !gone;
      if (!entry.installed) return false;
    } else if (errno === ERRNO.none || (errno === ERRNO.exists && this.#isOurs(entry))) {
      const missing = errno === ERRNO.none && (entry.doubted || entry.late);
      if (errno === ERRNO.exists && !entry.installed) this.#adopt(entry);
      entry.installed = true;
      entry.doubted = false;
      entry.late = false;
      delete entry.problem;
      if (missing) entry.restored = now;
      return missing;
    } else {
      // What was in doubt may be there all the same, and has to be removed in the end.
      entry.late = true;
    }
    entry.failed = now;
    entry.notBefore = after(now, RETRY_PAUSE);
    this.#report(entry, pending ?? 'add', result);
    return false;
  }

  /** Whether "there is one" means this one. An exclusive insertion is refused for any other in its place. */
  #isOurs({ item, installed }: Entry): boolean {
    return installed || item.kind === 'rule' || item.settings.insertion !== 'exclusive';
  }

  #adopt(entry: Entry): void {
    for (const owner of entry.owners) {
      this.#effects.push({ type: 'adopted', owner, what: nameOf(entry.item) });
    }
  }

  /** A lasting problem is told once. */
  #report(entry: Entry, op: 'add' | 'remove', result: Omit<ChangeResult, 'id'>): void {
    const what = `${op} ${nameOf(entry.item)}`;
    const [owner] = entry.owners;
    const effect = problemOf(entry, what, owner, result);
    if (effect !== undefined) this.#effects.push(effect);
  }

  #tellGroups(): void {
    for (const news of this.#groups.news()) this.#effects.push({ type: 'lacking', ...news });
  }
}

/**
 * Routes before the rules that lead to them; what goes does so the other way round, and last. But what was left behind
 * goes first: should it be what is wanted after all, in other words of the kernel's, it is there in the end.
 */
const RANK = { leftover: 0, addRoute: 1, addRule: 2, removeRule: 3, removeRoute: 4 } as const;
