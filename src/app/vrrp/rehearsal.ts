import type { DirectorBirth } from '../../core/director/events.ts';
import { rehearse } from '../../core/director/rehearsal.ts';
import { encodeBatch } from '../../core/netlink/message.ts';
import { encodeTransaction } from '../../core/netlink/nftables.ts';
import { requestOf } from '../../core/reconcile/events.ts';
import { LeaseRequests } from '../../core/reconcile/lease-table.ts';
import { announcement } from '../../core/vrrp/announce.ts';

/** Runs all of a takeover that the kernel and the wire do not see: its requests are encoded, and go nowhere. */
export function rehearseTakeover(birth: DirectorBirth): void {
  const leases = new LeaseRequests();
  rehearse(birth, (effect) => {
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
  });
}
