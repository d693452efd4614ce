import type { MakeRouter } from '../../src/core/director/events.ts';
import { type Ip, ip } from '../../src/core/ip.ts';
import type { Prng } from '../../src/core/prng.ts';
import type { VrrpState } from '../../src/core/vrrp/events.ts';
import type { Datagram } from '../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import type { Watch } from './checks.ts';
import type { Network } from './network.ts';
import { Process } from './process.ts';
import type { World } from './world.ts';

export type VrrpMachine = ReturnType<MakeRouter>;
/** What a host runs: the real machine when absent, or a broken one that the checks must find. */
export type MakeMachine = MakeRouter;

/** How a host differs from an ideal one. Microseconds. */
export interface Temper {
  /** Local seconds in a true second. */
  readonly clockRate: number;
  readonly clockOffset: number;
  /** Timers fire up to so much before their time. */
  readonly early: number;
}

/** A virtual router of a director, on one segment. */
export class Host {
  readonly index: number;
  readonly settings: VrrpSettings;
  readonly source: Ip;
  readonly ifindex: number;
  readonly process: Process;
  readonly network: Network;
  readonly watch: Watch;
  carrier = true;

  constructor(
    process: Process,
    segment: { readonly network: Network; readonly watch: Watch },
    router: { readonly index: number; readonly settings: VrrpSettings },
  ) {
    this.process = process;
    this.network = segment.network;
    this.watch = segment.watch;
    this.index = router.index;
    this.ifindex = process.hosts.length + 1;
    const name = process.hosts.length === 0 ? router.settings.name : `VI_${this.ifindex}`;
    this.settings = { ...router.settings, name, interface: `eth${this.ifindex - 1}` };
    const { family } = router.settings;
    this.source = ip(family === 4 ? `10.0.0.${router.index + 1}` : `fe80::${router.index + 1}`);
    process.seat(this);
  }

  /** A director with one virtual router. */
  static alone(
    stage: { readonly world: World; readonly network: Network; readonly watch: Watch; readonly prng: Prng },
    router: { readonly index: number; readonly settings: VrrpSettings; readonly temper: Temper },
    make: MakeMachine | undefined,
  ): Host {
    return new Host(new Process(stage.world, stage.prng, router.temper, make), stage, router);
  }

  get state(): VrrpState {
    return this.process.stateOf(this);
  }

  /** Whether the kernel has the virtual addresses now. */
  get holds(): boolean {
    return this.process.kernel.holds(this.ifindex);
  }

  get asleep(): boolean {
    return this.process.asleep;
  }
  get sleptFrom(): number {
    return this.process.sleptFrom;
  }
  get sleptTo(): number {
    return this.process.sleptTo;
  }

  setCarrier(up: boolean): void {
    this.carrier = up;
    this.process.kernel.setCarrier(this.ifindex, up);
  }

  /** Returns whether the packet reached the socket's queue. */
  receive(datagram: Datagram): boolean {
    return this.carrier && this.process.receive(this, datagram);
  }
}
