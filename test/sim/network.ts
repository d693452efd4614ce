import type { Prng } from '../../src/core/prng.ts';
import type { Datagram } from '../../src/core/vrrp/packet.ts';
import type { Watch } from './checks.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/** What the segment does to packets at present; faults change it. Delays in microseconds. */
export interface Conditions {
  loss: number;
  duplicate: number;
  /** The probability that one bit of the payload is flipped. */
  corrupt: number;
  delayLeast: number;
  delayMost: number;
}

/** One multicast segment: what a host sends reaches each other host, or not, each on its own. */
export class Network {
  readonly hosts: Host[] = [];
  readonly conditions: Conditions;
  readonly #world: World;
  readonly #prng: Prng;
  readonly watch: Watch;
  /** How many partitions keep the packets of one host from another: `from` * 16 + `to`. */
  readonly #cuts = new Map<number, number>();

  constructor(world: World, prng: Prng, watch: Watch, conditions: Conditions) {
    this.#world = world;
    this.#prng = prng;
    this.watch = watch;
    this.conditions = conditions;
  }

  /** Cuts one direction, or mends one cut of it (`by` -1): partitions may overlap. */
  readonly cut = (from: Host, to: Host, by: 1 | -1): void => {
    const key = from.index * 16 + to.index;
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + by);
  };

  send(from: Host, datagram: Datagram): void {
    for (const to of this.hosts) {
      if (to === from) continue;
      this.#copy(from, to, datagram);
      if (this.#prng.chance(this.conditions.duplicate)) this.#copy(from, to, datagram);
    }
  }

  /** A host wanted to send, and could not. */
  muted(from: Host): void {
    for (const to of this.hosts) if (to !== from) this.watch.lost(from, to);
  }

  #copy(from: Host, to: Host, datagram: Datagram): void {
    const { loss, corrupt, delayLeast, delayMost } = this.conditions;
    const isCut = (this.#cuts.get(from.index * 16 + to.index) ?? 0) > 0;
    if (isCut || !from.carrier || this.#prng.chance(loss)) {
      this.watch.lost(from, to);
      return;
    }
    const damaged = this.#prng.chance(corrupt);
    const delivered = damaged ? { ...datagram, payload: this.#flipOneBit(datagram.payload) } : datagram;
    const delay = delayLeast + this.#prng.unit() * (delayMost - delayLeast);
    this.#world.at(this.#world.now + delay, () => {
      const arrived = to.receive(delivered);
      if (!arrived || damaged) this.watch.lost(from, to);
      else this.watch.arrived(to, delivered);
    });
  }

  #flipOneBit(payload: Uint8Array): Uint8Array {
    const copy = payload.slice();
    const at = this.#prng.between(0, copy.length - 1);
    copy[at] = (copy[at] as number) ^ (1 << this.#prng.between(0, 7));
    return copy;
  }
}
