import { unreachable } from '../assert.ts';
import type { Level } from '../level.ts';
import { type Machine, type Memories, memoriesOf, recallAll } from '../machine.ts';
import type { AddressesEvent, HeldAddress } from '../reconcile/events.ts';
import type { Original } from '../reconcile/originals.ts';
import { earliest, type Instant, seconds, since } from '../time.ts';
import type { GroupState } from '../vrrp/group.ts';
import type { TrackEvent } from '../vrrp/track.ts';
import { Addressees } from './addressees.ts';
import { Announcer } from './announcer.ts';
import { together } from './beat.ts';
import { Configuring } from './configuring.ts';
import { Ensemble } from './ensemble.ts';
import type { Answer, DirectorBirth, DirectorEffect, DirectorEvent } from './events.ts';
import { Ground } from './ground.ts';
import { Groups } from './groups.ts';
import { HandOver } from './handover.ts';
import { Holdings } from './holdings.ts';
import { Kernel } from './kernel.ts';
import { type Router, realRouter } from './router.ts';
import { Tables } from './tables.ts';
import type { RouterTies } from './ties.ts';
import { Tracked } from './tracked.ts';
import { VmacLinks } from './vmacs.ts';

/** No virtual router has authority for a shorter time than this without an advert. */
const PAUSE = seconds(0.01);
/** No kernel's clock has longer ticks. */
const TICK = seconds(0.01);
const MAINTENANCE = 'the operator wants this director out (maintenance)';

/** The parts of a director. A recording has the memory of each: whoever adds one writes its `memory` and `recall`. */
interface Parts {
  readonly ground: Ground;
  readonly holdings: Holdings;
  readonly tables: Tables;
  readonly vmacs: VmacLinks;
  readonly groups: Groups;
  readonly announcer: Announcer;
  readonly tracked: Tracked;
  readonly addressees: Addressees;
  readonly configuring: Configuring;
  readonly handOver: HandOver;
}

/** What a director remembers. */
export interface DirectorMemory {
  readonly now: Instant;
  readonly parts: Memories<{ readonly [Name in keyof Parts]: Parts[Name] }>;
  readonly until: ReadonlyMap<string, Instant>;
  readonly maintenance: boolean;
}

/**
 * The mind of the VRRP process: virtual routers and sync groups, the addresses, routes, rules and interfaces that they
 * hold, and the sockets that they need. It knows the kernel as it was last told, and decides all; a shell performs its
 * effects, in order, and answers them before anything else happens.
 */
export class Director implements Machine<DirectorEvent, DirectorEffect> {
  readonly #ensemble: Ensemble;
  readonly #routers = new Map<string, Router>();
  readonly #parts: Parts;
  readonly #kernel: Kernel;
  #effects: DirectorEffect[] = [];
  /** When the votes for each group end. */
  readonly #until = new Map<string, Instant>();
  #maintenance = false;

  constructor({ digest, begun, marks, tick = TICK, observer, makeRouter = realRouter }: DirectorBirth) {
    const ensemble = new Ensemble(observer);
    ensemble.begin(begun);
    this.#ensemble = ensemble;
    const emit = (effect: DirectorEffect): void => void this.#effects.push(effect);
    const routers = this.#routers;
    const ground = new Ground({
      ensemble,
      emit,
      routers,
      hindrance: (name) => (this.#maintenance ? MAINTENANCE : this.#parts.tables.hindrance(name)),
    });
    const { interfaces } = ground;
    const shared = { ensemble, interfaces, emit };
    // Addresses are held under the router's key, which outlives its name.
    const nameOf = (owner = 'addresses'): string => routers.get(owner)?.settings.name ?? owner;
    const holdings = new Holdings({
      ...shared,
      marks,
      tick,
      nameOf,
      restored: (owner, addresses) => this.#restored(owner, addresses),
    });
    const addresses = holdings.handle;
    const announcer = new Announcer(ensemble, interfaces, emit);
    const vmacs = new VmacLinks(ensemble, emit, addresses);
    const groups = new Groups(
      ensemble,
      emit,
      (member, event) => routers.get(member)?.handle(event),
      (member) => holdings.exposes(routers.get(member)?.given ?? []),
    );
    const tables = new Tables({
      ...shared,
      addresses,
      linkState: (name) => ground.linkState(name),
      nameOf,
      shifted: (names) => ground.reground(names.flatMap((name) => this.#parts.configuring.keyOf(name) ?? [])),
    });
    const tracked = new Tracked();
    const addressees = new Addressees(routers, (level, message) => this.#log(level, message));
    const ties: RouterTies = {
      ...shared,
      digest,
      makeRouter,
      tick,
      addresses: (event) => this.#hold(event),
      linkState: (name) => ground.linkState(name),
      announce: announcer.announce,
      forget: announcer.forget,
      beat: (interval, due) => together(routers.values(), interval, due),
      until: (group) => (group === undefined ? undefined : this.#until.get(group)),
      contested: (group, router) => groups.contested(group, router),
      standing: (group, router, standing) => groups.standing(group, router, standing),
      quiet: () => this.#parts.configuring.quiet(),
    };
    const parts = { ground, holdings, tables, vmacs, groups, announcer, tracked, addressees };
    const configuring = new Configuring({ ...parts, ensemble, routers }, begun, ties, emit);
    const memberOf = (name: string): Router | undefined => routers.get(configuring.keyOf(name) ?? '');
    const handOver = new HandOver({ ensemble, routers, memberOf, groups, emit });
    this.#parts = { ...parts, configuring, handOver };
    this.#kernel = new Kernel({ ...parts, emit });
  }

  handle(event: DirectorEvent, now: Instant): void {
    this.#begin(now);
    const { configuring, vmacs, addressees, tracked, groups } = this.#parts;
    switch (event.type) {
      case 'read':
        this.#kernel.read(event);
        break;
      case 'news':
        this.#kernel.hear(event.events);
        break;
      case 'inherit':
        if (configuring.configured) break;
        vmacs.handle({ type: 'inherit', originals: event.originals });
        configuring.inherit(event.masters ?? []);
        break;
      case 'configure':
        configuring.configure(event.settings, event.protected);
        break;
      case 'packet': {
        const { home, vrid, ...datagram } = event;
        addressees.deliver(home, vrid, datagram, now);
        break;
      }
      case 'track':
        tracked.note(event.events);
        this.#track(event.events);
        break;
      case 'maintenance':
        this.#setMaintenance(event.on);
        break;
      case 'hand-over':
        this.#parts.handOver.wish(event);
        break;
      case 'said':
        this.#parts.handOver.hear(event.from, event.words);
        break;
      case 'synced':
        this.#parts.handOver.synced(event.complete);
        for (const router of this.#routers.values()) router.handle(event);
        break;
      case 'clock':
        configuring.readClock(event.utc);
        break;
      case 'carried':
      case 'answered':
        for (const router of this.#routers.values()) router.found(event);
        break;
      case 'voted':
        if (event.until === undefined) this.#until.delete(event.group);
        else this.#until.set(event.group, event.until);
        groups.voted(event.group, event.event);
        break;
      case 'stop':
        configuring.stop();
        break;
      case 'resign':
        for (const router of this.#routers.values()) router.giveUp();
        break;
      default:
        this.#answered(event);
    }
    this.#conclude();
  }

  #answered(event: Answer): void {
    const { configuring, tables, ground, holdings, vmacs, announcer } = this.#parts;
    switch (event.type) {
      case 'looked':
      case 'followed':
        if (event.type === 'followed') tables.show(ground.interfaces.all(), event);
        configuring.answered();
        break;
      case 'sent':
        this.#routers.get(event.router)?.outcome({ type: 'sent' });
        break;
      case 'unsent': {
        const { router, ...outcome } = event;
        this.#routers.get(router)?.outcome(outcome);
        break;
      }
      case 'ports':
        ground.opened(event.failed);
        break;
      case 'addresses':
        holdings.handle({ type: 'done', results: event.results });
        break;
      case 'routing':
        tables.handle({ type: 'done', results: event.results });
        break;
      case 'leased':
        holdings.leased(event.outcome);
        break;
      case 'made':
        vmacs.handle(event);
        break;
      case 'framed':
        announcer.handle(event.outcome);
        break;
      case 'asked': {
        const { router, ...outcome } = event;
        this.#routers.get(router)?.handle(outcome);
        break;
      }
      case 'weighed':
        this.#routers.get(event.router)?.weighed(event.cluster);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#ensemble.deadline();
  }

  timeout(now: Instant): void {
    this.#begin(now);
    this.#ensemble.timeout(now);
    this.#conclude();
  }

  /** After each event. */
  #conclude(): void {
    this.#parts.configuring.lease();
    this.#parts.groups.settle();
    this.#parts.handOver.settle();
  }

  /** Nothing happens before those who slept too long have given up. */
  #begin(now: Instant): void {
    const paused = since(now, this.#ensemble.now) > PAUSE;
    this.#ensemble.begin(now);
    if (paused) for (const router of this.#routers.values()) router.woke(now);
  }

  take(): DirectorEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory(): DirectorMemory {
    return {
      now: this.#ensemble.now,
      parts: memoriesOf({ ...this.#parts }),
      until: new Map(this.#until),
      maintenance: this.#maintenance,
    };
  }

  recall({ now, parts, until, maintenance }: DirectorMemory): void {
    for (const [group, at] of until) this.#until.set(group, at);
    this.#maintenance = maintenance;
    recallAll({ ...this.#parts }, parts);
    this.#ensemble.recall(now);
  }

  // What is shown of it.

  get routers(): ReadonlyMap<string, Router> {
    return this.#routers;
  }

  /** When the first of its backups takes over, unless an advert comes before. */
  get takeover(): Instant | undefined {
    let first: Instant | undefined;
    for (const { takeover } of this.#routers.values()) first = earliest(first, takeover);
    return first;
  }

  /** Whether no address of an earlier life is left: each virtual router has put them away when it has begun. */
  get begun(): boolean {
    return this.#parts.configuring.begun;
  }

  /** What another process needs to go on in place of this one: see `inherit`, and what is known of tracked things. */
  bequest(): { readonly masters: readonly string[]; readonly tracked: readonly TrackEvent[] } {
    const masters = [...this.#routers.values()].filter(({ state }) => state === 'MASTER');
    return { masters: masters.map(({ key }) => key), tracked: this.#parts.tracked.all() };
  }

  groups(): { readonly name: string; readonly state: GroupState }[] {
    return this.#parts.groups.states();
  }

  get unknownVrids(): number {
    return this.#parts.addressees.unknownVrids;
  }

  /** Addresses that are to go, and are still there. */
  lingering(): string[] {
    return this.#parts.holdings.lingering();
  }

  /** What is changed on interfaces below VMACs; `undefined` before it knows what it has to do. */
  originals(): Original[] | undefined {
    const { configuring, vmacs } = this.#parts;
    return configuring.configured ? vmacs.originals() : undefined;
  }

  // What is tracked.

  #track(events: readonly TrackEvent[]): void {
    for (const event of events) for (const router of this.#routers.values()) router.handle(event);
  }

  #setMaintenance(on: boolean): void {
    const ended = this.#maintenance && !on;
    this.#maintenance = on;
    this.#parts.ground.regroundAll(ended ? 'maintenance ended' : undefined);
  }

  // Addresses.

  /** Routes and rules come after the addresses that they need, and go before them. */
  #hold(event: Extract<AddressesEvent, { type: 'hold' | 'renew' | 'release' }>): void {
    if (event.type === 'release') {
      if (!this.#parts.configuring.releases) return;
      this.#parts.tables.release(event.owner);
    }
    this.#parts.holdings.handle(event);
    if (event.type === 'hold') this.#parts.tables.hold(event.owner);
  }

  /** Addresses were put back: routes may have gone with them, and neighbours may think of another. */
  #restored(owner: string, addresses: readonly HeldAddress[]): void {
    this.#parts.tables.restored(addresses);
    this.#routers.get(owner)?.announce(addresses);
  }

  #log(level: Level, message: string): void {
    this.#emit({ type: 'log', level, message });
  }

  #emit(effect: DirectorEffect): void {
    this.#effects.push(effect);
  }
}
