import type { AddressesEvent } from '../reconcile/events.ts';
import type { Original } from '../reconcile/originals.ts';
import type { VmacsEffect, VmacsEvent } from '../reconcile/vmac-events.ts';
import { wantedLinks } from '../reconcile/vmac-wants.ts';
import { Vmacs } from '../reconcile/vmacs.ts';
import { seconds } from '../time.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect } from './events.ts';

/** The interfaces of virtual routers (VMACs) at work. */
export class VmacLinks {
  readonly #emit: (effect: DirectorEffect) => void;
  readonly #addresses: (event: AddressesEvent) => void;
  readonly #vmacs = new Vmacs();
  readonly #actor: Actor<VmacsEvent>;
  /** Strict reverse-path checks would do harm. */
  #asymmetric = false;
  /** Those that have an address of their own: ipvlans. */
  #addressed = new Set<string>();

  constructor(
    ensemble: Ensemble,
    emit: (effect: DirectorEffect) => void,
    addresses: (event: AddressesEvent) => void,
  ) {
    this.#emit = emit;
    this.#addresses = addresses;
    this.#actor = ensemble.join(
      this.#vmacs,
      (effects) => {
        for (const effect of effects) this.#perform(effect);
      },
      { kind: 'vmacs', name: 'interfaces of its own', machine: this.#vmacs },
    );
  }

  memory() {
    const [asymmetric, addressed] = [this.#asymmetric, new Set(this.#addressed)];
    return { vmacs: this.#vmacs.memory(), asymmetric, addressed };
  }

  recall({ vmacs, asymmetric, addressed }: ReturnType<VmacLinks['memory']>): void {
    this.#vmacs.recall(vmacs);
    this.#asymmetric = asymmetric;
    this.#addressed = new Set(addressed);
  }

  readonly handle = (event: VmacsEvent): void => this.#actor.handle(event);

  /** What is changed on interfaces below now. */
  originals(): Original[] {
    return this.#vmacs.originals();
  }

  /** Exactly what these virtual routers need. */
  want(instances: readonly VrrpSettings[]): void {
    this.handle({ type: 'want', links: wantedLinks(instances) });
    // An earlier life may have needed it.
    if (!this.#asymmetric) this.#emit({ type: 'link', change: { type: 'asymmetric', on: false } });
    const promoting = instances.filter(({ promoteSecondaries }) => promoteSecondaries);
    this.#emit({ type: 'promote', interfaces: promoting.map((settings) => settings.interface) });
  }

  /** Gives those that are to have an address of their own theirs. */
  address(instances: readonly VrrpSettings[]): void {
    const before = this.#addressed;
    this.#addressed = new Set();
    for (const { virtual } of instances) {
      if (virtual?.address === undefined) continue;
      const { name: dev, address } = virtual;
      const held = { dev, address, scope: 0 };
      this.#addresses({ type: 'hold', owner: dev, addresses: [held], lease: seconds(0) });
      this.#addressed.add(dev);
      before.delete(dev);
    }
    for (const owner of before) this.#addresses({ type: 'release', owner });
  }

  #perform(effect: VmacsEffect): void {
    switch (effect.type) {
      case 'adopted': {
        const message = `the interface ${effect.name} was there already`;
        this.#emit({ type: 'log', level: 'notice', message });
        break;
      }
      case 'problem':
        this.#emit({ ...effect, type: 'refused', what: `the interface ${effect.name}` });
        break;
      default:
        if (effect.type === 'asymmetric') this.#asymmetric = effect.on;
        this.#emit({ type: 'link', change: effect });
        if (effect.type === 'conf' || effect.type === 'asymmetric') this.#emit({ type: 'changed' });
    }
  }
}
