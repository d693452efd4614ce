import { unreachable } from '../assert.ts';
import { formatPrefix } from '../ip.ts';
import type { Level } from '../level.ts';
import type { Outcome } from '../netlink/message.ts';
import { Addresses } from '../reconcile/addresses.ts';
import { nameOf } from '../reconcile/entry.ts';
import type { AddressesEffect, AddressesEvent, HeldAddress } from '../reconcile/events.ts';
import type { ExpectedOwner, LeasesEffect, LeasesEvent } from '../reconcile/lease-events.ts';
import { Leases } from '../reconcile/leases.ts';
import { type Duration, seconds } from '../time.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect } from './events.ts';

/** What the addresses ask the others of their director. */
interface Ties {
  readonly ensemble: Ensemble;
  /** Whether the kernel keeps who made an address. */
  readonly marks: boolean;
  /** Of the kernel's clock. */
  readonly tick: Duration;
  emit(effect: DirectorEffect): void;
  /** A virtual router's name, by the key that it holds addresses under. */
  nameOf(owner: string | undefined): string;
  /** What was gone is there again: routes may have gone with it, and neighbours have forgotten it. */
  restored(owner: string, addresses: readonly HeldAddress[]): void;
}

/** No lease. */
const NONE = seconds(0);

/** The addresses of virtual routers, and those that are static, on the interfaces, and what is answered for them. */
export class Holdings {
  readonly #ties: Ties;
  readonly #addresses: Addresses;
  readonly #actor: Actor<AddressesEvent>;
  readonly #leases: Leases;
  readonly #leaseActor: Actor<LeasesEvent>;

  constructor(ties: Ties) {
    this.#ties = ties;
    this.#addresses = new Addresses(ties.marks);
    this.#actor = ties.ensemble.join(
      this.#addresses,
      (effects) => {
        for (const effect of effects) this.#perform(effect);
      },
      { kind: 'addresses', name: 'addresses', machine: this.#addresses },
    );
    this.#leases = new Leases(ties.marks, ties.tick);
    this.#leaseActor = ties.ensemble.join(
      this.#leases,
      (effects) => {
        for (const effect of effects) this.#performLease(effect);
      },
      { kind: 'leases', name: 'leases', machine: this.#leases },
    );
  }

  memory() {
    return { addresses: this.#addresses.memory(), leases: this.#leases.memory() };
  }

  recall({ addresses, leases }: ReturnType<Holdings['memory']>): void {
    this.#addresses.recall(addresses);
    this.#leases.recall(leases);
  }

  /** Addresses that are to go, and are still there. */
  lingering(): string[] {
    return this.#addresses.lingering();
  }

  /** Whether one of these is to go, is still there, and is answered for: no lease shuts it. */
  exposes(addresses: readonly HeldAddress[]): boolean {
    const left = this.#addresses.lingering();
    if (left.length === 0) return false;
    return addresses.some(
      ({ dev, address }) => left.includes(nameOf(dev, address)) && !this.#leases.shuts(dev, address.ip),
    );
  }

  /** A lease begins before its addresses are there, and ends before they go; only then packets for them pass again. */
  readonly handle = (event: AddressesEvent): void => {
    switch (event.type) {
      case 'hold':
      case 'renew':
        this.#leaseActor.handle({ ...event, term: event.term ?? NONE });
        break;
      case 'links':
      case 'shown':
      case 'seen':
      case 'release':
        this.#leaseActor.handle(event);
        break;
    }
    this.#actor.handle(event);
    if (event.type === 'hold' || event.type === 'release') this.#leaseActor.handle({ type: 'settle' });
  };

  /** The kernel has leases of milliseconds from now on, in tables of this name. */
  lease(table: string): void {
    this.#leaseActor.handle({ type: 'begin', table });
  }

  /** These virtual routers may come to hold addresses. */
  expect(owners: readonly ExpectedOwner[]): void {
    this.#leaseActor.handle({ type: 'expect', owners });
  }

  /** No address is left. */
  stop(): void {
    this.#leaseActor.handle({ type: 'stop' });
  }

  /** How a transaction of leases ended. */
  leased(outcome: Outcome): void {
    this.#leaseActor.handle({ type: 'done', outcome });
  }

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

  #performLease(effect: LeasesEffect): void {
    const { emit } = this.#ties;
    switch (effect.type) {
      case 'transact':
        emit({ type: 'leases', table: effect.table, steps: effect.steps });
        break;
      case 'works': {
        const { table, again } = effect;
        const message = again
          ? `the nftables ${table} with the leases was removed by someone else, or out of order: it is there again`
          : `leases of milliseconds are in the nftables ${table}`;
        emit({ type: 'log', level: again ? 'warning' : 'info', message });
        break;
      }
      case 'fails': {
        const { asked, errno, text } = effect.outcome;
        const what = `no leases of milliseconds in nftables ${effect.table}${asked === undefined ? '' : `: ${asked}`}`;
        emit({ type: 'refused', what, errno, ...(text !== undefined && { text }) });
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
