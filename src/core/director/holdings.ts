import { unreachable } from '../assert.ts';
import { formatPrefix } from '../ip.ts';
import type { Level } from '../level.ts';
import { Addresses } from '../reconcile/addresses.ts';
import type { AddressesEffect, AddressesEvent, HeldAddress } from '../reconcile/events.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect } from './events.ts';

/** What the addresses ask the others of their director. */
interface Ties {
  readonly ensemble: Ensemble;
  /** Whether the kernel keeps who made an address. */
  readonly marks: boolean;
  emit(effect: DirectorEffect): void;
  /** A virtual router's name, by the key that it holds addresses under. */
  nameOf(owner: string | undefined): string;
  /** What was gone is there again: routes may have gone with it, and neighbours have forgotten it. */
  restored(owner: string, addresses: readonly HeldAddress[]): void;
}

/** The addresses of virtual routers, and those that are static, on the interfaces. */
export class Holdings {
  readonly #ties: Ties;
  readonly #actor: Actor<AddressesEvent>;

  constructor(ties: Ties) {
    this.#ties = ties;
    this.#actor = ties.ensemble.join(new Addresses(ties.marks), (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  readonly handle = (event: AddressesEvent): void => this.#actor.handle(event);

  #perform(effect: AddressesEffect): void {
    switch (effect.type) {
      case 'apply':
        this.#ties.emit({ type: 'addresses', changes: effect.changes });
        break;
      case 'restored': {
        const lost = effect.addresses.map(({ address }) => formatPrefix(address)).join(', ');
        this.#log('warning', effect.owner, `${lost} removed by someone else; added again`);
        this.#ties.restored(effect.owner, effect.addresses);
        break;
      }
      case 'adopted':
        this.#tell('notice', effect, 'was there already');
        break;
      case 'own':
        this.#tell(
          'warning',
          effect,
          `is an address of ${effect.address.dev} itself: it is left there as it is`,
        );
        break;
      case 'leftover':
        this.#tell('notice', effect, `on ${effect.address.dev} was left by an earlier life: removed`);
        break;
      case 'problem': {
        const { what, errno, text } = effect;
        const named = `${this.#ties.nameOf(effect.owner)}: ${what}`;
        this.#ties.emit({ type: 'refused', what: named, errno, ...(text !== undefined && { text }) });
        break;
      }
      default:
        unreachable(effect);
    }
  }

  #tell(
    level: Level,
    { owner, address }: { readonly owner: string; readonly address: HeldAddress },
    what: string,
  ): void {
    this.#log(level, owner, `${formatPrefix(address.address)} ${what}`);
  }

  #log(level: Level, owner: string, message: string): void {
    this.#ties.emit({ type: 'log', level, message: `${this.#ties.nameOf(owner)}: ${message}` });
  }
}
