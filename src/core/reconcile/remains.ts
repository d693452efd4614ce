import type { InterfaceAddress } from '../netlink/address.ts';
import type { Link } from '../netlink/link.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { nameOf, OURS } from './entry.ts';
import { placed } from './vmac-wants.ts';

/**
 * The addresses that a VRRP process has left which is not there any more, of these virtual routers. Where the kernel
 * does not keep who made an address (`marks` is false), those of `masters`, by name.
 */
export function remainsOf(
  instances: readonly VrrpSettings[],
  links: readonly Link[],
  addresses: readonly InterfaceAddress[],
  marks: boolean,
  masters: ReadonlySet<string>,
): InterfaceAddress[] {
  const names = new Map(links.map(({ ifindex, name }) => [ifindex, name]));
  const suspects = marks ? instances : instances.filter(({ name }) => masters.has(name));
  const virtual = new Set(
    suspects.flatMap((settings) =>
      placed([...settings.addresses, ...settings.excluded], settings).map(({ dev, address }) =>
        nameOf(dev, address),
      ),
    ),
  );
  return addresses.filter(({ ifindex, address, protocol }) => {
    const dev = names.get(ifindex);
    return dev !== undefined && virtual.has(nameOf(dev, address)) && (!marks || protocol === OURS);
  });
}
