import { Director } from '../../src/core/director/director.ts';
import { type DirectorEffect, type DirectorEvent, NO_SETTINGS } from '../../src/core/director/events.ts';
import { routerKey } from '../../src/core/director/identity.ts';
import type { Machine } from '../../src/core/machine.ts';
import type { RouteEvent } from '../../src/core/netlink/events.ts';
import type { Prng } from '../../src/core/prng.ts';
import { type Instant, instant } from '../../src/core/time.ts';
import type { VrrpEffect, VrrpState } from '../../src/core/vrrp/events.ts';
import { type Datagram, VRRP_TTL } from '../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import { recordedDirector } from '../core/record/recorded.ts';
import type { Flaw, Host, Temper } from './host.ts';
import { Kernel } from './kernel.ts';
import type { World } from './world.ts';

/** The kernel's receive buffer, in packets. */
const SOCKET_QUEUE = 256;
/** A shell that woke too early tries again no sooner than this. */
const SHORTEST_TIMER = 200;
/** So often machines are due in one turn. */
const MAX_ROUNDS = 50;
const UTC = 1e15;

/** A process with its kernel: a director's machine, which may sleep or die. */
export class Process {
  readonly kernel: Kernel;
  readonly hosts: Host[] = [];
  readonly temper: Temper;
  /** How late it gets the CPU, at most. */
  latency = 0;
  usualLatency = 0;
  /** The last time it slept, from and to; asleep while `sleptTo` is in the future. */
  sleptFrom = 0;
  sleptTo = 0;
  /** Why adverts do not leave: the errno's name. */
  mute: string | undefined;
  /** The kernel's news do not come through. */
  deafToNews = false;
  /** Until when the kernel and the machine may disagree. */
  excusedTo = 0;
  /** Effects that are still to be performed. */
  #effects: DirectorEffect[] = [];
  readonly #world: World;
  readonly #prng: Prng;
  readonly #flaw: Flaw;
  #director: Director | undefined;
  /** The same, recorded where that is wanted. */
  #machine: Machine<DirectorEvent, DirectorEffect> | undefined;
  #inbox: (() => void)[] = [];
  /** While packets are lost instead of queued: the whole machine is paused. */
  #deafTo = 0;
  #wakePlanned = false;
  #performing = false;
  /** It was started again before it had stopped. */
  #again = false;
  #timer = 0;
  /** It waits for the kernel. */
  #blocked = false;
  #life = 0;

  constructor(world: World, prng: Prng, temper: Temper, flaw: Flaw) {
    this.#world = world;
    this.#prng = prng;
    this.temper = temper;
    this.#flaw = flaw;
    this.kernel = new Kernel(world, prng, (event) => this.#news(event));
  }

  /** One more virtual router, on a segment of its own. */
  seat(host: Host): void {
    const { settings, ifindex, addressIfindex, source } = host;
    this.hosts.push(host);
    this.usualLatency = Math.max(this.usualLatency, settings.advertInterval / 200);
    this.latency = this.usualLatency;
    const own = { ip: source, length: settings.family === 4 ? 24 : 64 };
    this.kernel.plug(ifindex, settings.interface, own);
    const dev = settings.addresses[0]?.dev;
    if (dev !== undefined) this.kernel.plug(addressIfindex, dev);
  }

  /** True time. */
  get now(): number {
    return this.#world.now;
  }

  get alive(): boolean {
    return this.#director !== undefined;
  }

  /** Whether it waits for the kernel, and has decided already what it is about to do. */
  get blocked(): boolean {
    return this.#blocked;
  }

  get asleep(): boolean {
    return this.#world.now < this.sleptTo;
  }

  stateOf(host: Host): VrrpState {
    return this.#director?.routers.get(routerKey(host.settings))?.state ?? 'INIT';
  }

  get #localNow(): Instant {
    return instant(this.temper.clockOffset + this.#world.now * this.temper.clockRate);
  }

  // What faults do.

  /** For so long the kernel and the machine may disagree. */
  excuse(duration: number): void {
    this.excusedTo = Math.max(this.excusedTo, this.now + duration);
  }

  start(): void {
    this.#again = this.#director !== undefined;
    if (this.#again) return;
    const digest = { hmac: () => new Uint8Array(64) };
    const { make, recorder } = this.#flaw;
    const birth = { begun: this.#localNow, marks: true };
    if (recorder !== undefined) {
      const { director, machine } = recordedDirector(recorder, birth, digest);
      [this.#director, this.#machine] = [director, machine];
    } else {
      this.#director = new Director({ ...birth, digest, ...(make && { makeRouter: make }) });
      this.#machine = this.#director;
    }
    for (const host of this.hosts) host.watch.started(host);
    this.#event({ type: 'clock', utc: UTC });
    this.read();
    this.configure();
  }

  /** Is told its settings; `changed` in the place of those of one host. */
  configure(changed?: VrrpSettings): void {
    const instances = this.hosts.map(({ settings }) =>
      settings.interface === changed?.interface ? changed : settings,
    );
    const members = instances.map(({ name }) => name);
    const groups = members.length > 1 ? [{ name: 'G', members, track: [], weights: true }] : [];
    const settings = { ...NO_SETTINGS, instances, groups };
    this.#event({ type: 'configure', settings, protected: false });
  }

  read(why?: string): void {
    const { links, addresses } = this.kernel;
    this.#event({ type: 'read', links, addresses, ...(why !== undefined && { why }) });
  }

  /** SIGKILL: the kernel keeps the addresses for as long as their lease. */
  crash(): void {
    this.#director = undefined;
    this.#machine = undefined;
    this.#inbox = [];
    this.#effects = [];
    this.#blocked = false;
    this.#life += 1;
    this.#timer += 1;
  }

  /** SIGTERM, as soon as it gets the CPU. */
  stop(): void {
    this.#again = false;
    this.#later(() => {
      this.#handle({ type: 'stop' });
      this.crash();
      if (this.#again) this.start();
    });
  }

  /** The process gets no CPU. With `deaf` the whole machine stands still, and packets are lost. */
  sleep(duration: number, deaf: boolean): void {
    const end = this.#world.now + duration;
    if (!this.asleep) this.sleptFrom = this.#world.now;
    this.sleptTo = Math.max(this.sleptTo, end);
    if (deaf) this.#deafTo = Math.max(this.#deafTo, end);
    for (const host of this.hosts) host.watch.slept(host);
    this.#world.at(this.sleptTo, () => this.#wake());
  }

  track(good: boolean, name: string): void {
    const why = good ? 'works' : 'failed';
    this.#event({ type: 'track', events: [{ type: 'track', kind: 'script', name, good, why }] });
  }

  /** A planned hand-over of one of its routers. */
  resign(host: Host, why: string): void {
    this.#later(() => {
      this.#handle({ type: 'clock', utc: UTC });
      this.#director?.routers.get(routerKey(host.settings))?.handle({ type: 'resign', why });
      this.#settle();
    });
  }

  // What the network does.

  /** Returns whether the packet reached the socket's queue. */
  receive(host: Host, datagram: Datagram): boolean {
    const deaf = this.#world.now < this.#deafTo || this.#director === undefined;
    if (deaf || this.#inbox.length >= SOCKET_QUEUE) return false;
    const [, vrid = 0] = datagram.payload;
    this.#event({ type: 'packet', home: host.settings.interface, vrid, ...datagram });
    return true;
  }

  // The kernel and the shell.

  #news(event: RouteEvent): void {
    if (!this.deafToNews) this.#event({ type: 'news', events: [event] });
  }

  /** An event for the process, which deals with it when it gets the CPU. */
  #event(event: DirectorEvent): void {
    this.#later(() => this.#handle(event));
  }

  #later(act: () => void): void {
    if (this.#director === undefined) return;
    this.#inbox.push(act);
    if (this.#wakePlanned) return;
    this.#wakePlanned = true;
    this.#world.at(this.#world.now + this.#prng.unit() * this.latency, () => {
      this.#wakePlanned = false;
      this.#wake();
    });
  }

  #handle(event: DirectorEvent): void {
    if (this.#flaw.hears?.(event) !== false) this.#machine?.handle(event, this.#localNow);
    this.#settle();
  }

  /** The shell's loop, as the contract of `Machine` has it: all events, then the timer, then the effects. */
  #wake(): void {
    if (this.#director === undefined || this.asleep || this.#blocked) return;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (let at = 0; at < inbox.length; at++) {
      inbox[at]?.();
      if (this.#blocked) {
        this.#inbox = [...inbox.slice(at + 1), ...this.#inbox];
        return;
      }
    }
    const now = this.#localNow;
    for (let round = 0; round < MAX_ROUNDS && (this.#machine?.deadline() ?? now + 1) <= now; round++) {
      this.#machine?.timeout(now);
      this.#settle();
      if (this.#blocked) return;
    }
    this.#settle();
    for (const host of this.hosts) host.watch.woke(host);
  }

  /** Performs effects in order: those that they cause follow, as in the real shell. */
  #settle(): void {
    const director = this.#machine;
    if (director === undefined || this.#performing) return;
    this.#performing = true;
    this.#effects.push(...director.take());
    for (let effect = this.#effects.shift(); effect !== undefined; effect = this.#effects.shift()) {
      if (effect.type === 'addresses' && this.kernel.takes > 0) {
        this.#wait(effect);
        break;
      }
      this.#perform(effect);
      if (this.#effects.length === 0) this.#effects.push(...director.take());
    }
    this.#performing = false;
    if (this.#blocked) return;
    this.#arm(director.deadline());
    this.#look();
  }

  /** The kernel takes its time, and the process gets no further meanwhile. */
  #wait(effect: Extract<DirectorEffect, { type: 'addresses' }>): void {
    this.#blocked = true;
    this.sleep(this.kernel.takes, false);
    const life = this.#life;
    const goOn = (): void => {
      if (life !== this.#life) return;
      if (this.asleep) {
        this.#world.at(this.sleptTo, goOn);
        return;
      }
      this.#blocked = false;
      this.#performing = true;
      this.#perform(effect);
      this.#performing = false;
      this.#settle();
      this.#wake();
    };
    this.#world.at(this.sleptTo, goOn);
  }

  #arm(deadline: Instant | undefined): void {
    this.#timer += 1;
    if (deadline === undefined) return;
    const timer = this.#timer;
    const { clockOffset, clockRate, early: most } = this.temper;
    const due = (deadline - clockOffset) / clockRate;
    const early = this.#prng.unit() * most;
    const late = this.#prng.unit() * this.latency;
    this.#world.at(Math.max(due - early + late, this.#world.now + SHORTEST_TIMER), () => {
      if (timer === this.#timer) this.#wake();
    });
  }

  #perform(effect: DirectorEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect);
        break;
      case 'ports':
        this.#handle({ type: 'ports', failed: new Map() });
        break;
      case 'addresses': {
        const results = effect.changes.map((change) => ({ id: change.id, errno: this.kernel.apply(change) }));
        this.#handle({ type: 'addresses', results });
        break;
      }
      case 'look':
        this.#handle({ type: 'looked' });
        break;
      case 'frames': {
        const host = this.hosts.find(({ addressIfindex }) => addressIfindex === effect.ifindex);
        host?.watch.effect(host, { type: 'announce', addresses: [], repeat: 1 });
        const outcome = { type: 'sent', id: effect.id, taken: effect.addresses.length } as const;
        this.#handle({ type: 'framed', outcome });
        break;
      }
      case 'log':
        this.#said(effect.message);
        break;
      default:
        break;
    }
  }

  #send(effect: Extract<DirectorEffect, { type: 'send' }>): void {
    const { router, payload, source, destination, ttl } = effect;
    const host = this.hosts.find(({ settings }) => routerKey(settings) === router);
    if (host === undefined) return;
    // A question whether adverts leave is of no VRID, and nobody's.
    if (this.mute !== undefined) {
      host.network.muted(host);
      this.#handle({ type: 'unsent', router, code: this.mute, destination });
      return;
    }
    host.watch.effect(host, { type: 'send', payload, source, destination, ttl });
    if (payload[1] !== 0) host.network.send(host, { payload, source, destination, ttl: VRRP_TTL });
    this.#handle({ type: 'sent', router });
  }

  /** Transitions are read from the log, as a person would. */
  #said(message: string): void {
    const [, name, from, to, cause = ''] = /^(\S+): ([A-Z]+) -> ([A-Z]+): (.*)$/.exec(message) ?? [];
    const host = this.hosts.find(({ settings }) => settings.name === name);
    if (host === undefined) return;
    const transition = { type: 'transition', from, to, cause } as Extract<VrrpEffect, { type: 'transition' }>;
    host.watch.effect(host, transition);
  }

  /** Whatever a process did, it must leave its group whole: all master, or none. */
  #look(): void {
    const [first, ...others] = this.hosts;
    if (first === undefined || others.length === 0 || this.#director === undefined) return;
    const masters = this.hosts.filter((host) => host.state === 'MASTER').length;
    if (masters > 0 && masters < this.hosts.length) first.watch.split(this.hosts);
  }
}
