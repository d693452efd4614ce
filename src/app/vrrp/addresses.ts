import { unreachable } from '../../core/assert.ts';
import { formatPrefix } from '../../core/ip.ts';
import { Addresses } from '../../core/kernel/addresses.ts';
import {
  type AddressesEffect,
  type AddressesEvent,
  type HeldAddress,
  requestOf,
} from '../../core/kernel/events.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { explainOutcome } from '../../io/netlink.ts';
import { keepsMakers, type RouteSocket } from '../../io/route.ts';
import type { Level } from '../messages.ts';

/** What the addresses need of their process. */
interface Around {
  readonly driver: Driver;
  log(level: Level, message: string): void;
  /** A virtual router's name, by the key that it holds addresses under. */
  nameOf(owner?: string): string;
  /** What was gone is there again: routes may have gone with it, and neighbours have forgotten it. */
  restored(owner: string, addresses: readonly HeldAddress[]): void;
}

/** The addresses of virtual routers, and those that are static, on the interfaces. */
export class AddressTable {
  readonly #around: Around;
  readonly #route: RouteSocket;
  readonly #driven: Driven<AddressesEvent>;

  constructor(around: Around, route: RouteSocket) {
    this.#around = around;
    this.#route = route;
    this.#driven = around.driver.attach(new Addresses(keepsMakers()), (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  readonly handle = (event: AddressesEvent): void => this.#driven.handle(event);

  #perform(effect: AddressesEffect): void {
    const around = this.#around;
    switch (effect.type) {
      case 'apply': {
        const outcomes = this.#route.apply(effect.changes.map(requestOf));
        const results = effect.changes.map(({ id }, i) => ({ id, ...(outcomes[i] ?? { errno: 0 }) }));
        this.handle({ type: 'done', results });
        break;
      }
      case 'restored': {
        const lost = effect.addresses.map(({ address }) => formatPrefix(address)).join(', ');
        around.log('warning', `${around.nameOf(effect.owner)}: put back what was gone: ${lost}`);
        around.restored(effect.owner, effect.addresses);
        break;
      }
      case 'adopted': {
        const address = formatPrefix(effect.address.address);
        around.log('notice', `${around.nameOf(effect.owner)}: ${address} was there already`);
        break;
      }
      case 'own': {
        const { address, dev } = effect.address;
        const text = `${formatPrefix(address)} is an address of ${dev} itself: it is left there as it is`;
        around.log('warning', `${around.nameOf(effect.owner)}: ${text}`);
        break;
      }
      case 'leftover': {
        const { address, dev } = effect.address;
        const text = `${formatPrefix(address)} on ${dev} was left by an earlier life: removed`;
        around.log('notice', `${around.nameOf(effect.owner)}: ${text}`);
        break;
      }
      case 'problem':
        around.log('error', `${around.nameOf(effect.owner)}: ${effect.what}: ${explainOutcome(effect)}`);
        break;
      default:
        unreachable(effect);
    }
  }
}
