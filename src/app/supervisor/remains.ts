import type { Configuration } from '../../core/config/model.ts';
import { formatPrefix } from '../../core/ip.ts';
import { deleteAddress } from '../../core/netlink/address.ts';
import { LeaseTable, leaseTableName } from '../../core/reconcile/lease-table.ts';
import { privateLinkOf, removePrivateLink } from '../../core/reconcile/privatelink.ts';
import { remainsOf } from '../../core/reconcile/remains.ts';
import type { VrrpSettings } from '../../core/vrrp/settings.ts';
import { inNamespace } from '../../io/namespace.ts';
import { explainOutcome, NETLINK, NetlinkSocket } from '../../io/netlink.ts';
import { keepsMakers, RouteSocket } from '../../io/route.ts';
import type { Level, Role, VrrpConfiguration, VrrpState } from '../messages.ts';
import type { DaemonOptions } from '../options.ts';

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
    removeAddresses(this.#route, told.instances, new Set(masters.map(({ name }) => name)), this.#log);
  }
}

/** `masters`, by name: whose addresses they are where the kernel does not keep who made one. */
function removeAddresses(
  route: RouteSocket,
  instances: readonly VrrpSettings[],
  masters: ReadonlySet<string>,
  log: (level: Level, message: string) => void,
): void {
  try {
    const left = remainsOf(instances, route.links(), route.addresses(), keepsMakers(), masters);
    if (left.length === 0) return;
    const requests = left.map(({ ifindex, address, peer }) => deleteAddress(ifindex, address, peer));
    const outcomes = route.apply(requests);
    const text = left.map(({ address }) => formatPrefix(address)).join(', ');
    log('warning', `removed the addresses that the vrrp process left: ${text}`);
    const failed = outcomes.find(({ errno }) => errno !== 0);
    if (failed !== undefined) log('error', `not all of them: ${explainOutcome(failed)}`);
  } catch (error) {
    log('error', `the addresses that the vrrp process left: ${(error as Error).message}`);
  }
}

/**
 * Removes what a daemon that was killed has left in the kernel: its virtual addresses, where the kernel keeps who made
 * an address, then the tables with their leases, which kept packets for them out, and the private link of connection
 * sync. `-V` leaves all as it is.
 */
export function clearRemains(
  { instances, global }: Configuration,
  { runDir, dontReleaseVrrp, ipvsNamespace }: DaemonOptions,
  log: (level: Level, message: string) => void,
): void {
  if (dontReleaseVrrp) return;
  const route = new RouteSocket();
  removeAddresses(route, instances, new Set(), log);
  route.close();
  if (global.leaseTables) removeLeases(leaseTableName(runDir), log);
  removeLink(ipvsNamespace, log);
}

function removeLink(namespace: string | undefined, log: (level: Level, message: string) => void): void {
  try {
    inNamespace(namespace, () => {
      const route = new RouteSocket();
      if (privateLinkOf(route.links()).kind === 'there') route.apply([removePrivateLink()]);
      route.close();
    });
  } catch (error) {
    log('info', `the private link of connection sync: ${(error as Error).message}`);
  }
}

/** Removes the tables of leases, if they are there. */
function removeLeases(table: string, log: (level: Level, message: string) => void): void {
  try {
    const socket = new NetlinkSocket(NETLINK.NETFILTER, 'nfnetlink');
    const outcome = socket.transact(new LeaseTable(table).remove());
    if (outcome.errno !== 0) log('info', `the nftables ${table} with the leases: ${explainOutcome(outcome)}`);
    socket.close();
  } catch (error) {
    log('info', `the nftables ${table} with the leases: ${(error as Error).message}`);
  }
}
