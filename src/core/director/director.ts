import { unreachable } from '../assert.ts';
import { familyOf } from '../ip.ts';
import type { Level } from '../level.ts';
import type { Machine } from '../machine.ts';
import type { AddressesEvent, HeldAddress } from '../reconcile/events.ts';
import type { Original } from '../reconcile/originals.ts';
import { type Instant, seconds, since } from '../time.ts';
import { type GroupState, memberSettings } from '../vrrp/group.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { startDelay } from '../vrrp/start.ts';
import type { TrackEvent } from '../vrrp/track.ts';
import { Addressees } from './addressees.ts';
import { Announcer } from './announcer.ts';
import { Ensemble } from './ensemble.ts';
import {
  type Answer,
  type DirectorBirth,
  type DirectorEffect,
  type DirectorEvent,
  type DirectorSettings,
  NO_SETTINGS,
} from './events.ts';
import { Ground } from './ground.ts';
import { Groups } from './groups.ts';
import { Holdings } from './holdings.ts';
import { Kernel } from './kernel.ts';
import { isSeatedAlike, Router, type RouterTies, realRouter, routerKey } from './router.ts';
import { Steps } from './steps.ts';
import { Tables } from './tables.ts';
import { Tracked } from './tracked.ts';
import { UnknownVrids } from './unknown-vrids.ts';
import { VmacLinks } from './vmacs.ts';

type Of<T extends DirectorEvent['type']> = Extract<DirectorEvent, { type: T }>;
/** No virtual router has authority for a shorter time than this without an advert. */
const PAUSE = seconds(0.01);
/** No kernel's clock has longer ticks. */
const TICK = seconds(0.01);
const MAINTENANCE = 'the operator wants this director out (maintenance)';

/**
 * The mind of the VRRP process: virtual routers and sync groups, the addresses, routes, rules and interfaces that they
 * hold, and the sockets that they need. It knows the kernel as it was last told, and decides all; a shell performs its
 * effects, in order, and answers them before anything else happens.
 */
export class Director implements Machine<DirectorEvent, DirectorEffect> {
  readonly #ensemble: Ensemble;
  readonly #begun: Instant;
  readonly #routers = new Map<string, Router>();
  readonly #ground: Ground;
  readonly #holdings: Holdings;
  readonly #tables: Tables;
  readonly #vmacs: VmacLinks;
  readonly #groups: Groups;
  readonly #announcer: Announcer;
  readonly #kernel: Kernel;
  readonly #unknownVrids = new UnknownVrids((level, message) => this.#log(level, message));
  readonly #ties: RouterTies;
  #effects: DirectorEffect[] = [];
  #settings = NO_SETTINGS;
  /** The key of each instance. */
  #keys: ReadonlyMap<string, string> = new Map();
  readonly #tracked = new Tracked();
  readonly #addressees = new Addressees(this.#routers);
  /** When the votes for each group end. */
  readonly #until = new Map<string, Instant>();
  #maintenance = false;
  #ending = false;
  #clock = { utc: 0, at: 0 as Instant };
  readonly #steps = new Steps(() => [...this.#routers.values()].some(({ sending }) => sending));

  constructor({ digest, begun, marks, tick = TICK, recorder, makeRouter = realRouter }: DirectorBirth) {
    this.#begun = begun;
    this.#ensemble = new Ensemble(recorder);
    this.#ensemble.begin(begun);
    const ensemble = this.#ensemble;
    const emit = (effect: DirectorEffect): void => void this.#effects.push(effect);
    this.#ground = new Ground({
      ensemble,
      emit,
      routers: this.#routers,
      hindrance: (name) => (this.#maintenance ? MAINTENANCE : this.#tables.hindrance(name)),
    });
    const { interfaces } = this.#ground;
    const shared = { ensemble, interfaces, emit };
    // Addresses are held under the router's key, which outlives its name.
    const nameOf = (owner = 'addresses'): string => this.#routers.get(owner)?.settings.name ?? owner;
    this.#holdings = new Holdings({
      ...shared,
      marks,
      tick,
      nameOf,
      restored: (owner, addresses) => this.#restored(owner, addresses),
    });
    const addresses = this.#holdings.handle;
    this.#announcer = new Announcer(ensemble, interfaces, emit);
    this.#vmacs = new VmacLinks(ensemble, emit, addresses);
    this.#groups = new Groups(ensemble, emit, (member, event) => this.#routers.get(member)?.handle(event));
    this.#tables = new Tables({
      ...shared,
      addresses,
      linkState: (name) => this.#ground.linkState(name),
      nameOf,
      shifted: (names) => this.#ground.reground(names.flatMap((name) => this.#keys.get(name) ?? [])),
    });
    this.#kernel = new Kernel({
      ground: this.#ground,
      holdings: this.#holdings,
      tables: this.#tables,
      vmacs: this.#vmacs,
      announcer: this.#announcer,
      emit,
    });
    this.#ties = {
      ...shared,
      digest,
      makeRouter,
      tick,
      addresses: (event) => this.#hold(event),
      announce: this.#announcer.announce,
      forget: this.#announcer.forget,
      until: (group) => (group === undefined ? undefined : this.#until.get(group)),
      contested: (group, router) => this.#groups.contested(group, router),
      standing: (group, router, standing) => this.#groups.standing(group, router, standing),
      quiet: () => this.#steps.proceed(),
    };
  }

  handle(event: DirectorEvent, now: Instant): void {
    this.#begin(now);
    switch (event.type) {
      case 'read':
        this.#kernel.read(event);
        break;
      case 'news':
        this.#kernel.hear(event.events);
        break;
      case 'inherit':
        if (this.#settings === NO_SETTINGS) this.#vmacs.handle(event);
        break;
      case 'configure':
        this.#configure(event.settings, event.protected);
        break;
      case 'packet':
        this.#packet(event, now);
        break;
      case 'track':
        this.#tracked.note(event.events);
        this.#track(event.events);
        break;
      case 'maintenance':
        this.#setMaintenance(event.on);
        break;
      case 'clock':
        this.#clock = { utc: event.utc, at: now };
        for (const router of this.#routers.values()) router.readClock(event.utc);
        break;
      case 'voted':
        if (event.until === undefined) this.#until.delete(event.group);
        else this.#until.set(event.group, event.until);
        this.#groups.voted(event.group, event.event);
        break;
      case 'stop':
        this.#stop();
        break;
      case 'resign':
        for (const router of this.#routers.values()) router.giveUp();
        break;
      default:
        this.#answered(event);
    }
  }

  #answered(event: Answer): void {
    switch (event.type) {
      case 'looked':
      case 'followed':
        if (event.type === 'followed') this.#tables.show(this.#ground.interfaces.all(), event);
        this.#steps.answered();
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
        this.#ground.opened(event.failed);
        break;
      case 'addresses':
        this.#holdings.handle({ type: 'done', results: event.results });
        break;
      case 'routing':
        this.#tables.handle({ type: 'done', results: event.results });
        break;
      case 'leased':
        this.#holdings.leased(event.outcome);
        break;
      case 'made':
        this.#vmacs.handle(event);
        break;
      case 'framed':
        this.#announcer.handle(event.outcome);
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

  // What is shown of it.

  get routers(): ReadonlyMap<string, Router> {
    return this.#routers;
  }

  groups(): { readonly name: string; readonly state: GroupState }[] {
    return this.#groups.states();
  }

  get unknownVrids(): number {
    return this.#unknownVrids.count;
  }

  /** What is changed on interfaces below VMACs; `undefined` before it knows what it has to do. */
  originals(): Original[] | undefined {
    return this.#settings === NO_SETTINGS ? undefined : this.#vmacs.originals();
  }

  // Its beginning, what it has to do, and its end.

  /** In steps: what was asked for is answered before the next one. */
  #configure(settings: DirectorSettings, votes: boolean): void {
    this.#settings = settings;
    const { groups, routing, statics } = settings;
    const instances = memberSettings(settings.instances, groups);
    const wanted = new Map(instances.map((instance) => [routerKey(instance), instance]));
    if (this.#tables.needsToFollow(routing, statics)) this.#steps.add(() => this.#ask('follow'));
    this.#steps.add(
      () => this.#prepare(instances, wanted, votes),
      () => this.#vmacs.want(instances),
      // New routers find their interfaces.
      () => this.#ask('look'),
      () => this.#beginRouters(instances, wanted),
      () => {
        this.#tables.settle();
        this.#tracked.keep(instances);
        this.#track(this.#tracked.all());
        this.#ground.regroundAll();
      },
      () => {
        // What an earlier life left on interfaces has gone by now, and its leases may go, too.
        if (settings.leaseTable === undefined) this.#holdings.stop();
        else this.#holdings.lease(settings.leaseTable);
        this.#emit({ type: 'ready' });
      },
    );
    this.#steps.proceed();
  }

  #beginRouters(instances: readonly VrrpSettings[], wanted: ReadonlyMap<string, VrrpSettings>): void {
    this.#vmacs.address(instances);
    for (const [key, instance] of wanted) {
      const router = this.#routers.get(key);
      if (router === undefined) this.#add(key, instance);
      else router.configure(instance, this.#utc());
    }
  }

  #prepare(
    instances: readonly VrrpSettings[],
    wanted: ReadonlyMap<string, VrrpSettings>,
    votes: boolean,
  ): void {
    const { groups, routing, statics, delays, pacing, logUnknownVrids } = this.#settings;
    this.#unknownVrids.logged = logUnknownVrids;
    const keys = new Map(instances.map((settings) => [settings.name, routerKey(settings)]));
    this.#keys = keys;
    this.#addressees.configure(instances);
    this.#groups.configure(groups, (name) => keys.get(name), votes);
    this.#announcer.handle({ type: 'configure', pacing });
    this.#tables.configure(routing, statics, (name) => keys.get(name));
    const grounded = Array.from(
      wanted,
      ([key, settings]) => [key, { settings, routing: this.#tables.wantedOf(key) }] as const,
    );
    this.#ground.configure(new Map(grounded), statics, delays, (name) => keys.get(name));
    for (const [key, router] of this.#routers) {
      if (!isSeatedAlike(router.settings, wanted.get(key))) this.#remove(key, router);
    }
  }

  #add(key: string, settings: VrrpSettings): void {
    const router = new Router(settings, this.#ties);
    this.#routers.set(key, router);
    router.readClock(this.#utc());
    if (this.#ending) return;
    const delay = startDelay(this.#settings.start, this.#begun, this.#ensemble.now);
    router.handle({ type: 'start', delay });
  }

  #remove(key: string, router: Router): void {
    router.end('DELETED');
    this.#steps.first(() => {
      router.leave();
      this.#routers.delete(key);
    });
  }

  #stop(): void {
    this.#ending = true;
    const cause = 'the daemon stops';
    const groups = this.#groups.states();
    // No member is to wait for another, or to follow it, when all end.
    this.#groups.configure([], () => undefined, false);
    for (const router of this.#routers.values()) router.end('STOP');
    for (const { name, state: from } of groups)
      this.#emit({ type: 'happened', happening: { of: 'group', name, what: 'STOP', from, cause } });
    this.#steps.add(() => {
      if (!this.#settings.release) return;
      this.#tables.stop();
      this.#holdings.stop();
      this.#vmacs.want([]);
    });
    this.#steps.proceed();
  }

  #ask(what: 'follow' | 'look'): void {
    this.#steps.ask();
    this.#emit({ type: what });
  }

  // Packets, and what is tracked.

  #packet({ home, vrid, ...datagram }: Of<'packet'>, now: Instant): void {
    const { source } = datagram;
    const router = this.#addressees.of(`${home} IPv${familyOf(source)} VRID ${vrid}`, datagram);
    if (router === undefined) this.#unknownVrids.heard(home, vrid, source, now);
    else router.handle(datagram);
  }

  #track(events: readonly TrackEvent[]): void {
    for (const event of events) for (const router of this.#routers.values()) router.handle(event);
  }

  #setMaintenance(on: boolean): void {
    const ended = this.#maintenance && !on;
    this.#maintenance = on;
    this.#ground.regroundAll(ended ? 'maintenance ended' : undefined);
  }

  // Addresses.

  /** Routes and rules come after the addresses that they need, and go before them. */
  #hold(event: Extract<AddressesEvent, { type: 'hold' | 'renew' | 'release' }>): void {
    if (event.type === 'release') {
      if (!this.#settings.release) return;
      this.#tables.release(event.owner);
    }
    this.#holdings.handle(event);
    if (event.type === 'hold') this.#tables.hold(event.owner);
  }

  /** Addresses were put back: routes may have gone with them, and neighbours may think of another. */
  #restored(owner: string, addresses: readonly HeldAddress[]): void {
    this.#tables.restored(addresses);
    this.#routers.get(owner)?.announce(addresses);
  }

  #utc(): number {
    return this.#clock.utc + since(this.#ensemble.now, this.#clock.at);
  }

  #log(level: Level, message: string): void {
    this.#emit({ type: 'log', level, message });
  }

  #emit(effect: DirectorEffect): void {
    this.#effects.push(effect);
  }
}
