import {
  makePrivateLink,
  privateLinkOf,
  removePrivateLink,
  shapePrivateLink,
} from '../../core/reconcile/privatelink.ts';
import { PRIVATE_LINK } from '../../core/sync/settings.ts';
import { inNamespace } from '../../io/namespace.ts';
import { NetlinkError } from '../../io/netlink.ts';
import { RouteSocket } from '../../io/route.ts';

const EEXIST = 17;
const EOPNOTSUPP = 95;

/** The private link of the kernel's sync daemons, in the network namespace of the IPVS table. */
export class PrivateLink {
  readonly #route: RouteSocket;

  /** Throws SystemError. */
  constructor(namespace: string | undefined) {
    this.#route = inNamespace(namespace, () => new RouteSocket());
  }

  /** Sees to it that it is there and up. `made`: it was not there before. Throws what hinders that. */
  ensure(): { readonly ifindex: number; readonly made: boolean } {
    const before = privateLinkOf(this.#route.links());
    if (before.kind === 'foreign')
      throw new Error(
        `there is another interface ${PRIVATE_LINK}: rename it, it is the name of the private link`,
      );
    if (before.kind === 'absent') this.#make();
    const link = privateLinkOf(this.#route.links());
    if (link.kind !== 'there') throw new Error(`the interface ${PRIVATE_LINK} is gone again`);
    const requests = shapePrivateLink(link.ifindex);
    const outcomes = this.#route.apply(requests);
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.errno !== 0 && outcome.errno !== EEXIST)
        throw new NetlinkError(requests[i]?.asked ?? PRIVATE_LINK, outcome);
    }
    return { ifindex: link.ifindex, made: before.kind === 'absent' };
  }

  #make(): void {
    const requests = makePrivateLink();
    const [made] = this.#route.apply(requests);
    if (made === undefined || made.errno === 0) return;
    if (made.errno === EOPNOTSUPP)
      throw new Error('the kernel has no dummy interfaces: load the module with "modprobe dummy"');
    throw new NetlinkError(requests[0]?.asked ?? PRIVATE_LINK, made);
  }

  /** Whether there was one. */
  remove(): boolean {
    if (privateLinkOf(this.#route.links()).kind !== 'there') return false;
    this.#route.apply([removePrivateLink()]);
    return true;
  }
}
