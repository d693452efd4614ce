import type { ServiceKey } from '../../balance/model.ts';
import { AFTER_IPVS } from '../../reconcile/firewall.ts';
import type { VrrpSettings } from '../../vrrp/settings.ts';
import type { Findings } from '../findings.ts';
import type { root } from '../grammar/root.ts';
import type { GlobalSettings } from '../model.ts';
import type { Section } from '../tree.ts';

/**
 * Warns where no_accept drops what IPVS is to balance: its rules come first, as keepalived's, unless they are told not
 * to.
 */
export function checkBalanced(
  file: Section<typeof root>,
  instances: readonly VrrpSettings[],
  services: readonly ServiceKey[],
  { firewall }: GlobalSettings,
  findings: Findings,
): void {
  if (firewall.priority >= AFTER_IPVS) return;
  const balanced = new Set(services.flatMap((key) => (key.kind === 'address' ? [key.address] : [])));
  for (const entry of file.all('vrrp_instance')) {
    const settings = instances.find(({ name }) => name === entry.values[0]);
    if (settings?.noAccept !== true) continue;
    const dropped = [...settings.addresses, ...settings.excluded].find(({ address }) =>
      balanced.has(address.ip),
    );
    if (dropped === undefined) continue;
    const at = entry.section.token('no_accept') ?? entry.section.token('strict_mode') ?? entry.keyword;
    findings.warning(at, `no_accept drops what virtual_server ${dropped.address.ip} is to balance`, {
      hint: `write nftables_priority ${AFTER_IPVS} in global_defs, and IPVS comes first`,
    });
  }
}
