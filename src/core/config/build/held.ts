import type { VrrpSettings } from '../../vrrp/settings.ts';
import type { Findings } from '../findings.ts';
import type { Configuration } from '../model.ts';
import type { VirtualServer } from './virtual.ts';

/**
 * Warns of virtual servers whose address no `vrrp_instance` and no `static_ipaddress` holds, where there are virtual
 * routers: a mistyped address is served by nobody. Once for a file: who has the addresses by other means has them all
 * so.
 */
export function checkHeld(
  servers: readonly VirtualServer[],
  instances: readonly VrrpSettings[],
  { addresses }: Configuration['statics'],
  findings: Findings,
): void {
  if (instances.length === 0) return;
  const held = new Set([
    ...instances.flatMap((each) => [...each.addresses, ...each.excluded]).map(({ address }) => address.ip),
    ...addresses.map(({ address }) => address.ip),
  ]);
  const lost = servers.flatMap(({ entry, settings }) => {
    const keys = settings.services.map(({ key }) => key);
    const key = keys.find((each) => each.kind === 'address' && !held.has(each.address));
    return key?.kind === 'address' ? [{ entry, address: key.address }] : [];
  });
  const [first, ...others] = lost;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, nor those of ${others.length} more virtual servers`;
  const { entry, address } = first;
  findings.warning(entry.words[0] ?? entry.keyword, `no vrrp_instance holds ${address}${more}`, {
    hint: 'packets for it come here only where this host has it by other means',
  });
}
