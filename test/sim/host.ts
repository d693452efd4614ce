import type { DirectorEvent, MakeRouter } from '../../src/core/director/events.ts';
import { type Ip, ip } from '../../src/core/ip.ts';
import type { Recorder } from '../../src/core/record/recorder.ts';
import type { VrrpState } from '../../src/core/vrrp/events.ts';
import type { Datagram } from '../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import type { Watch } from './checks.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';

export type VrrpMachine = ReturnType<MakeRouter>;
/** What is wrong with a director; it is the real one where all is absent. */
export interface Flaw {
  /** Makes its virtual routers. */
  readonly make?: MakeRouter;
  /** Records the machines of all directors. */
  readonly recorder?: Recorder;
  /** Whether it hears an event. */
  readonly hears?: (event: DirectorEvent) => boolean;
}

/** How a host differs from an ideal one. Microseconds. */
export interface Temper {
  /** Local seconds in a true second. */
  readonly clockRate: number;
  readonly clockOffset: number;
  /** Timers fire up to so much before their time. */
  readonly early: number;
}

/** From the index of an interface to that of the one which its virtual addresses are on. */
const APART = 100;

/** A virtual router of a director, on one segment. */
export class Host {
  readonly index: number;
  readonly settings: VrrpSettings;
  readonly source: Ip;
  readonly ifindex: number;
  /** The interface that the virtual addresses are on. */
  readonly addressIfindex: number;
  readonly process: Process;
  readonly network: Network;
  readonly watch: Watch;
  carrier = true;

  constructor(
    process: Process,
    network: Network,
    router: { readonly index: number; readonly settings: VrrpSettings; readonly apart: boolean },
  ) {
    this.process = process;
    this.network = network;
    this.watch = network.watch;
    this.index = router.index;
    this.ifindex = process.hosts.length + 1;
    const name = process.hosts.length === 0 ? router.settings.name : `VI_${this.ifindex}`;
    this.addressIfindex = router.apart ? this.ifindex + APART : this.ifindex;
    const dev = `vip${this.ifindex - 1}`;
    const addresses = router.settings.addresses.map((address) =>
      router.apart ? { ...address, dev } : address,
    );
    this.settings = { ...router.settings, name, interface: `eth${this.ifindex - 1}`, addresses };
    const { family } = router.settings;
    this.source = ip(family === 4 ? `10.0.0.${router.index + 1}` : `fe80::${router.index + 1}`);
    process.seat(this);
  }

  get state(): VrrpState {
    return this.process.stateOf(this);
  }

  /** Whether the kernel has the virtual addresses now. */
  get holds(): boolean {
    return this.process.kernel.holds(this.addressIfindex);
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

  /** What it lacks for serving. */
  get missing(): string | undefined {
    return this.process.kernel.lacking([this.ifindex, this.addressIfindex]);
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
