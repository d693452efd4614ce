import type { Ip } from '../ip.ts';
import type { Interfaces } from '../reconcile/interfaces.ts';
import type { VrrpEffect } from '../vrrp/events.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';

/** Addresses that a link is asked for, from an interface with that MAC address. */
export interface Question {
  readonly dev: string;
  readonly ifindex: number;
  readonly mac: string;
  /** Our link-local address there or elsewhere, where the addresses are IPv6. */
  readonly source: Ip;
  readonly addresses: readonly Ip[];
}

/**
 * Each address is asked for on the link where it is held, never from a VMAC: switches would look for the virtual MAC
 * address here. Interfaces without a hardware address have no neighbours to ask.
 */
export function questionsOf(
  { master, addresses }: Extract<VrrpEffect, { type: 'ask' }>,
  { interface: own }: VrrpSettings,
  source: Ip | undefined,
  interfaces: Interfaces,
): Question[] {
  const byDevice = new Map<string, Ip[]>([[own, [master]]]);
  for (const { address, dev = own } of addresses)
    byDevice.set(dev, [...(byDevice.get(dev) ?? []), address.ip]);
  return [...byDevice].flatMap(([dev, asked]) => {
    const link = interfaces.named(dev);
    if (link?.mac === undefined || source === undefined) return [];
    return [{ dev, ifindex: link.ifindex, mac: link.mac, source, addresses: asked }];
  });
}
