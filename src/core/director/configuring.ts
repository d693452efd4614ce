import { unreachable } from '../assert.ts';
import { type Instant, since } from '../time.ts';
import { memberSettings } from '../vrrp/group.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { startDelay } from '../vrrp/start.ts';
import type { Addressees } from './addressees.ts';
import type { Announcer } from './announcer.ts';
import type { Ensemble } from './ensemble.ts';
import { type DirectorEffect, type DirectorSettings, NO_SETTINGS } from './events.ts';
import type { Ground } from './ground.ts';
import type { Groups } from './groups.ts';
import type { Holdings } from './holdings.ts';
import { isSeatedAlike, routerKey } from './identity.ts';
import { Router } from './router.ts';
import { Steps } from './steps.ts';
import type { Tables } from './tables.ts';
import type { RouterTies } from './ties.ts';
import type { Tracked } from './tracked.ts';
import type { VmacLinks } from './vmacs.ts';

/** The parts of a director that its settings are for. */
interface Parts {
  readonly ensemble: Ensemble;
  readonly routers: Map<string, Router>;
  readonly ground: Ground;
  readonly holdings: Holdings;
  readonly tables: Tables;
  readonly vmacs: VmacLinks;
  readonly groups: Groups;
  readonly announcer: Announcer;
  readonly tracked: Tracked;
  readonly addressees: Addressees;
}

type Step =
  | { readonly do: 'follow' | 'look' | 'release' }
  | { readonly do: 'ready'; readonly leaseTable: string | undefined }
  | { readonly do: 'prepare'; readonly instances: readonly VrrpSettings[]; readonly votes: boolean }
  | { readonly do: 'make' | 'begin' | 'settle'; readonly instances: readonly VrrpSettings[] }
  | { readonly do: 'leave'; readonly router: string };

const wantedOf = (instances: readonly VrrpSettings[]): ReadonlyMap<string, VrrpSettings> =>
  new Map(instances.map((settings) => [routerKey(settings), settings]));

/**
 * How a director comes to what it has to do, and to its end: step by step, and what was asked for is answered before
 * the next one.
 */
export class Configuring {
  readonly #parts: Parts;
  readonly #begun: Instant;
  readonly #ties: RouterTies;
  readonly #emit: (effect: DirectorEffect) => void;
  #settings = NO_SETTINGS;
  /** The key of each instance. */
  #keys: ReadonlyMap<string, string> = new Map();
  #ending = false;
  /** The tables of leases that are to be made when nothing of an earlier life is left. */
  #leaseTable: string | undefined;
  /** The tables of leases go as soon as no address is left that they shut. */
  #leavesTables = false;
  /** The keys of routers of which an earlier process was master, until then. */
  readonly #heirs = new Map<string, Instant>();
  #clock = { utc: 0, at: 0 as Instant };
  readonly #steps: Steps<Step>;

  /** `begun`: when the process began. `ties`: of the routers that are made. */
  constructor(parts: Parts, begun: Instant, ties: RouterTies, emit: (effect: DirectorEffect) => void) {
    this.#parts = parts;
    this.#begun = begun;
    this.#ties = ties;
    this.#emit = emit;
    const waits = (): boolean => [...parts.routers.values()].some(({ sending }) => sending);
    this.#steps = new Steps(waits, (step) => this.#take(step));
  }

  memory() {
    return {
      settings: this.configured ? this.#settings : undefined,
      keys: this.#keys,
      ending: this.#ending,
      leaseTable: this.#leaseTable,
      leavesTables: this.#leavesTables,
      heirs: new Map(this.#heirs),
      clock: this.#clock,
      steps: this.#steps.memory(),
      routers: Array.from(this.#parts.routers.values(), (router) => router.memory()),
    };
  }

  recall(memory: ReturnType<Configuring['memory']>): void {
    this.#settings = memory.settings ?? NO_SETTINGS;
    this.#keys = memory.keys;
    this.#ending = memory.ending;
    this.#leaseTable = memory.leaseTable;
    this.#leavesTables = memory.leavesTables;
    for (const [key, at] of memory.heirs ?? []) this.#heirs.set(key, at);
    this.#clock = memory.clock;
    this.#steps.recall(memory.steps);
    for (const each of memory.routers) {
      const router = new Router(each.settings, this.#ties);
      router.recall(each);
      this.#parts.routers.set(router.key, router);
    }
  }

  /** Whether there is anything to do yet. */
  get configured(): boolean {
    return this.#settings !== NO_SETTINGS;
  }

  /** Whether addresses are taken away at the end. */
  get releases(): boolean {
    return this.#settings.release;
  }

  keyOf(instance: string): string | undefined {
    return this.#keys.get(instance);
  }

  /** The wall clock, in microseconds since 1970. */
  readClock(utc: number): void {
    this.#clock = { utc, at: this.#parts.ensemble.now };
    for (const router of this.#parts.routers.values()) router.readClock(utc);
  }

  /** Before the first `configure`. */
  inherit(masters: readonly string[]): void {
    for (const key of masters) this.#heirs.set(key, this.#parts.ensemble.now);
  }

  configure(settings: DirectorSettings, votes: boolean): void {
    this.#settings = settings;
    const { groups, routing, statics } = settings;
    const instances = memberSettings(settings.instances, groups);
    if (this.#parts.tables.needsToFollow(routing, statics)) this.#steps.add({ do: 'follow' });
    this.#steps.add(
      { do: 'prepare', instances, votes },
      { do: 'make', instances },
      // New routers find their interfaces.
      { do: 'look' },
      { do: 'begin', instances },
      { do: 'settle', instances },
      { do: 'ready', leaseTable: settings.leaseTable },
    );
    this.#steps.proceed();
  }

  stop(): void {
    this.#ending = true;
    const cause = 'the daemon stops';
    const { groups, routers } = this.#parts;
    const states = groups.states();
    // No member is to wait for another, or to follow it, when all end.
    groups.configure([], () => undefined, false);
    for (const router of routers.values()) router.end('STOP');
    for (const { name, state: from } of states)
      this.#emit({ type: 'happened', happening: { of: 'group', name, what: 'STOP', from, cause } });
    this.#steps.add({ do: 'release' });
    this.#steps.proceed();
  }

  /** What a step asked for is answered. */
  answered(): void {
    this.#steps.answered();
  }

  /** No router waits for anything any more. */
  quiet(): void {
    this.#steps.proceed();
  }

  /** Whether no address of an earlier life is left: each virtual router has put them away when it has begun. */
  get begun(): boolean {
    return [...this.#parts.routers.values()].every(({ state }) => state !== 'INIT');
  }

  /** After each event. The leases of an earlier life shut its addresses: they go when these have gone. */
  lease(): void {
    const { holdings } = this.#parts;
    if (this.#leavesTables && holdings.lingering().length === 0) {
      this.#leavesTables = false;
      holdings.stop();
    }
    if (this.#leaseTable === undefined || !this.begun) return;
    holdings.lease(this.#leaseTable);
    this.#leaseTable = undefined;
  }

  #take(step: Step): void {
    const { tables, holdings, vmacs, tracked, routers, ground } = this.#parts;
    switch (step.do) {
      case 'follow':
      case 'look':
        this.#steps.ask();
        this.#emit({ type: step.do });
        break;
      case 'prepare':
        this.#prepare(step.instances, step.votes);
        break;
      case 'make':
        vmacs.want(step.instances);
        break;
      case 'begin':
        this.#begin(step.instances);
        break;
      case 'settle':
        tables.settle();
        tracked.keep(step.instances);
        for (const event of tracked.all()) for (const router of routers.values()) router.handle(event);
        ground.regroundAll();
        break;
      case 'ready':
        this.#leaseTable = step.leaseTable;
        if (step.leaseTable === undefined) holdings.stop();
        else holdings.expect(Array.from(routers.values(), ({ expected }) => expected));
        this.#emit({ type: 'ready' });
        break;
      case 'leave':
        routers.get(step.router)?.leave();
        routers.delete(step.router);
        break;
      case 'release':
        if (!this.releases) break;
        tables.stop();
        this.#leavesTables = true;
        vmacs.want([]);
        break;
      default:
        unreachable(step);
    }
  }

  #prepare(instances: readonly VrrpSettings[], votes: boolean): void {
    const { groups, routing, statics, delays, pacing, logUnknownVrids } = this.#settings;
    const parts = this.#parts;
    const keys = new Map(instances.map((settings) => [settings.name, routerKey(settings)]));
    const keyOf = (name: string): string | undefined => keys.get(name);
    this.#keys = keys;
    parts.addressees.configure(instances, logUnknownVrids);
    parts.groups.configure(groups, keyOf, votes);
    parts.announcer.handle({ type: 'configure', pacing });
    parts.tables.configure(routing, statics, keyOf);
    const wanted = wantedOf(instances);
    const grounded = Array.from(
      wanted,
      ([key, settings]) => [key, { settings, routing: parts.tables.wantedOf(key) }] as const,
    );
    parts.ground.configure(new Map(grounded), statics, delays, keyOf);
    for (const [key, router] of parts.routers) {
      if (isSeatedAlike(router.settings, wanted.get(key))) continue;
      router.end('DELETED');
      this.#steps.first({ do: 'leave', router: key });
    }
  }

  #begin(instances: readonly VrrpSettings[]): void {
    this.#parts.vmacs.address(instances);
    for (const [key, instance] of wantedOf(instances)) {
      const router = this.#parts.routers.get(key);
      if (router === undefined) this.#add(key, instance);
      else router.configure(instance, this.#utc());
    }
  }

  #add(key: string, settings: VrrpSettings): void {
    const router = new Router(settings, this.#ties);
    this.#parts.routers.set(key, router);
    router.readClock(this.#utc());
    if (this.#ending) return;
    const heir = this.#heirs.get(key);
    this.#heirs.delete(key);
    const delay = startDelay(this.#settings.start, this.#begun, this.#parts.ensemble.now);
    router.handle({ type: 'start', ...(heir === undefined ? { delay } : { heir }) });
  }

  #utc(): number {
    return this.#clock.utc + since(this.#parts.ensemble.now, this.#clock.at);
  }
}
