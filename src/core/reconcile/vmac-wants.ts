import { familyOf } from '../ip.ts';
import type { VirtualAddress, VrrpSettings } from '../vrrp/settings.ts';
import type { HeldAddress } from './events.ts';
import type { WantedLink } from './vmac-events.ts';

type Placing = Pick<VrrpSettings, 'interface' | 'virtual'>;

/** The interface that gets a virtual address. */
export const deviceOf = ({ vmac, dev }: VirtualAddress, { interface: device, virtual }: Placing): string =>
  vmac?.name ?? dev ?? virtual?.name ?? device;

/** With the interface of each address named. */
export function placed(addresses: readonly VirtualAddress[], placing: Placing): HeldAddress[] {
  return addresses.map((virtual) => {
    const { vmac: _, ...address } = virtual;
    return { ...address, dev: deviceOf(virtual, placing) };
  });
}

/** The interfaces that virtual routers need to be made. */
export function wantedLinks(instances: readonly VrrpSettings[]): WantedLink[] {
  const wanted = new Map<string, WantedLink>();
  const add = (link: WantedLink): void => {
    const known = wanted.get(link.name);
    const ipv4 = link.ipv4 || known?.ipv4 === true;
    const ipv6 = link.ipv6 || known?.ipv6 === true;
    wanted.set(link.name, { ...link, ipv4, ipv6 });
  };
  for (const settings of instances) {
    const { interface: base, virtual, family } = settings;
    const all = [...settings.addresses, ...settings.excluded];
    if (virtual !== undefined) {
      const { name, group, sort } = virtual;
      const here = all.filter((address) => deviceOf(address, settings) === name);
      const families = new Set([family, ...here.map(({ address }) => familyOf(address.ip))]);
      const options = { ipv4: families.has(4), ipv6: families.has(6), ...(group !== undefined && { group }) };
      add({ name, base, sort, ...options });
    }
    for (const { vmac, dev = base, address } of all) {
      if (vmac === undefined) continue;
      const ipv6 = familyOf(address.ip) === 6;
      add({ name: vmac.name, base: dev, ipv4: !ipv6, ipv6, sort: { kind: 'macvlan', mac: vmac.mac } });
    }
  }
  return [...wanted.values()];
}
