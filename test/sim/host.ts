import { type Ip, ip } from '../../src/core/ip.ts';
import type { Machine } from '../../src/core/machine.ts';
import type { Prng } from '../../src/core/prng.ts';
import { type Instant, instant } from '../../src/core/time.ts';
import type { Standing, VrrpEffect, VrrpEvent, VrrpState } from '../../src/core/vrrp/events.ts';
import { type Datagram, VRRP_TTL } from '../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import type { Watch } from './checks.ts';
import type { Network } from './network.ts';
import type { World } from './world.ts';

/** What a host runs: the real instance, or a broken one that the checks must find. */
export interface VrrpMachine extends Machine<VrrpEvent, VrrpEffect> {
  readonly state: VrrpState;
}
export type MakeMachine = (settings: VrrpSettings) => VrrpMachine;

/** How a host differs from an ideal one. Microseconds. */
export interface Temper {
  /** Local seconds in a true second. */
  readonly clockRate: number;
  readonly clockOffset: number;
  /** Timers fire up to so much before their time. */
  readonly early: number;
}

/** The kernel's receive buffer, in packets. */
const SOCKET_QUEUE = 256;
/** The kernel removes an address up to a second late, never early. */
const LEASE_GRANULE = 1_000_000;
/** A shell that woke too early tries again no sooner than this. */
const SHORTEST_TIMER = 200;

/** A director: a kernel that holds addresses and queues packets, and a process that may sleep or die. */
export class Host {
  readonly index: number;
  readonly settings: VrrpSettings;
  readonly source: Ip;
  /** `undefined` while the process is dead. */
  machine: VrrpMachine | undefined;
  carrier = true;
  /** Whether the kernel has the virtual addresses now. */
  holds = false;
  /** The last time the process slept, from and to; asleep while `sleptTo` is in the future. */
  sleptFrom = 0;
  sleptTo = 0;
  /** How late the process gets the CPU, at most. */
  latency: number;
  readonly usualLatency: number;
  /** The other virtual routers of the same process: they sleep, die and are told to stop with this one. */
  colleagues: readonly Host[] = [];
  /** Where the standing in the sync group goes. */
  onStanding: ((standing: Standing) => void) | undefined;
  readonly #world: World;
  readonly #network: Network;
  readonly #watch: Watch;
  readonly #prng: Prng;
  readonly #temper: Temper;
  readonly #make: MakeMachine;
  #inbox: VrrpEvent[] = [];
  /** While packets are lost instead of queued: the whole machine is paused. */
  #deafTo = 0;
  #wakePlanned = false;
  #performing = false;
  #timer = 0;
  #leaseEnds = 0;

  constructor(
    setting: { readonly world: World; readonly network: Network; readonly watch: Watch; readonly prng: Prng },
    router: { readonly index: number; readonly settings: VrrpSettings; readonly temper: Temper },
    make: MakeMachine,
  ) {
    this.#world = setting.world;
    this.#network = setting.network;
    this.#watch = setting.watch;
    this.#prng = setting.prng;
    this.index = router.index;
    this.settings = router.settings;
    this.#temper = router.temper;
    this.#make = make;
    this.usualLatency = router.settings.advertInterval / 200;
    this.latency = this.usualLatency;
    const family = router.settings.family;
    this.source = ip(family === 4 ? `10.0.0.${router.index + 1}` : `fe80::${router.index + 1}`);
  }

  get state(): VrrpState {
    return this.machine?.state ?? 'INIT';
  }

  get asleep(): boolean {
    return this.#world.now < this.sleptTo;
  }

  get #localNow(): Instant {
    return instant(this.#temper.clockOffset + this.#world.now * this.#temper.clockRate);
  }

  // What faults do.

  start(): void {
    this.machine = this.#make(this.settings);
    this.#watch.started(this);
    this.tell(this.#linkEvent());
    this.tell({ type: 'start' });
  }

  /** SIGKILL: the kernel keeps the addresses for as long as their lease. */
  crash(): void {
    this.machine = undefined;
    this.#inbox = [];
    this.#timer += 1;
  }

  /** The process gets no CPU. With `deaf` the whole machine stands still, and packets are lost. */
  sleep(duration: number, deaf: boolean): void {
    const end = this.#world.now + duration;
    if (!this.asleep) this.sleptFrom = this.#world.now;
    this.sleptTo = Math.max(this.sleptTo, end);
    if (deaf) this.#deafTo = Math.max(this.#deafTo, end);
    this.#watch.slept(this);
    this.#world.at(this.sleptTo, () => this.#wake());
  }

  setCarrier(up: boolean): void {
    this.carrier = up;
    this.tell(this.#linkEvent());
  }

  // What the network does.

  /** Returns whether the packet reached the socket's queue. */
  receive(datagram: Datagram): boolean {
    const deaf = this.#world.now < this.#deafTo || !this.carrier || this.machine === undefined;
    if (deaf || this.#inbox.length >= SOCKET_QUEUE) return false;
    this.tell({ ...datagram, type: 'packet' });
    return true;
  }

  // The kernel and the shell.

  #linkEvent(): VrrpEvent {
    if (!this.carrier) return { type: 'link', up: false, why: 'no carrier' };
    return { type: 'link', up: true, source: this.source, why: 'link is up' };
  }

  /** An event for the process, which deals with it when it gets the CPU. */
  tell(event: VrrpEvent): void {
    if (this.machine === undefined) return;
    this.#inbox.push(event);
    if (this.#wakePlanned) return;
    this.#wakePlanned = true;
    this.#world.at(this.#world.now + this.#prng.unit() * this.latency, () => {
      this.#wakePlanned = false;
      this.#wake();
    });
  }

  /** An event from within the process, dealt with at once. */
  hand(event: VrrpEvent): void {
    this.machine?.handle(event, this.#localNow);
    this.#settle();
  }

  #drain(): void {
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const event of inbox) this.machine?.handle(event, this.#localNow);
  }

  /** Performs effects in order: those that they cause follow, as in the real shell. */
  #settle(): void {
    const { machine } = this;
    if (machine === undefined || this.#performing) return;
    this.#performing = true;
    for (let effects = machine.take(); effects.length > 0; effects = machine.take()) {
      for (const effect of effects) this.#perform(effect);
    }
    this.#performing = false;
    this.#arm(machine.deadline());
  }

  /** The shell's loop, as the contract of `Machine` has it: all events, then the timer, then the effects. */
  #wake(): void {
    const machine = this.machine;
    if (machine === undefined || this.asleep) return;
    // All sockets of the process are read before any of its timers is believed.
    for (const colleague of this.colleagues) {
      colleague.#drain();
      colleague.#settle();
    }
    this.#drain();
    const now = this.#localNow;
    const deadline = machine.deadline();
    if (deadline !== undefined && deadline <= now) machine.timeout(now);
    this.#settle();
    this.#watch.woke(this);
  }

  #arm(deadline: Instant | undefined): void {
    this.#timer += 1;
    if (deadline === undefined) return;
    const timer = this.#timer;
    const due = (deadline - this.#temper.clockOffset) / this.#temper.clockRate;
    const early = this.#prng.unit() * this.#temper.early;
    const late = this.#prng.unit() * this.latency;
    this.#world.at(Math.max(due - early + late, this.#world.now + SHORTEST_TIMER), () => {
      if (timer === this.#timer) this.#wake();
    });
  }

  #perform(effect: VrrpEffect): void {
    this.#watch.effect(this, effect);
    switch (effect.type) {
      case 'send': {
        const { payload, source, destination } = effect;
        this.#network.send(this, { payload, source, destination, ttl: VRRP_TTL });
        if (this.holds) this.#hold(this.settings.lease);
        break;
      }
      case 'hold':
        this.#hold(effect.lease);
        break;
      case 'standing':
        this.onStanding?.(effect.standing);
        break;
      case 'release':
        this.holds = false;
        this.#leaseEnds = 0;
        break;
    }
  }

  #hold(lease: number): void {
    this.holds = true;
    if (lease === 0) return;
    // Within a hundredth of the lease the clocks of kernel and process may differ.
    const end = this.#world.now + lease * 1.01 + this.#prng.unit() * LEASE_GRANULE;
    this.#leaseEnds = end;
    this.#world.at(end, () => {
      if (this.#leaseEnds === end) this.holds = false;
    });
  }
}
