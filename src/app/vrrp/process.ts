import { Footings } from '../../core/director/footing.ts';
import type { News } from '../../core/director/news.ts';
import type { Family, Ip } from '../../core/ip.ts';
import type { AddressesEvent, HeldAddress } from '../../core/kernel/events.ts';
import { Interfaces } from '../../core/kernel/interfaces.ts';
import { NO_STATICS } from '../../core/kernel/settings.ts';
import type { InterfaceAddress } from '../../core/netlink/address.ts';
import type { Happening } from '../../core/notify/happening.ts';
import { millis, seconds, toMillis } from '../../core/time.ts';
import type { Standing } from '../../core/vrrp/events.ts';
import { memberSettings } from '../../core/vrrp/group.ts';
import type { LinkState } from '../../core/vrrp/links.ts';
import { addressee } from '../../core/vrrp/namesakes.ts';
import type { VrrpSettings } from '../../core/vrrp/settings.ts';
import { startDelay } from '../../core/vrrp/start.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import { Channel } from '../../io/channel.ts';
import { now } from '../../io/clock.ts';
import { Place } from '../../io/placement.ts';
import { RouteSocket } from '../../io/route.ts';
import { LocalReports } from '../../io/sysctl.ts';
import type { ReceivedAdvert } from '../../io/vrrp.ts';
import type { FromChild, Level, ToVrrp, VrrpConfiguration, VrrpNews } from '../messages.ts';
import { ProcessRecording } from '../recording.ts';
import { AddressTable } from './addresses.ts';
import { Announcer, AT_ONCE } from './announcer.ts';
import { BfdSpeakers } from './bfd.ts';
import { Groups } from './groups.ts';
import { KernelWatch } from './kernel.ts';
import { complain } from './lastwords.ts';
import { Links } from './links.ts';
import { Ports } from './ports.ts';
import { Reporter } from './reporter.ts';
import { isSeatedAlike, Router, routerKey, type Surroundings } from './routers.ts';
import { Strangers } from './strangers.ts';
import { Tables } from './tables.ts';
import { VmacLinks } from './vmacs.ts';
import { Votes } from './votes.ts';

const EXIT_CRASHED = 70;
/** For a recording to reach the supervisor, from a process that has given up all addresses. */
const LAST_WORDS_MS = 100;
const NOTHING: Omit<VrrpConfiguration, 'placement'> = {
  instances: [],
  groups: [],
  routing: [],
  statics: NO_STATICS,
  pacing: AT_ONCE,
  delays: [],
  start: { delay: seconds(0), afterBoot: seconds(0) },
  bfd: [],
  quietIgmp: false,
  logUnknownVrids: false,
  release: true,
};
/** How late a step of the wall clock may be noticed: less than the least `time_window`. */
const CLOCK_PERIOD = millis(500);

/** The process that elects and holds addresses. It goes on when the supervisor is gone. */
export function runVrrp(): void {
  const vrrp = new VrrpProcess();
  process.on('SIGTERM', () => vrrp.stop());
  process.on('uncaughtException', (error) => {
    // A machine that broke an invariant is not to be trusted with a VIP: resign while that still works.
    complain(error.stack ?? error.message);
    try {
      vrrp.resign();
      vrrp.recording.atOnce(`it broke: ${error.message}`);
    } finally {
      setTimeout(() => process.exit(EXIT_CRASHED), LAST_WORDS_MS);
    }
  });
  vrrp.run();
}

class VrrpProcess implements Surroundings {
  readonly recording = new ProcessRecording('vrrp', (piece) => this.#channel.send(piece));
  readonly driver = this.recording.driver;
  readonly interfaces = new Interfaces();
  readonly announcer = new Announcer(this);
  readonly #channel = new Channel<ToVrrp, FromChild<VrrpNews>>(process);
  readonly #place = new Place((problem) => this.log('warning', problem));
  readonly #localReports = new LocalReports();
  readonly #route = new RouteSocket();
  readonly #kernel = new KernelWatch(this.#route, this);
  readonly #addresses = new AddressTable(this, this.#route);
  readonly #vmacs = new VmacLinks(this, this.#route, this.#addresses.handle);
  readonly #tables = new Tables(this, this.#route, this.#kernel.monitor, this.#addresses.handle);
  readonly #ports = new Ports(this, (...packet) => this.#deliver(...packet));
  readonly #routers = new Map<string, Router>();
  /** The keys of VRIDs that several routers have on one interface. */
  #shared: ReadonlySet<string> = new Set();
  readonly #strangers = new Strangers((level, message) => this.log(level, message));
  readonly votes = new Votes(
    this,
    (claim, event) => this.#groups.voted(claim, event),
    (wish) => this.#channel.send({ type: 'fence', ...wish }),
  );
  readonly #groups = new Groups(
    this.driver,
    this.votes,
    (member, event) => this.#routers.get(member)?.handle(event),
    (happening) => this.happened(happening),
  );
  readonly #links = new Links(this);
  readonly #footings = new Footings(this.interfaces, (name) => this.#links.state(name));
  /** What was told of tracked things that are not interfaces, for routers that come later. */
  readonly #tracked = new Map<string, TrackEvent>();
  readonly #bfd = new BfdSpeakers({
    driver: this.driver,
    log: (level, message) => this.log(level, message),
    changed: () => this.changed(),
    tracked: (event) => this.#track([event]),
  });
  readonly #reporter = new Reporter(
    this.#routers,
    () => ({
      ...{ bfd: this.#bfd.status(), bfdDiscarded: this.#bfd.discarded, groups: this.#groups.states() },
      malformed: this.#ports.malformed,
      unknownVrids: this.#strangers.count,
      votes: this.votes.status(),
      ...(this.#configured && { originals: this.#vmacs.originals() }),
    }),
    (state) => this.#channel.send({ type: 'state', state }),
  );
  readonly #begun = now();
  #configuration: Omit<VrrpConfiguration, 'placement'> = NOTHING;
  /** The key of each instance. */
  #keys: ReadonlyMap<string, string> = new Map();
  /** Every address that VRRP moves: no source for adverts, and no news for a router. */
  moved: ReadonlySet<Ip> = new Set();
  #maintenance = false;
  /** Asked to stop. */
  #ending = false;

  run(): void {
    this.#kernel.begin();
    this.#channel.onMessage((message) => {
      switch (message.type) {
        case 'inherit':
          if (!this.#configured) this.#vmacs.inherit(message.originals);
          break;
        case 'record':
          this.recording.begin();
          break;
        case 'fenced':
          this.votes.fenced(message.director, message.at);
          break;
        case 'maintenance':
          this.#setMaintenance(message.on);
          break;
        case 'track':
          this.#track(message.events);
          break;
        default:
          this.#configure(message.configuration);
          if (this.#ending) this.#end();
      }
    });
    this.#reporter.begin();
    setInterval(() => {
      for (const router of this.#routers.values()) router.readClock();
    }, toMillis(CLOCK_PERIOD));
  }

  addresses(event: AddressesEvent): void {
    if (event.type === 'release') {
      if (!this.#configuration.release) return;
      this.#tables.release(event.owner);
    }
    this.#addresses.handle(event);
    if (event.type === 'hold') this.#tables.hold(event.owner);
  }

  log(level: Level, message: string): void {
    this.#channel.send({ type: 'log', level, message, at: Date.now() });
    if (!this.#channel.open) complain(message);
  }

  changed(router?: Router): void {
    this.votes.look(this.#routers.values());
    this.#reporter.changed(router);
  }

  /** Others are told by the supervisor: nothing is started here. */
  happened(happening: Happening): void {
    this.#channel.send({ type: 'notify', happening });
  }

  /** Priority-0 adverts, then the addresses go. */
  resign(): void {
    for (const router of this.#routers.values()) router.handle({ type: 'stop' });
  }

  get #configured(): boolean {
    return this.#configuration !== NOTHING;
  }

  /**
   * What an earlier process left behind is known with the configuration: who is asked to stop before it has come waits
   * for it. The supervisor's patience has an end.
   */
  stop(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#configured || !this.#channel.open) this.#end();
    else this.#channel.onClose(() => this.#end());
  }

  #end(): void {
    const cause = 'the daemon stops';
    const groups = this.#groups.states();
    // No member is to wait for another, or to follow it, when all end.
    this.#groups.configure([], () => undefined);
    for (const router of this.#routers.values()) router.end('STOP');
    for (const { name, state: from } of groups) {
      this.happened({ of: 'group', name, what: 'STOP', from, cause });
    }
    this.#bfd.stop();
    if (this.#configuration.release) {
      this.#tables.stop();
      this.#vmacs.want([]);
      this.#silenceIgmp(false);
    }
    this.#reporter.all();
    process.disconnect?.();
    process.exit(0);
  }

  #configure(configuration: VrrpConfiguration): void {
    this.#configuration = configuration;
    this.#strangers.logged = configuration.logUnknownVrids;
    const held = configuration.instances.flatMap(({ addresses, excluded }) => [...addresses, ...excluded]);
    this.moved = new Set(held.map(({ address }) => address.ip));
    this.#place.take(configuration.placement);
    this.#silenceIgmp(configuration.quietIgmp);
    const groups = this.votes.configure(configuration);
    const instances = memberSettings(configuration.instances, groups);
    const wanted = new Map(instances.map((settings) => [routerKey(settings), settings]));
    const keys = new Map(instances.map((settings) => [settings.name, routerKey(settings)]));
    this.#keys = keys;
    const apart = instances.filter((settings) => settings.apart !== undefined);
    this.#shared = new Set(apart.map((settings) => routerKey({ ...settings, apart: undefined })));
    this.#groups.configure(groups, (name) => keys.get(name));
    this.announcer.pace(configuration.pacing);
    this.#tables.configure(configuration.routing, configuration.statics, (name) => keys.get(name));
    this.#watch(wanted, configuration);
    for (const [key, router] of this.#routers) {
      if (!isSeatedAlike(router.settings, wanted.get(key))) this.#remove(key, router);
    }
    // New routers find their interfaces.
    this.#vmacs.want(instances, () => this.#kernel.drain());
    for (const [key, settings] of wanted) {
      const router = this.#routers.get(key);
      if (router === undefined) this.#add(key, settings);
      else router.configure(settings);
    }
    this.#tables.settle();
    this.#keepTracked(instances);
    this.#bfd.configure(configuration.bfd);
    this.#reground(this.#routers.keys());
    this.#channel.send({ type: 'ready' });
    this.#reporter.all();
  }

  #watch(wanted: ReadonlyMap<string, VrrpSettings>, { statics, delays }: VrrpConfiguration): void {
    const grounded = new Map(
      Array.from(wanted, ([key, settings]) => [key, { settings, routing: this.#tables.wantedOf(key) }]),
    );
    this.#footings.configure(grounded, statics, (name) => this.#keys.get(name));
    this.#links.watch(this.#footings.interfaces, delays);
  }

  #silenceIgmp(quiet: boolean): void {
    const trouble = this.#localReports.silence(quiet);
    if (trouble !== undefined) this.log('warning', trouble);
  }

  #add(key: string, settings: VrrpSettings): void {
    const router = new Router(settings, this.#ports, this);
    this.#routers.set(key, router);
    if (this.#ending) return;
    const { start } = this.#configuration;
    router.handle({ type: 'start', delay: startDelay(start, this.#begun, now()) });
  }

  #remove(key: string, router: Router): void {
    router.end('DELETED');
    router.close();
    this.#routers.delete(key);
  }

  // What is tracked.

  linkState(name: string): LinkState {
    return this.#links.state(name);
  }

  readonly contested = (group: string, key: string): void => this.#groups.contested(group, key);

  standing(group: string, key: string, standing: Standing): void {
    this.#groups.standing(group, key, standing);
  }

  #track(events: readonly TrackEvent[]): void {
    for (const event of events) {
      this.#tracked.set(`${event.kind} ${event.name}`, event);
      for (const router of this.#routers.values()) router.handle(event);
    }
  }

  /** Tells all routers what is known: some track more than before. Forgets what nobody tracks. */
  #keepTracked(instances: readonly VrrpSettings[]): void {
    const wanted = new Set(
      instances.flatMap(({ track = [] }) => track.map(({ kind, name }) => `${kind} ${name}`)),
    );
    for (const key of this.#tracked.keys()) if (!wanted.has(key)) this.#tracked.delete(key);
    this.#track([...this.#tracked.values()]);
  }

  #setMaintenance(on: boolean): void {
    const ended = this.#maintenance && !on;
    this.#maintenance = on;
    this.#reground(this.#routers.keys(), ended ? 'maintenance ended' : undefined);
  }

  /** All routers of a VRID that several have on one interface. */
  #namesakes(key: string): Router[] {
    return [...this.#routers].flatMap(([is, router]) =>
      is === key || is.startsWith(`${key} `) ? [router] : [],
    );
  }

  #deliver(device: string, family: Family, vrid: number, advert: ReceivedAdvert): void {
    const key = `${device} IPv${family} VRID ${vrid}`;
    const first = this.#routers.get(key);
    const router = this.#shared.has(key) ? addressee(this.#namesakes(key), advert) : first;
    if (router === undefined) this.#strangers.heard(device, vrid, advert.source);
    else router.handle({ type: 'packet', ...advert });
  }

  // The kernel's interfaces and addresses.

  read(addresses: readonly InterfaceAddress[], why?: string): void {
    if (why !== undefined) this.log('warning', `${why}: read interfaces and addresses again`);
    this.#addresses.handle({ type: 'links', links: this.interfaces.all() });
    this.#addresses.handle({ type: 'shown', addresses });
    this.#tables.show();
    this.#vmacs.links(this.interfaces.all());
    this.#links.show(this.#footings.interfaces);
    this.#reground(this.#routers.keys());
  }

  heard(news: News): void {
    if (news.links) {
      const links = this.interfaces.all();
      this.#addresses.handle({ type: 'links', links });
      this.#vmacs.links(links);
      this.#links.show(news.interfaces);
    }
    for (const seen of news.addresses) this.#addresses.handle({ type: 'seen', ...seen });
    this.#tables.heard(news);
    this.#reground(this.#footings.concernedBy(news.interfaces));
    if (news.risen.size > 0) this.#risen(news.risen);
  }

  /** Neighbours do not know that these can send, or from where. */
  #risen(devs: ReadonlySet<string>): void {
    this.announcer.risen(devs);
    for (const key of this.#footings.concernedBy(devs)) this.#routers.get(key)?.risen(devs);
  }

  believed(interfaces: readonly string[]): void {
    this.#reground(this.#footings.concernedBy(interfaces));
  }

  /** What hinders these instances may be different. */
  shifted(instances: readonly string[]): void {
    this.#reground(instances.flatMap((name) => this.#keys.get(name) ?? []));
  }

  /** `occasion`: why they are looked at, where no interface says so. */
  #reground(keys: Iterable<string>, occasion?: string): void {
    const hindrance = this.#maintenance ? 'the operator wants this director out (maintenance)' : undefined;
    const there = [...keys].filter((key) => this.#routers.has(key));
    for (const look of this.#footings.look(there, this.moved)) {
      const router = this.#routers.get(look.key);
      router?.reground(look, hindrance ?? this.#tables.hindrance(router.settings.name), occasion);
    }
  }

  /** Addresses were put back: routes may have gone with them, and neighbours may think of another. */
  restored(owner: string, addresses: readonly HeldAddress[]): void {
    this.#tables.restored(addresses);
    this.#routers.get(owner)?.announce(addresses);
  }

  /** Addresses are held under the router's key, which outlives its name. */
  nameOf(owner = 'addresses'): string {
    return this.#routers.get(owner)?.settings.name ?? owner;
  }
}
