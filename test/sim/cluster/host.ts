import { KERNEL_LATENESS } from '../../../src/core/fence/lease.ts';
import type { Prng } from '../../../src/core/prng.ts';
import { type Instant, instant } from '../../../src/core/time.ts';
import { Kernel } from '../kernel.ts';
import type { World } from '../world.ts';
import type { Vip } from './day.ts';
import { LeaseTable } from './leasetable.ts';
import type { Process } from './process.ts';

/** Wall clocks begin then, in microseconds since 1970. */
const UTC = 1e15;

/** A computer: its clock, its kernel, and what runs on it. It may stand still, or have no power. */
export class Host {
  readonly name: string;
  readonly world: World;
  readonly prng: Prng;
  readonly kernel: Kernel;
  leases: LeaseTable;
  readonly processes: Process[] = [];
  /** What is done when power comes. */
  boot: () => void = () => {};
  on = false;
  /** Segments that have no cable here. */
  readonly unplugged = new Set<number>();
  /** By how much the wall clock is set. */
  wallStep = 0;
  /** How late processes get the CPU, at most. */
  latency = 0;
  /** It will never have power again. */
  gone = false;
  readonly #clockRate: number;
  readonly #clockOffset: number;
  /** How long its clocks have stood, in true time. */
  #stood = 0;
  #standsSince: number | undefined;
  #frozen = false;
  #frozenTo = 0;
  readonly #look: () => void;

  /** `look` is called whenever it may answer for an address that it did not answer for before. */
  constructor(
    world: World,
    prng: Prng,
    node: { readonly name: string; readonly clockRate: number; readonly clockOffset: number },
    look: () => void,
  ) {
    this.world = world;
    this.prng = prng;
    this.name = node.name;
    this.#clockRate = node.clockRate;
    this.#clockOffset = node.clockOffset;
    this.#look = look;
    this.kernel = new Kernel(
      world,
      prng,
      (event) => {
        for (const process of this.processes) process.hear(event);
      },
      (valid, expire) => {
        const late = prng.unit() * KERNEL_LATENESS;
        this.at(instant(this.now + valid * 1e6 + late), expire);
      },
    );
    this.leases = this.#noLeases();
  }

  /** By its own clock, which knows no other. */
  get now(): Instant {
    return instant(this.#clockOffset + (this.#awake - this.#stood) * this.#clockRate);
  }

  get utc(): number {
    return Math.round(UTC + this.world.now) + this.wallStep;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Acts when its clock shows that; nothing is done while it stands still. */
  at(local: number, act: () => void): void {
    const due = (local - this.#clockOffset) / this.#clockRate + this.#stood;
    this.world.at(Math.max(due, this.#frozenTo), () => {
      if (this.world.now < this.#frozenTo || this.now < local - 1) this.at(local, act);
      else act();
    });
  }

  /** Whether packets for the address would be answered now. */
  holds({ address, segment }: Vip): boolean {
    return this.on && !this.frozen && this.kernel.has(segment + 1, address) && this.leases.passes(address);
  }

  look(): void {
    this.#look();
  }

  /** Its cable of the segment is plugged in, or pulled. */
  plug(segment: number, plugged: boolean): void {
    if (plugged) this.unplugged.delete(segment);
    else this.unplugged.add(segment);
    this.kernel.setCarrier(segment + 1, plugged);
  }

  /** It stands still; `stand`: its clocks do not go on meanwhile. */
  freeze(duration: number, stand: boolean): void {
    const { now } = this.world;
    this.#frozen = true;
    this.#frozenTo = Math.max(this.#frozenTo, now + duration);
    if (stand) this.#standsSince ??= now;
    for (const process of this.processes) process.stood(duration);
    const end = this.#frozenTo;
    this.world.at(end, () => {
      // What has expired meanwhile goes first.
      if (end === this.#frozenTo) this.world.at(end, () => this.#thaw());
    });
  }

  #thaw(): void {
    this.#frozen = false;
    if (this.#standsSince !== undefined) this.#stood += this.world.now - this.#standsSince;
    this.#standsSince = undefined;
    this.#look();
    for (const process of this.processes) process.wake();
  }

  /** True time, as far as its clocks have gone on. */
  get #awake(): number {
    return this.#standsSince ?? this.world.now;
  }

  /** All that was in its memory is gone. */
  powerOff(): void {
    this.on = false;
    for (const process of this.processes) process.kill();
    this.kernel.forget();
    this.leases = this.#noLeases();
    this.#frozen = false;
    this.#frozenTo = 0;
  }

  powerOn(): void {
    if (this.on || this.gone) return;
    this.on = true;
    this.boot();
  }

  #noLeases(): LeaseTable {
    return new LeaseTable(() => this.now, this.prng);
  }
}
