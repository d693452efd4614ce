import { formatPrefix } from '../../core/ip.ts';
import { deleteAddress } from '../../core/netlink/address.ts';
import { remainsOf } from '../../core/reconcile/remains.ts';
import { explainOutcome } from '../../io/netlink.ts';
import { keepsMakers, RouteSocket } from '../../io/route.ts';
import type { Level, Role, VrrpConfiguration, VrrpState } from '../messages.ts';

/**
 * Removes the addresses that a VRRP process has left which died: with adverts below a second they have no lease, and
 * the other director is master before the next process here has started. The socket is open from the beginning: at
 * that moment nothing is to be asked for that may be lacking.
 */
export class Remains {
  readonly #route = new RouteSocket();
  readonly #told: ReadonlyMap<Role, unknown>;
  readonly #states: ReadonlyMap<Role, unknown>;
  readonly #log: (level: Level, message: string) => void;

  /** `told` and `states`: what each process was told last, and what it said. */
  constructor(
    told: ReadonlyMap<Role, unknown>,
    states: ReadonlyMap<Role, unknown>,
    log: (level: Level, message: string) => void,
  ) {
    this.#told = told;
    this.#states = states;
    this.#log = log;
  }

  remove(): void {
    const told = this.#told.get('vrrp') as VrrpConfiguration | undefined;
    const state = this.#states.get('vrrp') as VrrpState | undefined;
    if (told === undefined || !told.release) return;
    const masters = (state?.instances ?? []).filter((instance) => instance.state === 'MASTER');
    try {
      const left = remainsOf(
        told.instances,
        this.#route.links(),
        this.#route.addresses(),
        keepsMakers(),
        new Set(masters.map(({ name }) => name)),
      );
      if (left.length === 0) return;
      const requests = left.map(({ ifindex, address, peer }) => deleteAddress(ifindex, address, peer));
      const outcomes = this.#route.apply(requests);
      const text = left.map(({ address }) => formatPrefix(address)).join(', ');
      this.#log('warning', `removed the addresses that the vrrp process left: ${text}`);
      const failed = outcomes.find(({ errno }) => errno !== 0);
      if (failed !== undefined) this.#log('error', `not all of them: ${explainOutcome(failed)}`);
    } catch (error) {
      this.#log('error', `the addresses that the vrrp process left: ${(error as Error).message}`);
    }
  }
}
