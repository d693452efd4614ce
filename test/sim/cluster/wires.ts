import type { Prng } from '../../../src/core/prng.ts';
import type { World } from '../world.ts';
import type { Day } from './day.ts';
import type { Fault, Link } from './operations.ts';

type Cut = Omit<Extract<Fault, { kind: 'cut' }>, 'kind'>;

/** In advert intervals: how late a straggler is, at most. */
const LATEST = 4;

/** All that connects the nodes. What is sent arrives once, twice, late or never. */
export class Wires {
  /** What is disturbed now. */
  loss = 0;
  duplicate = 0;
  delayMost: number;
  /** How many packets of all are late by far. */
  stragglers: number;
  readonly cuts = new Set<Cut>();
  readonly #world: World;
  readonly #prng: Prng;
  readonly #latest: number;

  constructor(world: World, prng: Prng, { delayMost, stragglers, unit }: Day) {
    this.#world = world;
    this.#prng = prng;
    this.delayMost = delayMost;
    this.stragglers = stragglers;
    this.#latest = LATEST * unit;
  }

  send(link: Link, from: string, to: string, deliver: () => void): void {
    this.#copy(link, from, to, deliver);
    if (this.duplicate > 0 && this.#prng.chance(this.duplicate)) this.#copy(link, from, to, deliver);
  }

  isCut(link: Link, from: string, to: string): boolean {
    for (const { node, links, way } of this.cuts) {
      if (links === 'all' ? link === 'device' : links !== link) continue;
      if ((node === from && way !== 'in') || (node === to && way !== 'out')) return true;
    }
    return false;
  }

  #copy(link: Link, from: string, to: string, deliver: () => void): void {
    if (this.isCut(link, from, to) || (this.loss > 0 && this.#prng.chance(this.loss))) return;
    const strays = this.stragglers > 0 && this.#prng.chance(this.stragglers);
    const most = strays ? this.#latest : this.delayMost;
    this.#world.at(this.#world.now + this.#prng.unit() * most, deliver);
  }
}
