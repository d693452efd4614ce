import type { DirectorBirth, DirectorEffect } from '../../core/director/events.ts';
import { encodeBatch } from '../../core/netlink/message.ts';
import { encodeTransaction } from '../../core/netlink/nftables.ts';
import { requestOf } from '../../core/reconcile/events.ts';
import { LeaseRequests } from '../../core/reconcile/lease-table.ts';
import { Rehearsal } from '../../core/rehearsal/rehearsal.ts';
import { announcement } from '../../core/vrrp/announce.ts';

/** Takeovers that the kernel and the wire do not see: their requests are encoded, and go nowhere. */
export class Rehearsals {
  readonly #birth: DirectorBirth;
  readonly #leases = new LeaseRequests();
  readonly #encode = (effect: DirectorEffect): void => encode(effect, this.#leases);
  #next: Rehearsal;

  /** All of one is played at once. */
  constructor(birth: DirectorBirth) {
    this.#birth = birth;
    new Rehearsal(birth, this.#encode).play();
    this.#next = new Rehearsal(birth, this.#encode);
  }

  /** Only the takeover: the rest of it would be in its way. */
  takeOver(): void {
    this.#next.takeOver();
  }

  /** Until this is called, the next one is none. */
  prepare(): void {
    this.#next = new Rehearsal(this.#birth, this.#encode);
  }
}

function encode(effect: DirectorEffect, leases: LeaseRequests): void {
  switch (effect.type) {
    case 'addresses':
      encodeBatch(effect.changes.map(requestOf), 1);
      break;
    case 'leases':
      encodeTransaction(leases.of(effect.table, effect.steps), 1);
      break;
    case 'frames':
      for (const address of effect.addresses) announcement(address, effect.mac, false);
      break;
  }
}
